import type { Host } from 'latchkey/plugin-api';
import type { Copy } from '../copies/copy.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { presentSentence } from '../desk/key-presenter.ts';
import type { Places } from '../keys/places.ts';
import { qrCodeOf } from '../keys/qr.ts';
import { qrLink } from './qr-link.ts';
import { shareTexts } from './share-texts.ts';

/** The page with the link, of a key or of one of its copies: to be copied, sent, shown, printed and read aloud. */
export async function presentLink(
  host: Host,
  places: Places,
  { key, copy, text }: { key: InvitationKey; copy: Copy | null; text: string },
  { locale }: { locale: string },
): Promise<object> {
  const { origin, organisation, timeZone } = await host.site();
  const url = `${origin}/join/${text}`;
  const shortUrl = `${origin.replace(/^https?:\/\//, '')}/join`;
  const facts = { organisation, url, text, shortUrl, expiresAt: key.expiresAt, note: key.note, timeZone };
  return {
    key: { id: key.id, label: key.label, hasCopy: copy === null ? key.hasCopy : copy.hasText },
    copy: copy === null ? null : { id: copy.id, name: copy.name },
    query: copy === null ? '' : `?copy=${copy.id}`,
    paper: text.replace(/^lkinv_/, ''),
    url,
    shortUrl,
    qr: qrCodeOf(qrLink(origin, text)),
    texts: shareTexts(host, facts, { locale: key.locale ?? locale }),
    sentence: await presentSentence(host, places, key, locale),
    titleKind: copy !== null ? '-copy' : key.uses === 0 ? '-new' : '',
  };
}

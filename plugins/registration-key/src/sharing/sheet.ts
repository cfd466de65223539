import { groupToken, type Host } from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { momentInWords } from '../keys/key-sentence.ts';
import { qrCodeOf } from '../keys/qr.ts';
import { qrLink } from './qr-link.ts';

export const sheetLayouts = ['poster', 'cards8', 'cards10'] as const;
export const papers = ['a4', 'letter'] as const;
export type SheetLayout = (typeof sheetLayouts)[number];
export type Paper = (typeof papers)[number];

export interface SheetChoice {
  layout: SheetLayout;
  paper: Paper;
  /** Of the newcomers who will read it, not of whoever prints it. */
  locale: string;
}

export interface ToPrint {
  key: Pick<InvitationKey, 'label' | 'note' | 'expiresAt' | 'notBefore'>;
  text: string;
  /** The copy's name, for whoever hands it out. */
  copy: string;
}

interface Card {
  groups: string[];
  qr: { size: number; path: string };
  note: string;
  until: string;
  from: string;
  foot: string;
}

const perPage: Record<SheetLayout, number> = { poster: 1, cards8: 8, cards10: 10 };

/** Pages of cards, or one poster a key: everything said in the newcomer's language. One key alone fills its sheet. */
export async function presentSheet(
  host: Host,
  keys: readonly ToPrint[],
  { layout, paper, locale }: SheetChoice,
): Promise<object> {
  const { origin, organisation, timeZone } = await host.site();
  const t = (key: string, params: Record<string, string | number> = {}): string =>
    host.t(`sheet.${key}`, params, locale);
  const at = (moment: number): string => momentInWords(moment, { locale, timeZone });
  const cards = keys.map(({ key, text, copy }): Card => ({
    groups: groupToken(text).split('-'),
    qr: qrCodeOf(qrLink(origin, text)),
    note: key.note,
    until: key.expiresAt === null ? '' : t('until', { at: at(key.expiresAt) }),
    from: key.notBefore === null ? '' : t('from', { at: at(key.notBefore) }),
    foot: [key.label, copy].filter((part) => part !== '').join(' · '),
  }));
  const [only] = cards;
  const filled =
    cards.length === 1 && only !== undefined ? Array.from({ length: perPage[layout] }, () => only) : cards;
  return {
    layout,
    paper,
    locale,
    organisation,
    pages: inPages(filled, perPage[layout]),
    words: {
      title: t('title', { organisation }),
      scan: t('scan'),
      or: t('or', { url: `${origin.replace(/^https?:\/\//, '')}/join` }),
      qr: t('qr'),
      next: t('next'),
      steps: [t('step-1'), t('step-2'), t('step-3')],
    },
  };
}

function inPages(cards: readonly Card[], size: number): { cards: Card[] }[] {
  const pages = Math.ceil(cards.length / size);
  return Array.from({ length: pages }, (_, page) => ({ cards: cards.slice(page * size, (page + 1) * size) }));
}

import { groupToken, type Host } from 'latchkey/plugin-api';
import { momentInWords } from '../keys/key-sentence.ts';

export interface ShareFacts {
  organisation: string;
  url: string;
  /** The bare key, to be typed. */
  text: string;
  shortUrl: string;
  expiresAt: number | null;
  note: string;
  timeZone: string;
}

/** One way to pass an invitation on: what it says, and where that text can go with one tap. */
export interface ShareText {
  id: 'plain' | 'chat' | 'code';
  label: string;
  text: string;
  rows: number;
  links: { id: 'whatsapp' | 'mail' | 'sms'; label: string; href: string; icon: string }[];
}

/** Ready to be sent: plain, with the stars that WhatsApp, Signal and Teams print bold, and with the code alone for a letter. */
export function shareTexts(host: Host, facts: ShareFacts, { locale }: { locale: string }): ShareText[] {
  const { organisation, url, expiresAt, timeZone, note } = facts;
  const t = (key: string, params: Record<string, string | number> = {}): string =>
    host.t(`share.${key}`, params, locale);
  const until =
    expiresAt === null ? '' : t('until', { until: momentInWords(expiresAt, { locale, timeZone }) });
  const lines = (...parts: string[]): string => parts.filter((part) => part !== '').join('\n\n');
  const plain = lines(t('hello', { organisation }), note, `${t('here')}\n${url}`, until, t('next'));
  const chat = lines(`*${t('hello', { organisation })}*`, note, url, until === '' ? '' : `_${until}_`);
  const short = lines(t('hello', { organisation }), note, url, until);
  const code = lines(
    t('hello', { organisation }),
    t('code', { url: facts.shortUrl, code: groupToken(facts.text) }),
    until,
  );
  const subject = encodeURIComponent(t('subject', { organisation }));
  const link = (id: 'whatsapp' | 'mail' | 'sms', icon: string, href: string): ShareText['links'][number] => ({
    id,
    icon,
    href,
    label: t(`to-${id}`),
  });
  return [
    {
      id: 'plain',
      label: t('plain'),
      text: plain,
      rows: 9,
      links: [
        link('mail', 'mail', `mailto:?subject=${subject}&body=${encodeURIComponent(crlf(plain))}`),
        link('sms', 'message', `sms:?&body=${encodeURIComponent(short)}`),
      ],
    },
    {
      id: 'chat',
      label: t('chat'),
      text: chat,
      rows: 7,
      links: [link('whatsapp', 'message-circle', `https://wa.me/?text=${encodeURIComponent(chat)}`)],
    },
    { id: 'code', label: t('code-label'), text: code, rows: 6, links: [] },
  ];
}

const crlf = (text: string): string => text.replace(/\n/g, '\r\n');

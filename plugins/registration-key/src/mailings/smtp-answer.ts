/** What a mail server's answer means, for those who do not read SMTP. By the enhanced code of RFC 3463 where there is one. */
export type Meaning =
  | 'accepted'
  | 'no-mailbox'
  | 'mailbox-full'
  | 'mailbox-closed'
  | 'domain-gone'
  | 'policy'
  | 'too-large'
  | 'try-later'
  | 'login'
  | 'unreachable'
  | 'refused';

const enhanced: readonly (readonly [pattern: RegExp, meaning: Meaning])[] = [
  [/^[45]\.1\.[16]$/, 'no-mailbox'],
  [/^[45]\.1\.(?:2|10)$/, 'domain-gone'],
  [/^[45]\.2\.1$/, 'mailbox-closed'],
  [/^[45]\.2\.2$/, 'mailbox-full'],
  [/^[45]\.(?:2\.3|3\.4)$/, 'too-large'],
  [/^[45]\.7\.8$/, 'login'],
  [/^5\.7\.\d+$/, 'policy'],
  [/^4\.\d+\.\d+$/, 'try-later'],
];

const basic: Record<string, Meaning> = {
  '421': 'try-later',
  '450': 'try-later',
  '451': 'try-later',
  '452': 'mailbox-full',
  '530': 'login',
  '535': 'login',
  '550': 'no-mailbox',
  '551': 'no-mailbox',
  '552': 'mailbox-full',
  '553': 'no-mailbox',
  '554': 'policy',
};

const NETWORK = /\b(?:ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|ESOCKET|EDNS|timeout)\b/i;

export interface SmtpAnswer {
  /** `550 5.1.1`, as far as the server said one. */
  code: string;
  meaning: Meaning;
}

export function readAnswer(reply: string | null): SmtpAnswer | null {
  if (reply === null || reply.trim() === '') return null;
  const [, status = '', code = ''] = /\b([245]\d\d)[ -]?(?:([245]\.\d{1,3}\.\d{1,3})\b)?/.exec(reply) ?? [];
  if (status === '') return NETWORK.test(reply) ? { code: '', meaning: 'unreachable' } : null;
  const said = [status, code].filter((part) => part !== '').join(' ');
  if (status.startsWith('2')) return { code: said, meaning: 'accepted' };
  const known = enhanced.find(([pattern]) => pattern.test(code))?.[1];
  return {
    code: said,
    meaning: known ?? basic[status] ?? (status.startsWith('4') ? 'try-later' : 'refused'),
  };
}

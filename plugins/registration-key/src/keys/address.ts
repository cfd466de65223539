import { domainToASCII } from 'node:url';
import { getPublicSuffix } from 'tldts';

/** As addresses are compared: trimmed, NFC, lower case, the domain in ASCII. Null when it is none. */
export function normaliseAddress(text: string): string | null {
  const tidy = text.trim().normalize('NFC').toLowerCase();
  const at = tidy.lastIndexOf('@');
  const local = tidy.slice(0, at);
  const domain = domainToASCII(tidy.slice(at + 1));
  if (at < 1 || domain === '' || /[\s@,;<>]/.test(local) || !isHost(domain) || tidy.length > 320) return null;
  return `${local}@${domain}`;
}

/** One rule as people write it: `acme.test`, `@acme.test`, `*.acme.test`. Null when it is no domain or one that everybody shares. */
export function parseDomainRule(text: string): string | null {
  const tidy = text.trim().toLowerCase().replace(/^@/, '');
  const below = tidy.startsWith('*.');
  const domain = domainToASCII(below ? tidy.slice(2) : tidy);
  if (!isHost(domain) || getPublicSuffix(domain) === domain) return null;
  return below ? `*.${domain}` : domain;
}

/** Whether a normalised address falls under one of the rules; whole domains are compared, never endings of names. */
export function isUnder(emailNorm: string, rules: readonly string[]): boolean {
  const domain = emailNorm.slice(emailNorm.lastIndexOf('@') + 1);
  return rules.some((rule) => (rule.startsWith('*.') ? domain.endsWith(rule.slice(1)) : domain === rule));
}

/** `jo…@acme.test`: enough for the one it belongs to. */
export function maskAddress(email: string): string {
  const at = email.lastIndexOf('@');
  return `${email.slice(0, Math.min(2, Math.max(1, at - 1)))}…${email.slice(at)}`;
}

const mailboxesForAll = new Set([
  'gmail.com',
  'googlemail.com',
  'outlook.com',
  'hotmail.com',
  'live.com',
  'yahoo.com',
  'icloud.com',
  'proton.me',
  'gmx.de',
  'gmx.net',
  'web.de',
  'orange.fr',
  'laposte.net',
]);

/** Anybody can get an address there, so the rule keeps nobody out. */
export const isPublicProvider = (rule: string): boolean => mailboxesForAll.has(rule.replace(/^\*\./, ''));

const isHost = (domain: string): boolean =>
  domain.length <= 253 && /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/.test(domain);

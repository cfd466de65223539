import { checkToken, normaliseToken, type Suspect, type TokenProblem } from 'latchkey/plugin-api';

/** What somebody typed, pasted or followed, judged without asking the database. */
export type KeyText =
  | { kind: 'key'; normal: string }
  /** The second secret of a mailed invitation: it stands for the key and for the mailbox. */
  | { kind: 'mailed'; normal: string }
  | { kind: 'custom'; normal: string }
  | { kind: 'malformed'; reason: TokenProblem; suspect?: Suspect };

const SYMBOLS = 32;
const customKey = /^[0-9A-Z]{6,24}$/;

/** Takes a key in any spelling, or the whole link it came in. */
export function readKeyText(typed: string): KeyText {
  const said = lastPart(typed.trim());
  if (/^lkmail_/i.test(said)) return judged(said, 'lkmail_', 'mailed');
  const symbols = normaliseToken(said);
  const looksMinted = /^lk[a-z]+_/i.test(said) || symbols.length === SYMBOLS;
  if (!looksMinted && customKey.test(symbols)) return { kind: 'custom', normal: symbols };
  return judged(said, 'lkinv_', 'key');
}

/** The form in which a key chosen by a person is kept, or null when it cannot be one. */
export function readCustomKey(typed: string): string | null {
  const symbols = normaliseToken(typed);
  return /^[\p{L}\p{N}\s.-]*$/u.test(typed) && customKey.test(symbols) ? symbols : null;
}

function judged(said: string, prefix: 'lkinv_' | 'lkmail_', kind: 'key' | 'mailed'): KeyText {
  const verdict = checkToken(said, prefix);
  if (verdict.ok) return { kind, normal: verdict.normal };
  return {
    kind: 'malformed',
    reason: verdict.reason,
    ...(verdict.suspect ? { suspect: verdict.suspect } : {}),
  };
}

const lastPart = (text: string): string =>
  /^https?:\/\//i.test(text) ? (text.split(/[?#]/)[0]?.replace(/\/+$/, '').split('/').pop() ?? '') : text;

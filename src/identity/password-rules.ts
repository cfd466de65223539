import { createHash } from 'node:crypto';
import { breachedDigests } from './breached-passwords.ts';
import { commonWords, wellWornPaths } from './common-passwords.ts';

const FEWEST = 12;
const MOST_BYTES = 1024;
const PRODUCT_WORDS = ['latchkey', 'helpdesk'];
/** Fewer letters than this beside words that anybody guesses do not make a password. */
const OWN_SYMBOLS = 6;
const STRETCH = 4;

/** Words of one's own life that a stranger would try first. */
export interface PasswordContext {
  email?: string;
  name?: string;
  organisation?: string;
}

/**
 * What is wrong with a password, as a code; null when it will do. Length first, no rules about kinds of characters, no rotation
 * (NIST 800-63B): what is refused is what a guesser tries first.
 */
export function passwordProblem(password: string, context: PasswordContext = {}): string | null {
  if (Array.from(password).length < FEWEST) return 'password.short';
  if (Buffer.byteLength(password) > MOST_BYTES) return 'password.long';
  if (new Set(password).size < 5) return 'password.guessable';
  if (/^\d{1,15}$/.test(password)) return 'password.guessable';
  const known = knownWords(context);
  const rest = withoutPaths(withoutWords(lettersOf(password), known));
  if (rest.length < OWN_SYMBOLS) return 'password.guessable';
  return isBreached(password) ? 'password.breached' : null;
}

const DIGEST_BYTES = 6;
const DECORATION = /[\d\W_]{1,6}$/u;

/** Known from a breach, in whatever case, bare or with digits and signs behind it. No service is asked. */
function isBreached(password: string): boolean {
  const folded = password.normalize('NFKC').toLowerCase();
  return [folded, folded.replace(DECORATION, '')].some(isKnown);
}

function isKnown(text: string): boolean {
  const wanted = createHash('sha256').update(text).digest().subarray(0, DIGEST_BYTES);
  let [low, high] = [0, breachedDigests.length / DIGEST_BYTES - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const at = middle * DIGEST_BYTES;
    const order = wanted.compare(breachedDigests, at, at + DIGEST_BYTES);
    if (order === 0) return true;
    if (order < 0) high = middle - 1;
    else low = middle + 1;
  }
  return false;
}

function knownWords({ email = '', name = '', organisation = '' }: PasswordContext): string[] {
  const ofThePerson = `${email} ${name} ${organisation}`.split(/[^\p{L}\p{N}]+/u).map(lettersOf);
  return [...PRODUCT_WORDS, ...ofThePerson].filter((word) => word.length >= 2);
}

/** Lower case, no accents, and the digits that stand for letters read as these. */
function lettersOf(text: string): string {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return plain.replace(/[@430$5178!]/g, (sign) => LOOKALIKES[sign] ?? sign).replace(/[^\p{L}\p{N}]/gu, '');
}

const LOOKALIKES: Record<string, string> = {
  '@': 'a',
  '4': 'a',
  '3': 'e',
  '0': 'o',
  $: 's',
  '5': 's',
  '1': 'i',
  '!': 'i',
  '7': 't',
  '8': 'b',
};

const pathsBothWays = wellWornPaths.flatMap((path) => [
  lettersOf(path),
  lettersOf(Array.from(path).reverse().join('')),
]);

/** Takes out the words of one's own life, and at most two of everybody's: four of those in a row are a passphrase. */
function withoutWords(password: string, known: readonly string[]): string {
  let rest = known.reduce((text, word) => text.replaceAll(word, ''), password);
  for (let taken = 0; taken < 2; taken += 1) rest = withoutLongestCommonWord(rest);
  return rest;
}

function withoutLongestCommonWord(text: string): string {
  for (let length = Math.min(text.length, 16); length >= 4; length -= 1) {
    for (let at = 0; at + length <= text.length; at += 1) {
      const word = text.slice(at, at + length);
      if (commonWords.has(word)) return text.replaceAll(word, '');
    }
  }
  return text;
}

/** Takes out stretches along a keyboard or an alphabet, either way, and repeated symbols. */
function withoutPaths(text: string): string {
  let rest = '';
  for (let at = 0; at < text.length;) {
    const stretch = longestStretch(text, at);
    if (stretch < STRETCH) rest += text.charAt(at);
    at += stretch < STRETCH ? 1 : stretch;
  }
  return rest.replace(/(.)\1+/g, '$1');
}

function longestStretch(text: string, from: number): number {
  let length = STRETCH;
  while (
    from + length <= text.length &&
    pathsBothWays.some((path) => path.includes(text.slice(from, from + length)))
  )
    length += 1;
  return length - 1;
}

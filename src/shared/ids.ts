import { customAlphabet } from 'nanoid';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_SYMBOLS = 10;
const randomSymbols = customAlphabet(CROCKFORD, 16);

let lastTime = 0;

/**
 * A ULID (https://github.com/ulid/spec): 48 bits of time, 80 of chance, so that rows lie on disk in the order they were made.
 * Within one process time never runs backwards, whatever the clock does.
 */
export function newId(): string {
  lastTime = Math.max(lastTime, Date.now());
  return encodeTime(lastTime) + randomSymbols();
}

export const isId = (text: string): boolean => /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text);

function encodeTime(milliseconds: number): string {
  let rest = milliseconds;
  let symbols = '';
  for (let at = 0; at < TIME_SYMBOLS; at += 1) {
    symbols = CROCKFORD.charAt(rest % 32) + symbols;
    rest = Math.floor(rest / 32);
  }
  return symbols;
}

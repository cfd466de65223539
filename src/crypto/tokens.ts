/**
 * The text of every secret that we hand out: prefix, 26 random symbols, 6 check symbols, in Crockford's alphabet.
 * This file imports nothing: the browser runs it as it is, so that a mistyped key is seen before anything is sent.
 */

/** What each prefix stands for. A new kind of secret gets its line here, and is redacted from that moment. */
export const tokenKinds = {
  lkinv_: 'invitation key',
  lkmail_: 'mailed second secret',
  lknet_: 'network key',
  lkpat_: 'personal API token',
  lksvc_: 'service API token',
  lkins_: 'instance',
  lkown_: 'owner link',
  lkrst_: 'password reset',
  lkcfm_: 'confirmation',
} as const;

export type TokenPrefix = keyof typeof tokenKinds;

export interface Suspect {
  /** Which group of four, counted from 1 as a person would. */
  group: number;
  /** Which of the 32 symbols, counted from 0. */
  at: number;
}

export type TokenProblem = 'length' | 'symbol' | 'checksum' | 'prefix';

export type TokenCheck =
  { ok: true; normal: string } | { ok: false; reason: TokenProblem; suspect?: Suspect };

export const TOKEN_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
export const RANDOM_SYMBOLS = 26;
const CHECK_SYMBOLS = 6;
const SYMBOLS = RANDOM_SYMBOLS + CHECK_SYMBOLS;
const GROUP = 4;
/** Nothing that anybody types is longer; what is, is not looked at. */
const LONGEST_INPUT = 200;

/** The code of BIP-173 with the constant of BIP-350: it sees any four wrong symbols, and can point at a single one. */
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const BECH32M = 0x2bc830a3;

const prefixes = Object.keys(tokenKinds) as TokenPrefix[];
const anyPrefix = prefixes.map((prefix) => prefix.slice(0, -1)).join('|');
const leadingPrefix = new RegExp(`^(?:${anyPrefix})_`, 'i');
const tokensInText = new RegExp(`\\b(${anyPrefix})(_|%5F)[0-9A-Z-]{4,}`, 'gi');
const groupedInText = /\b(?:[0-9A-Z]{4}-){7}[0-9A-Z]{4}\b/gi;

/** Judges `text` without asking anybody. `normal` is what may be stored, hashed or looked up; nothing else is. */
export function check(text: string, prefix: TokenPrefix): TokenCheck {
  const said = leadingPrefix.exec(tidy(text))?.[0].toLowerCase();
  if (said !== undefined && said !== prefix) return { ok: false, reason: 'prefix' };

  const symbols = normalise(text);
  if (symbols.length !== SYMBOLS) return { ok: false, reason: 'length' };
  const values = valuesOf(symbols);
  const unknown = values.indexOf(-1);
  if (unknown !== -1) return { ok: false, reason: 'symbol', suspect: suspectAt(unknown) };
  const syndrome = residueOf([...expanded(prefix), ...values]) ^ BECH32M;
  if (syndrome === 0) return { ok: true, normal: prefix + symbols };
  const suspect = singleWrongSymbol(syndrome);
  return { ok: false, reason: 'checksum', ...(suspect ? { suspect } : {}) };
}

/** The bare symbols: no prefix, spaces, hyphens or dots; O is 0, I and L are 1. Not yet judged. */
export const normalise = (text: string): string =>
  tidy(text).replace(leadingPrefix, '').toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1');

/** For paper and telephone: `WR0Z-KX7B-HVCN-RDJ2-3KYQ-FM81-7EGY-TPJN`. */
export const group = (text: string): string =>
  normalise(text)
    .match(new RegExp(`.{1,${String(GROUP)}}`, 'g'))
    ?.join('-') ?? '';

/** For lists: prefix and the first four symbols, which still leaves 110 bits to guess. */
export function mask(text: string): string {
  const prefix = leadingPrefix.exec(tidy(text))?.[0].toLowerCase() ?? '';
  return `${prefix}${normalise(text).slice(0, GROUP)}…`;
}

/** For logs: takes every secret out of a text, whatever its kind. */
export const redact = (text: string): string =>
  text.replace(tokensInText, '$1_[redacted]').replace(groupedInText, '[redacted]');

/** Completes 26 random symbols to a token. */
export const withCheckSymbols = (prefix: TokenPrefix, random: string): string =>
  prefix + random + checkSymbols(prefix, random);

function checkSymbols(prefix: TokenPrefix, random: string): string {
  const padding = Array.from({ length: CHECK_SYMBOLS }, () => 0);
  const residue = residueOf([...expanded(prefix), ...valuesOf(random), ...padding]) ^ BECH32M;
  return padding
    .map((_, at) => TOKEN_ALPHABET.charAt((residue >>> (5 * (CHECK_SYMBOLS - 1 - at))) & 31))
    .join('');
}

const tidy = (text: string): string =>
  text
    .slice(0, LONGEST_INPUT)
    .normalize('NFKC')
    .replace(/[\s.\-‐-―−\u200b-\u200d\u2060\ufeff\u00ad]/g, '');

const valuesOf = (symbols: string): number[] =>
  Array.from(symbols, (symbol) => TOKEN_ALPHABET.indexOf(symbol));

const suspectAt = (at: number): Suspect => ({ group: Math.floor(at / GROUP) + 1, at });

/** The prefix goes into the check as BIP-173 says, so that one kind of token never passes for another. */
function expanded(prefix: TokenPrefix): number[] {
  const codes = Array.from(prefix.slice(0, -1), (letter) => letter.charCodeAt(0));
  return [...codes.map((code) => code >>> 5), 0, ...codes.map((code) => code & 31)];
}

const residueOf = (values: readonly number[]): number => values.reduce(next, 1);

function next(residue: number, value: number): number {
  const top = residue >>> 25;
  const shifted = ((residue & 0x1ffffff) << 5) ^ value;
  return GENERATORS.reduce((sum, generator, bit) => ((top >>> bit) & 1 ? sum ^ generator : sum), shifted);
}

/** The code is linear: one wrong symbol leaves its difference, shifted by as many zeros as there are symbols after it. */
function singleWrongSymbol(syndrome: number): Suspect | undefined {
  for (let difference = 1; difference < TOKEN_ALPHABET.length; difference += 1) {
    let residue = difference;
    for (let at = SYMBOLS - 1; at >= 0; at -= 1) {
      if (residue === syndrome) return suspectAt(at);
      residue = next(residue, 0);
    }
  }
  return undefined;
}

import { check, mask, normalise, tokenKinds } from '../crypto/tokens.ts';
import type { KnownError } from '../shared/errors.ts';
import { InvalidInputError } from '../shared/errors.ts';

const PREFIX = 'lknet_';
const LEAST_FOREIGN = 20;
const MOST = 4096;
/** `Key:`, `Registration key:`, `Clé d’enregistrement :` as mails and pages write it before the key. */
const label = /^[\p{L}' ’-]{1,60}[:：]\s*/u;
const invisible = /[\u200b-\u200f\u2060\ufeff\u00ad]/g;
const quotes = /^["'`«»“”‘’<>\s]+|["'`«»“”‘’<>\s]+$/g;
const oneOfOurs = /^lk[a-z]{2,5}_/i;

/**
 * What an administrator pasted, as the hub wants to see it. A key of ours is judged by its check symbols, without asking anybody;
 * any other hub's is taken as it is, as long as it can travel in a header.
 *
 * @throws {InvalidInputError} naming the field `key` and what is wrong
 */
export function readPastedKey(text: string): string {
  const bare = text.replace(invisible, '').replace(quotes, '').replace(label, '').replace(quotes, '');
  if (bare === '') throw wrong('network.key-missing');
  if (bare.length > MOST) throw wrong('network.key-too-long');
  const joined = bare.replace(/\s+/g, '');
  if (oneOfOurs.test(joined)) return readOurs(joined);
  const asOurs = check(joined, PREFIX);
  if (asOurs.ok) return asOurs.normal;
  if (joined.length < LEAST_FOREIGN) throw wrong('network.key-too-short', { count: joined.length });
  if (!/^[\x21-\x7e]+$/.test(joined)) throw wrong('network.key-unsendable');
  return joined;
}

/** The id of the table of failures that says the same. */
const ids: Readonly<Record<string, string>> = {
  'network.key-missing': 'K01',
  'network.key-cut': 'K02',
  'network.key-too-short': 'K02',
  'network.key-mistyped': 'K03',
  'network.key-mistyped-group': 'K03',
};

/** Of a key that could not be read; what is nothing of all this is another kind of thing. */
export const problemOfKey = (error: KnownError): string => ids[error.fields[0]?.code ?? ''] ?? 'K04';

/** For lists: never enough to use. */
export const markOf = (key: string): string => (key.startsWith(PREFIX) ? mask(key) : `${key.slice(0, 4)}…`);

function readOurs(text: string): string {
  const judged = check(text, PREFIX);
  if (judged.ok) return judged.normal;
  if (judged.reason === 'prefix') throw wrong('network.key-other-kind', { prefix: prefixOf(text) });
  if (judged.reason === 'length') throw wrong('network.key-cut', { count: normalise(text).length });
  throw judged.suspect
    ? wrong('network.key-mistyped-group', { group: judged.suspect.group })
    : wrong('network.key-mistyped');
}

const prefixOf = (text: string): string =>
  Object.keys(tokenKinds).find((prefix) => text.toLowerCase().startsWith(prefix)) ?? '';

const wrong = (code: string, params: Record<string, string | number> = {}): InvalidInputError =>
  new InvalidInputError('input.invalid', { fields: [{ field: 'key', code, params }] });

/** Folded for searching: NFKC, lower case, no diacritics (ruling 3). */
export const foldForSearch = (...parts: readonly string[]): string =>
  parts.join(' ').normalize('NFKC').toLowerCase().normalize('NFD').replace(/\p{M}/gu, '').normalize('NFC');

/** The words of a search that an index can answer: letters and digits, three or more. */
export const searchWords = (typed: string): string[] =>
  [...foldForSearch(typed).matchAll(/[\p{L}\p{N}]{3,}/gu)].map(([word]) => word).slice(0, 8);

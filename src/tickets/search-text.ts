const SHORTEST_WORD = 3;
const LONGEST_WORD = 60;
const LONGEST_TEXT = 100_000;
const MOST_WORDS = 8;

/** What InnoDB leaves out of every full-text index; asking for one of them would find nothing at all. */
const unindexed = new Set(
  (
    'a about an are as at be by com de en for from how i in is it la of on or that the this to was what when where ' +
    'who will with und the www'
  ).split(' '),
);

/** Words as both engines see them: no case, no diacritics, nothing but letters and digits. */
function wordsOf(text: string): string[] {
  const folded = text.normalize('NFKD').replace(/\p{M}/gu, '').normalize('NFC').toLowerCase();
  return folded.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
}

export const foldText = (...texts: string[]): string =>
  wordsOf(texts.join(' '))
    .map((word) => word.slice(0, LONGEST_WORD))
    .join(' ')
    .slice(0, LONGEST_TEXT);

/** More text for a ticket that has some already; the oldest stays when there is no room. */
export const appendText = (known: string, ...more: string[]): string =>
  `${known} ${foldText(...more)}`.trim().slice(0, LONGEST_TEXT);

export interface Wanted {
  /** Prefixes, all of which must be found; empty when nothing in the question can be looked up. */
  words: string[];
  /** The question is a ticket's number: `42`, `#42`. */
  number: number | null;
}

export function parseSearch(question: string): Wanted {
  const number = /^\s*#?(\d{1,15})\s*$/.exec(question)?.[1];
  const words = wordsOf(question)
    .filter((word) => word.length >= SHORTEST_WORD && !unindexed.has(word))
    .map((word) => word.slice(0, LONGEST_WORD));
  return { words: [...new Set(words)].slice(0, MOST_WORDS), number: number ? Number(number) : null };
}

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

/** Words as both engines see them: no case, no diacritics, nothing but letters and digits (ruling 3). */
function wordsOf(text: string): string[] {
  const folded = text.normalize('NFKD').replace(/\p{M}/gu, '').normalize('NFC').toLowerCase();
  return folded.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
}

/** What stands in a `search_text` column. */
export const foldText = (...texts: readonly string[]): string =>
  wordsOf(texts.join(' '))
    .map((word) => word.slice(0, LONGEST_WORD))
    .join(' ')
    .slice(0, LONGEST_TEXT);

/** More text for something that has some already; the oldest stays when there is no room. */
export const appendText = (known: string, ...more: readonly string[]): string =>
  `${known} ${foldText(...more)}`.trim().slice(0, LONGEST_TEXT);

/** The beginnings of words that a question asks for, all of which must be found; none when nothing in it can be looked up. */
export function searchWords(question: string): string[] {
  const words = wordsOf(question)
    .filter((word) => word.length >= SHORTEST_WORD && !unindexed.has(word))
    .map((word) => word.slice(0, LONGEST_WORD));
  return [...new Set(words)].slice(0, MOST_WORDS);
}

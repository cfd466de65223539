const LONGEST = 60;
const MOST_OF_A_KEY = 40;
const MOST_OF_A_QUESTION = 6;

/** Words as they are searched for: no case, no accents, nothing but letters and digits. */
const wordsOf = (text: string): string[] => [
  ...new Set(
    text
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .filter((word) => word !== '')
      .map((word) => word.slice(0, LONGEST)),
  ),
];

/** What a key can be found by. */
export const wordsOfKey = (...texts: readonly string[]): string[] =>
  wordsOf(texts.join(' ')).slice(0, MOST_OF_A_KEY);

/** The beginnings of words that a question asks for, all of which must be found. */
export const askedWords = (question: string): string[] => wordsOf(question).slice(0, MOST_OF_A_QUESTION);

/** Behind every beginning there is none that sorts later. */
export const afterAll = (beginning: string): string => `${beginning}\u{10FFFF}`;

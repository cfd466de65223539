/** A key as one says it on the telephone. */
export interface SpelledGroup {
  /** Counted from 1, as people do. */
  number: number;
  symbols: string;
  /** One word a symbol. */
  words: string[];
}

export const spellingLanguages = ['en', 'fr'] as const;
export type SpellingLanguage = (typeof spellingLanguages)[number];

/** English: the alphabet of NATO and ICAO. French: the one that telephone operators use. */
const letters: Record<SpellingLanguage, string> = {
  en: 'Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa Quebec Romeo Sierra Tango Uniform Victor Whiskey X-ray Yankee Zulu',
  fr: 'Anatole Berthe Célestin Désiré Eugène François Gaston Henri Irma Joseph Kléber Louis Marcel Nicolas Oscar Pierre Quintal Raoul Suzanne Thérèse Ursule Victor William Xavier Yvonne Zoé',
};
const digits: Record<SpellingLanguage, string> = {
  en: 'zero one two three four five six seven eight nine',
  fr: 'zéro un deux trois quatre cinq six sept huit neuf',
};

const A = 'A'.charCodeAt(0);
const GROUP = 4;

export function spelled(symbols: string, language: SpellingLanguage): SpelledGroup[] {
  const groups = symbols.match(new RegExp(`.{1,${String(GROUP)}}`, 'g')) ?? [];
  return groups.map((group, at) => ({
    number: at + 1,
    symbols: group,
    words: Array.from(group, (symbol) => wordFor(symbol, language)),
  }));
}

export const spellingFor = (locale: string): SpellingLanguage => (locale.startsWith('fr') ? 'fr' : 'en');

function wordFor(symbol: string, language: SpellingLanguage): string {
  const word = /\d/.test(symbol)
    ? digits[language].split(' ')[Number(symbol)]
    : letters[language].split(' ')[symbol.charCodeAt(0) - A];
  return word ?? symbol;
}

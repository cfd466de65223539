import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInstance, type i18n as Instance } from 'i18next';
import type { Undo } from '../hooks/tokens.ts';
import { formatNumber } from './dates.ts';

export const LANGUAGES = ['en', 'fr'] as const;
export type Language = (typeof LANGUAGES)[number];
export type Texts = Record<string, string>;
export type TextParams = Record<string, unknown>;

const FALLBACK: Language = 'en';
const MOST_SAID = 5000;
const MOST_NEGOTIATED = 500;

interface Options {
  /** Holds `<language>/<namespace>.json`. */
  directory: string;
  /** Show `⟦key⟧` for what has no text, so that a person or a test sees it. Otherwise the bare key. */
  showMissing?: boolean;
}

/** Every word of the product. Keys are flat; `ns:key` asks one namespace, `key` all of them. */
export class I18n {
  readonly #instance: Instance = createInstance();
  readonly #namespaces: string[] = [];
  readonly #negotiated = new Map<string, Language | null>();
  /** What was said lately, by language, key and parameters. */
  readonly #said = new Map<string, string>();

  constructor({ directory, showMissing = false }: Options) {
    void this.#instance.init({
      initAsync: false,
      lng: FALLBACK,
      fallbackLng: FALLBACK,
      supportedLngs: [...LANGUAGES],
      resources: {},
      ns: this.#namespaces,
      defaultNS: 'common',
      fallbackNS: this.#namespaces,
      keySeparator: false,
      nsSeparator: ':',
      interpolation: { escapeValue: false },
      returnNull: false,
      parseMissingKeyHandler: (key: string) => (showMissing ? `⟦${key}⟧` : key),
    });
    for (const language of LANGUAGES) this.#load(join(directory, language), language);
  }

  /** The text in this language; `count` picks `_one` or `_other`. */
  translate(locale: string, key: string, params?: TextParams): string {
    const lng = languageOf(locale);
    const id = params ? `${lng} ${key} ${JSON.stringify(params)}` : `${lng} ${key}`;
    const known = this.#said.get(id);
    if (known !== undefined) return known;
    const text = this.#instance.t(key, { ...params, lng, ...(params && { replace: spelt(params, lng) }) });
    if (this.#said.size >= MOST_SAID) this.#said.clear();
    this.#said.set(id, text);
    return text;
  }

  has(locale: string, key: string, params: TextParams = {}): boolean {
    return this.#instance.exists(key, { ...params, lng: languageOf(locale) });
  }

  /** A plugin brings its words; undone, they are gone. */
  addNamespace(namespace: string, language: string, texts: Texts): Undo {
    this.#instance.addResourceBundle(language, namespace, typeset(texts, language), true, true);
    this.#said.clear();
    this.#know(namespace);
    return () => {
      this.#instance.removeResourceBundle(language, namespace);
      this.#said.clear();
    };
  }

  /** The language a browser asks for, of those we speak; null when it asks for none of them. */
  negotiate(acceptLanguage = ''): Language | null {
    const known = this.#negotiated.get(acceptLanguage);
    if (known !== undefined) return known;
    const language = wishes(acceptLanguage).find(isLanguage) ?? null;
    if (this.#negotiated.size >= MOST_NEGOTIATED) this.#negotiated.clear();
    this.#negotiated.set(acceptLanguage, language);
    return language;
  }

  #load(directory: string, language: Language): void {
    for (const file of readdirSync(directory).filter((name) => name.endsWith('.json'))) {
      const texts = JSON.parse(readFileSync(join(directory, file), 'utf8')) as Texts;
      this.addNamespace(file.slice(0, -'.json'.length), language, texts);
    }
  }

  /** i18next reads this very list at each look-up. */
  #know(namespace: string): void {
    if (!this.#namespaces.includes(namespace)) this.#namespaces.push(namespace);
  }
}

export const isLanguage = (text: string): text is Language => LANGUAGES.some((language) => language === text);

/** French sets a space before these signs, and no line begins with one. */
const typeset = (texts: Texts, language: string): Texts =>
  language !== 'fr'
    ? texts
    : Object.fromEntries(
        Object.entries(texts).map(([key, text]) => [
          key,
          text.replaceAll(/ (?=[:;?!»])/g, '\u00a0').replaceAll('« ', '«\u00a0'),
        ]),
      );

/** What is counted is written as the language writes numbers: `4,993`. Numbers that are names, such as a ticket's, stay as they are. */
const counted = new Set(['count', 'limit', 'total', 'left', 'free', 'used', 'wanted']);
const spelt = (params: TextParams, language: Language): TextParams =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      counted.has(name) && typeof value === 'number' ? formatNumber(value, language) : value,
    ]),
  );

/** `fr-CA` reads `fr`; what we do not speak reads English. */
export function languageOf(locale: string): Language {
  const language = locale.slice(0, 2).toLowerCase();
  return isLanguage(language) ? language : FALLBACK;
}

/** The languages of an Accept-Language header, dearest first. */
function wishes(header: string): string[] {
  return header
    .split(',')
    .map((part) => {
      const [tag = '', quality = 'q=1'] = part.split(';').map((word) => word.trim());
      return { language: tag.slice(0, 2).toLowerCase(), weight: Number(quality.replace(/^q=/, '')) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((one, other) => other.weight - one.weight)
    .map(({ language }) => language);
}

import { randomBytes } from 'node:crypto';
import Handlebars from 'handlebars';
import type { PageContext } from './page-context.ts';
import type { Renderer } from './renderer.ts';

interface Deps {
  renderer: Pick<Renderer, 'render'>;
  now: () => number;
}

type Texts = Readonly<Record<string, string>>;

/** A page in pieces: text, then the name of a value that goes between, then text … */
interface Kept {
  pieces: readonly string[];
  around: Surroundings;
  until: number;
}

/** "In two hours" may be this late. */
const KEPT_MS = 10_000;
const ofThePage = ['nonce', 'csrf', 'url', 'path'] as const;

/**
 * Pages that hundreds open in the same minute, rendered once. What a page is made of is its model, the very same object each time, and
 * the page around it; the few values that are new each time are rendered as marks and put in afterwards. So what is kept can never be
 * somebody else's, and goes when its model goes.
 */
export class KeptPages {
  readonly #deps: Deps;
  /** By language. */
  readonly #kept = new WeakMap<object, Map<string, Kept>>();
  readonly #mark = `q${randomBytes(8).toString('hex')}q`;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The page in UTF-8, a character for each byte: what is sent hundreds of times is encoded once (written as `latin1`). */
  render(template: string, model: object, page: PageContext, fresh: Texts): string {
    const around = surroundingsOf(template, page);
    const known = this.#kept.get(model)?.get(page.locale);
    if (known && known.until > this.#deps.now() && isSame(known.around, around))
      return filled(known.pieces, fresh, page);

    const marked = { ...model, ...this.#marksFor(Object.keys(fresh)) };
    const html = this.#deps.renderer.render(template, marked, { ...page, ...this.#marksFor(ofThePage) });
    const pieces = html.split(new RegExp(`${this.#mark}(\\w+)${this.#mark}`)).map(inBytes);
    if (saysItsAddress(pieces))
      return inBytes(this.#deps.renderer.render(template, { ...model, ...fresh }, page));
    this.#keep(model, page.locale, { pieces, around, until: this.#deps.now() + KEPT_MS });
    return filled(pieces, fresh, page);
  }

  #marksFor(names: readonly string[]): Record<string, string> {
    return Object.fromEntries(names.map((name) => [name, `${this.#mark}${name}${this.#mark}`]));
  }

  #keep(model: object, locale: string, kept: Kept): void {
    const pages = this.#kept.get(model) ?? new Map<string, Kept>();
    this.#kept.set(model, pages.set(locale, kept));
  }
}

export const inBytes = (text: string): string =>
  isPlain.test(text) ? text : Buffer.from(text).toString('latin1');

/* eslint-disable-next-line no-control-regex -- all of ASCII */
const isPlain = /^[\x00-\x7f]*$/;

/** All of the page but its model, its language and what is new each time. */
type Surroundings = readonly [...(string | boolean)[]];

const surroundingsOf = (template: string, page: PageContext): Surroundings => {
  const { origin, fragment, organisation, timeZone, theme, flash, menu } = page;
  const rest = flash === null && isEmpty(menu) ? '' : JSON.stringify([flash, menu]);
  const look = `${organisation.logo ?? ''} ${organisation.stylesheet ?? ''}`;
  return [template, origin, fragment, timeZone, theme, organisation.name, look, rest];
};

const isSame = (one: Surroundings, other: Surroundings): boolean =>
  one.every((value, at) => value === other[at]);

const isEmpty = ({ main, admin, account }: PageContext['menu']): boolean =>
  main.length + admin.length + account.length === 0;

/** An address may have been encoded on its way into the page, so it cannot be put in afterwards. */
const saysItsAddress = (pieces: readonly string[]): boolean =>
  pieces.some((piece, at) => at % 2 === 1 && (piece === 'url' || piece === 'path'));

function filled(pieces: readonly string[], fresh: Texts, { nonce, csrf }: PageContext): string {
  let page = pieces[0] ?? '';
  for (let at = 1; at < pieces.length; at += 2) {
    const name = pieces[at] ?? '';
    const value = name === 'nonce' ? nonce : name === 'csrf' ? csrf : (fresh[name] ?? '');
    page += inBytes(Handlebars.escapeExpression(value)) + (pieces[at + 1] ?? '');
  }
  return page;
}

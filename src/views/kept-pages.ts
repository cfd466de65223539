import { randomBytes } from 'node:crypto';
import Handlebars from 'handlebars';
import type { PageContext } from './page-context.ts';
import type { Renderer } from './renderer.ts';

interface Deps {
  renderer: Pick<Renderer, 'render'>;
  now: () => number;
}

/** A page in pieces: text, then the name of a value that goes between, then text … */
interface Kept {
  pieces: readonly string[];
  until: number;
}

/** "In two hours" may be this late. */
const KEPT_MS = 10_000;
const MOST_KEPT = 200;
const ofThePage = ['nonce', 'csrf', 'url', 'path'] as const;

/**
 * Pages that hundreds open in the same minute, rendered once. Everything the page is made of is the key, but for the few values that are
 * new each time: they are rendered as marks and put in afterwards. So what is kept can never be somebody else's, or out of date.
 */
export class KeptPages {
  readonly #deps: Deps;
  readonly #kept = new Map<string, Kept>();
  readonly #mark = `q${randomBytes(8).toString('hex')}q`;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** `fresh` names the texts in `model` that are new each time. */
  render(template: string, model: object, page: PageContext, fresh: readonly string[]): string {
    const lasting = without(model, fresh);
    const lastingPage = without(page, ofThePage);
    const key = JSON.stringify([template, lasting, lastingPage]);
    const values = valuesOf(model, page, fresh);
    const known = this.#kept.get(key);
    if (known && known.until > this.#deps.now()) return filled(known.pieces, values);

    const marked = { ...model, ...this.#marksFor(fresh) };
    const html = this.#deps.renderer.render(template, marked, { ...page, ...this.#marksFor(ofThePage) });
    const pieces = html.split(new RegExp(`${this.#mark}(\\w+)${this.#mark}`));
    if (saysItsAddress(pieces)) return this.#deps.renderer.render(template, model, page);
    this.#keep(key, pieces);
    return filled(pieces, values);
  }

  #marksFor(names: readonly string[]): Record<string, string> {
    return Object.fromEntries(names.map((name) => [name, `${this.#mark}${name}${this.#mark}`]));
  }

  #keep(key: string, pieces: readonly string[]): void {
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
    this.#kept.set(key, { pieces, until: this.#deps.now() + KEPT_MS });
  }
}

/** An address may have been encoded on its way into the page, so it cannot be put in afterwards. */
const saysItsAddress = (pieces: readonly string[]): boolean =>
  pieces.some((piece, at) => at % 2 === 1 && (piece === 'url' || piece === 'path'));

function filled(pieces: readonly string[], values: Readonly<Record<string, string>>): string {
  let html = '';
  for (const [at, piece] of pieces.entries()) {
    html += at % 2 === 0 ? piece : Handlebars.escapeExpression(values[piece] ?? '');
  }
  return html;
}

/** What JSON leaves out is `undefined`. */
function without(value: object, names: readonly string[]): object {
  const left: Record<string, unknown> = { ...value };
  for (const name of names) left[name] = undefined;
  return left;
}

function valuesOf(
  model: object,
  { nonce, csrf, url, path }: PageContext,
  fresh: readonly string[],
): Record<string, string> {
  const all = model as Record<string, unknown>;
  const values: Record<string, string> = { nonce, csrf, url, path };
  for (const name of fresh) values[name] = String(all[name]);
  return values;
}

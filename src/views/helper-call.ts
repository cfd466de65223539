import Handlebars from 'handlebars';
import type { AssetStore } from './assets.ts';
import type { I18n } from './i18n.ts';
import type { PageContext, ResolvedSlots } from './page-context.ts';

export interface HelperDeps {
  i18n: I18n;
  assets: Pick<AssetStore, 'url'>;
  now: () => number;
}

/** A call from a template: its arguments, its `name=value` pairs, and the page it stands on. */
export interface Call {
  args: unknown[];
  hash: Record<string, unknown>;
  page: PageContext;
  slots: ResolvedSlots;
}

export type Helper = (this: unknown, ...input: unknown[]) => unknown;

/** What Handlebars appends to the arguments. */
interface Options {
  name: string;
  hash: Record<string, unknown>;
  data: { page: PageContext; slots?: ResolvedSlots };
}

/**
 * Lets a helper be written as a function of one call. A bare `{{number}}` in a row that has a `number` means the row's,
 * though a helper is called so as well.
 */
export const helper = (answer: (call: Call) => unknown): Helper =>
  function (...input) {
    const { name, hash, data } = input.at(-1) as Options;
    const args = input.slice(0, -1);
    if (args.length === 0 && isRecord(this) && Object.hasOwn(this, name)) return this[name];
    return answer({ args, hash, page: data.page, slots: data.slots ?? {} });
  };

/** A string or number as text; anything else is nothing. */
export const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const escapeHtml = (value: unknown): string => Handlebars.escapeExpression(textOf(value));

/** HTML that the helper itself has escaped. */
export const safe = (html: string): Handlebars.SafeString => new Handlebars.SafeString(html);

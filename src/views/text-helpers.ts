import { formatCount, formatDistance, formatNumber, formatTime, instantOf, styleOr } from './dates.ts';
import {
  type Call,
  type Helper,
  type HelperDeps,
  escapeHtml,
  helper,
  isRecord,
  safe,
  textOf,
} from './helper-call.ts';
import type { TextParams } from './i18n.ts';
import { renderMarkdown } from './markdown.ts';

/** Words, times and numbers in the reader's language. */
export function textHelpers({ i18n, now }: Pick<HelperDeps, 'i18n' | 'now'>): Record<string, Helper> {
  const problem = (locale: string, code: string, params?: TextParams): string =>
    i18n.translate(locale, isError(locale, code, params) ? `errors.${code}` : code, params);
  /** A code with a namespace is a whole key: `plugins:flash.enabled` is no error, whatever other namespaces hold. */
  const isError = (locale: string, code: string, params?: TextParams): boolean =>
    !code.includes(':') && i18n.has(locale, `errors.${code}`, params);

  return {
    t: helper((call) => i18n.translate(call.page.locale, textOf(call.args[0]), paramsOf(call))),
    rich: helper((call) =>
      safe(rich(i18n.translate(call.page.locale, textOf(call.args[0]), marked(paramsOf(call))))),
    ),
    problem: helper((call) => problem(call.page.locale, textOf(call.args[0]), paramsOf(call))),
    'has-text': helper(({ args: [key], page }) => i18n.has(page.locale, textOf(key))),
    'error-for': helper(({ args: [problems, field], page }) => {
      const found = Array.isArray(problems)
        ? problems.filter(isRecord).find((one) => one.field === field)
        : undefined;
      return found
        ? problem(page.locale, textOf(found.code), isRecord(found.params) ? found.params : {})
        : '';
    }),
    time: helper((call) =>
      timeElement(call, (instant) =>
        formatTime(instant, { ...call.page, style: styleOr(call.hash.format, 'short') }),
      ),
    ),
    ago: helper((call) =>
      timeElement(call, (instant) => formatDistance(instant, { locale: call.page.locale, now: now() })),
    ),
    date: helper(({ args: [value], hash, page }) => {
      const instant = instantOf(value);
      return instant === null ? '' : formatTime(instant, { ...page, style: styleOr(hash.format, 'full') });
    }),
    'format-number': helper(({ args: [value], page }) => formatNumber(Number(value), page.locale)),
    'format-count': helper(({ args: [value], page }) => formatCount(Number(value), page.locale)),
    markdown: helper(({ args: [source] }) => safe(renderMarkdown(textOf(source)))),
    initials: helper(({ args: [name] }) => initials(textOf(name))),
    grouped: helper(({ args: [key] }) => safe(grouped(textOf(key)))),
    join: helper(({ args: [list, separator] }) =>
      Array.isArray(list) ? list.map(textOf).join(textOf(separator) || ', ') : '',
    ),
  };
}

function paramsOf({ args, hash }: Call): TextParams {
  return isRecord(args[1]) ? { ...args[1], ...hash } : hash;
}

/** What people typed cannot make words strong. */
function marked(params: TextParams): TextParams {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.replaceAll('*', '\u2217') : value,
    ]),
  );
}

/** `**word**` in a text of ours stands out; all else is escaped. */
const rich = (text: string): string => escapeHtml(text).replace(/\*\*(.+?)\*\*/g, '<strong>$1</strong>');

/** The exact moment is there for machines, and for whoever points at it. */
function timeElement({ args: [value], page }: Call, words: (instant: number) => string): unknown {
  const instant = instantOf(value);
  if (instant === null) return '';
  const iso = new Date(instant).toISOString();
  const exact = formatTime(instant, { ...page, style: 'full' });
  return safe(`<time datetime="${iso}" title="${escapeHtml(exact)}">${escapeHtml(words(instant))}</time>`);
}

const letters = new Intl.Segmenter();
const firstLetter = (word = ''): string =>
  letters.segment(word)[Symbol.iterator]().next().value?.segment ?? '';

function initials(name: string): string {
  const words = name.split(/[\s@._-]+/).filter(Boolean);
  const last = words.length > 1 ? words.at(-1) : '';
  return (firstLetter(words[0]) + firstLetter(last)).toUpperCase();
}

/** A key in groups of four that never break inside; the prefix stands alone. Copied, it has no spaces. */
function grouped(key: string): string {
  const [, prefix = '', symbols = ''] = /^([a-z]+_)?(.*)$/s.exec(key) ?? [];
  const groups = [prefix, ...(symbols.match(/.{1,4}/gs) ?? [])].filter(Boolean);
  return groups.map((group) => `<span class="key-group">${escapeHtml(group)}</span>`).join('<wbr>');
}

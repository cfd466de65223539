import { type Helper, type HelperDeps, escapeHtml, helper, isRecord, safe, textOf } from './helper-call.ts';
import { pagesOf } from './pager.ts';

/** Addresses, icons, forms and slots. */
export function pageHelpers({ assets }: Pick<HelperDeps, 'assets'>): Record<string, Helper> {
  const sprite = (): string => assets.url('icons.svg');

  return {
    asset: helper(({ args: [name] }) => assets.url(textOf(name))),
    icon: helper(({ args: [name], hash }) => safe(icon(sprite(), textOf(name), hash))),
    mark: helper(({ hash }) => safe(icon(assets.url('mark.svg'), 'mark', { class: 'latch', ...hash }))),
    csrf: helper(({ page }) => safe(`<input type="hidden" name="_csrf" value="${escapeHtml(page.csrf)}">`)),
    url: helper(({ args: [path], hash }) => address(textOf(path), hash)),
    'url-with': helper(({ page, hash }) => addressWith(page.url, hash)),
    pages: helper(({ args: [page] }) => (isRecord(page) ? pagesOf(page) : null)),
    slot: helper(({ args: [name, about], slots }) => safe(slots[slotKey(textOf(name), about)] ?? '')),
  };
}

function icon(sprite: string, name: string, hash: Record<string, unknown>): string {
  const classes = ['icon', textOf(hash.class)].filter(Boolean).join(' ');
  const label = textOf(hash.label);
  const says = label ? `role="img" aria-label="${escapeHtml(label)}"` : 'aria-hidden="true"';
  return `<svg class="${escapeHtml(classes)}" ${says}><use href="${sprite}#${escapeHtml(name)}"></use></svg>`;
}

/** A path with its query; what is empty is left out. */
function address(path: string, query: Record<string, unknown>): string {
  const words = Object.entries(query)
    .map(([name, value]): [string, string] => [name, textOf(value)])
    .filter(([, value]) => value !== '');
  return words.length > 0 ? `${path}?${new URLSearchParams(words).toString()}` : path;
}

/** The address of this very page with some words of its query changed: pages, tabs, sorting. */
function addressWith(current: string, changes: Record<string, unknown>): string {
  const { pathname, searchParams } = new URL(current, 'http://here');
  return address(pathname, { ...Object.fromEntries(searchParams), ...changes });
}

/** `{{slot "ticket.row" id}}` is one of many; an object beside the name is for the reader only. */
const slotKey = (name: string, about: unknown): string =>
  about === undefined || about === null || isRecord(about) ? name : `${name}#${textOf(about)}`;

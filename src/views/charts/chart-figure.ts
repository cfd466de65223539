import { escapeHtml } from '../helper-call.ts';

export interface Datum {
  label: string;
  value: number;
  /** `success`, `warning`, `danger`, `quiet`; otherwise the accent, or in a donut one colour each. */
  tone?: string;
}

export interface ChartOptions {
  title: string;
  description: string;
  /** Heads of the table behind: what, how many. */
  columns: [string, string];
  asTable: string;
  /** Said instead of a picture of zeros. */
  nothing: string;
  number: (value: number) => string;
}

const isEmpty = (items: Datum[]): boolean => items.every(({ value }) => value === 0);
const nothing = (options: ChartOptions): string =>
  `<p class="chart__none">${escapeHtml(options.nothing)}</p>`;

/** A picture with its title, and a table of the same behind it. */
export function figure(items: Datum[], options: ChartOptions, picture: string): string {
  const { title, columns: heads, asTable, number } = options;
  const caption = `<figcaption class="chart__title">${escapeHtml(title)}</figcaption>`;
  if (isEmpty(items)) return `<figure class="chart">${caption}${nothing(options)}</figure>`;
  const lines = items.map(
    ({ label, value }) => `<tr><th scope="row">${escapeHtml(label)}</th><td>${number(value)}</td></tr>`,
  );
  const [what, howMany] = heads.map(escapeHtml);
  return `<figure class="chart">${caption}${picture}<details class="chart__table"><summary>${escapeHtml(asTable)}</summary><table class="table table-sm"><thead><tr><th scope="col">${what ?? ''}</th><th scope="col">${howMany ?? ''}</th></tr></thead><tbody>${lines.join('')}</tbody></table></details></figure>`;
}

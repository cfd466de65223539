import { escapeHtml } from './helper-call.ts';

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

const HEIGHT = 180;
const FLOOR = 150;
const TOP = 12;
const GROUND_LINE = `<line class="chart__floor" x1="0" x2="100%" y1="${String(FLOOR)}" y2="${String(FLOOR)}"></line>`;

const percent = (value: number): string => `${String(Math.round(value * 100) / 100)}%`;
const top = (items: Datum[]): number => Math.max(1, ...items.map(({ value }) => value));
const yOf = (value: number, most: number): number => Math.round(FLOOR - ((FLOOR - TOP) * value) / most);
const toneOf = (tone: string | undefined, otherwise: string): string =>
  `chart__mark chart__mark--${escapeHtml(tone ?? otherwise)}`;

/** Columns where the names fit under them, otherwise rows with the name above each. */
export const barsChart = (items: Datum[], options: ChartOptions): string =>
  figure(items, options, fitUnderColumns(items) ? columns(items, options) : rows(items, options));

/** About 50 letters stand side by side on a phone. */
const fitUnderColumns = (items: Datum[]): boolean =>
  items.length > 8 || items.every(({ label }) => label.length * items.length <= 50);

/** Widths are in percent and heights in pixels, so that letters keep their size on every screen. */
function columns(items: Datum[], options: ChartOptions): string {
  const most = top(items);
  const step = 100 / Math.max(1, items.length);
  const bars = items.map(({ label, value, tone }, at) => {
    const y = yOf(value, most);
    const middle = percent(step * (at + 0.5));
    return `<g><title>${escapeHtml(label)}: ${options.number(value)}</title>
      <rect class="${toneOf(tone, 'accent')}" x="${percent(step * (at + 0.2))}" width="${percent(step * 0.6)}" y="${String(y)}" height="${String(FLOOR - y)}" rx="3"></rect>
      <text class="chart__value" x="${middle}" y="${String(y - 4)}" text-anchor="middle">${value > 0 ? options.number(value) : ''}</text>
      ${tick(label, middle, at, items.length)}</g>`;
  });
  return frame(options, { height: HEIGHT, inside: GROUND_LINE + bars.join('') });
}

const ROW = 36;

function rows(items: Datum[], options: ChartOptions): string {
  const most = top(items);
  const bars = items.map(({ label, value, tone }, at) => {
    const y = at * ROW;
    return `<text class="chart__label" x="0" y="${String(y + 13)}">${escapeHtml(label)}</text>
      <text class="chart__value" x="100%" y="${String(y + 13)}" text-anchor="end">${options.number(value)}</text>
      <rect class="chart__track" x="0" width="100%" y="${String(y + 19)}" height="8" rx="4"></rect>
      <rect class="${toneOf(tone, 'accent')}" x="0" width="${percent((value * 100) / most)}" y="${String(y + 19)}" height="8" rx="4"></rect>`;
  });
  return frame(options, { height: items.length * ROW, inside: bars.join('') });
}

/** A line over time with its area; the first, middle and last are labelled. */
export function lineChart(items: Datum[], options: ChartOptions): string {
  const most = top(items);
  const x = (at: number): number => (items.length > 1 ? (at * 100) / (items.length - 1) : 50);
  const points = items.map(
    ({ value }, at) => `${String(Math.round(x(at) * 100) / 100)} ${String(yOf(value, most))}`,
  );
  const path = points.length > 0 ? `M${points.join('L')}` : '';
  const area = path && `${path}L100 ${String(FLOOR)}L0 ${String(FLOOR)}Z`;
  const drawn = `<svg viewBox="0 0 100 ${String(HEIGHT)}" preserveAspectRatio="none" width="100%" height="${String(HEIGHT)}">
      <path class="chart__area" d="${area}"></path><path class="chart__line" d="${path}" vector-effect="non-scaling-stroke"></path></svg>`;
  const ticks = items.map(({ label }, at) => tick(label, percent(x(at)), at, items.length)).join('');
  const inside = `${GROUND_LINE}${drawn}${highest(most, options)}${ticks}`;
  return figure(items, options, frame(options, { height: HEIGHT, inside }));
}

/** Shares of a whole, the whole in the middle, and words beside. */
export function donutChart(items: Datum[], options: ChartOptions): string {
  const total = items.reduce((sum, { value }) => sum + value, 0);
  let start = 0;
  const rings = items.map(({ label, value, tone }, at) => {
    const share = total > 0 ? (value * 100) / total : 0;
    const ring = `<circle class="${toneOf(tone, String((at % 6) + 1))} chart__ring" cx="60" cy="60" r="46" pathLength="100" stroke-dasharray="${String(Math.max(0, share - 0.6))} 100" stroke-dashoffset="${String(-start)}" transform="rotate(-90 60 60)"><title>${escapeHtml(label)}: ${options.number(value)}</title></circle>`;
    start += share;
    return share > 0 ? ring : '';
  });
  const legend = items.map(
    ({ label, value, tone }, at) =>
      `<li><svg class="chart__key" width="12" height="12" aria-hidden="true"><rect class="${toneOf(tone, String((at % 6) + 1))}" width="12" height="12" rx="3"></rect></svg> ${escapeHtml(label)} <span class="chart__amount">${options.number(value)}</span></li>`,
  );
  const picture = `<svg class="chart__donut" viewBox="0 0 120 120" width="120" height="120" role="img" aria-label="${escapeHtml(options.title)}"><circle class="chart__hole" cx="60" cy="60" r="46"></circle>${rings.join('')}<text class="chart__total" x="60" y="67" text-anchor="middle">${options.number(total)}</text></svg>`;
  return figure(
    items,
    options,
    `<div class="chart__beside">${picture}<ul class="chart__legend">${legend.join('')}</ul></div>`,
  );
}

/** How full an invitation is: joined, in progress, free. The words say the same. */
export function seatBar(seats: {
  used: number;
  pending: number;
  total: number | null;
  label: string;
}): string {
  const whole = Math.max(1, seats.total ?? seats.used + seats.pending + 1);
  const used = Math.min(100, (seats.used * 100) / whole);
  const pending = Math.min(100 - used, (seats.pending * 100) / whole);
  const nearlyFull = seats.total !== null && used + pending >= 80 ? ' seat-bar--nearly-full' : '';
  return `<svg class="seat-bar${nearlyFull}" width="100%" height="8" role="img" aria-label="${escapeHtml(seats.label)}"><rect class="seat-bar__free" width="100%" height="8" rx="4"></rect><rect class="seat-bar__pending" width="${percent(used + pending)}" height="8" rx="4"></rect><rect class="seat-bar__used" width="${percent(used)}" height="8" rx="4"></rect></svg>`;
}

function frame(
  { title, description }: ChartOptions,
  { height, inside }: { height: number; inside: string },
): string {
  const says = [title, description].filter(Boolean).join('. ');
  return `<svg class="chart__picture" width="100%" height="${String(height)}" role="img" aria-label="${escapeHtml(says)}">${inside}</svg>`;
}

const highest = (most: number, { number }: ChartOptions): string =>
  `<line class="chart__top" x1="0" x2="100%" y1="${String(TOP)}" y2="${String(TOP)}"></line><text class="chart__value" x="0" y="${String(TOP - 3)}">${number(most)}</text>`;

/** With many values only the first, the middle and the last are named; the table has them all. */
function tick(label: string, x: string, at: number, count: number): string {
  const named = count <= 8 || at === 0 || at === count - 1 || at === Math.floor((count - 1) / 2);
  if (!named) return '';
  const anchor = count <= 8 ? 'middle' : at === 0 ? 'start' : at === count - 1 ? 'end' : 'middle';
  return `<text class="chart__label" x="${x}" y="${String(FLOOR + 20)}" text-anchor="${anchor}">${escapeHtml(label)}</text>`;
}

const isEmpty = (items: Datum[]): boolean => items.every(({ value }) => value === 0);
const nothing = (options: ChartOptions): string =>
  `<p class="chart__none">${escapeHtml(options.nothing)}</p>`;

function figure(items: Datum[], options: ChartOptions, picture: string): string {
  const { title, columns: heads, asTable, number } = options;
  const lines = items.map(
    ({ label, value }) => `<tr><th scope="row">${escapeHtml(label)}</th><td>${number(value)}</td></tr>`,
  );
  const [what, howMany] = heads.map(escapeHtml);
  return `<figure class="chart"><figcaption class="chart__title">${escapeHtml(title)}</figcaption>${isEmpty(items) ? nothing(options) : picture}<details class="chart__table"><summary>${escapeHtml(asTable)}</summary><table class="table table-sm"><thead><tr><th scope="col">${what ?? ''}</th><th scope="col">${howMany ?? ''}</th></tr></thead><tbody>${lines.join('')}</tbody></table></details></figure>`;
}

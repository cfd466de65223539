import { escapeHtml } from '../helper-call.ts';
import { type ChartOptions, type Datum, figure } from './chart-figure.ts';
import { FLOOR, frame, GROUND_LINE, HEIGHT, percent, tick, toneOf, top, yOf } from './chart-frame.ts';

/** Columns where the names fit under them, otherwise rows with the name above each. */
export const barsChart = (items: Datum[], options: ChartOptions): string =>
  figure(items, options, fitUnderColumns(items) ? columns(items, options) : rows(items, options));

/** About 50 letters stand side by side on a phone; one or two columns would be walls. */
const fitUnderColumns = (items: Datum[]): boolean =>
  items.length > 8 || (items.length > 2 && items.every(({ label }) => label.length * items.length <= 50));

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

import { type ChartOptions, type Datum, figure } from './chart-figure.ts';
import { FLOOR, frame, GROUND_LINE, HEIGHT, percent, tick, TOP, top, yOf } from './chart-frame.ts';

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

const highest = (most: number, { number }: ChartOptions): string =>
  `<line class="chart__top" x1="0" x2="100%" y1="${String(TOP)}" y2="${String(TOP)}"></line><text class="chart__value" x="0" y="${String(TOP - 3)}">${number(most)}</text>`;

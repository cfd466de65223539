import { escapeHtml } from '../helper-call.ts';
import { type ChartOptions, type Datum, figure } from './chart-figure.ts';
import { toneOf } from './chart-frame.ts';

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
  const picture = `<svg class="chart__donut" viewBox="0 0 120 120" width="120" height="120" role="img" aria-label="${escapeHtml(options.title)}"><circle class="chart__hole" cx="60" cy="60" r="46"></circle>${rings.join('')}<text class="chart__total${options.number(total).length > 5 ? ' chart__total--long' : ''}" x="60" y="67" text-anchor="middle">${options.number(total)}</text></svg>`;
  return figure(
    items,
    options,
    `<div class="chart__beside">${picture}<ul class="chart__legend">${legend.join('')}</ul></div>`,
  );
}

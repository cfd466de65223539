import { barsChart } from './charts/bars-chart.ts';
import type { ChartOptions, Datum } from './charts/chart-figure.ts';
import { donutChart } from './charts/donut-chart.ts';
import { lineChart } from './charts/line-chart.ts';
import { seatBar } from './charts/seat-bar.ts';
import { formatNumber } from './dates.ts';
import { type Call, type Helper, type HelperDeps, helper, isRecord, safe, textOf } from './helper-call.ts';

/** `{{chart-bars items title=(t "…")}}`, items being `[{ label, value }]`. */
export function chartHelpers({ i18n }: Pick<HelperDeps, 'i18n'>): Record<string, Helper> {
  const options = ({ hash, page }: Call): ChartOptions => ({
    title: textOf(hash.title),
    description: textOf(hash.desc),
    columns: [textOf(hash.what), textOf(hash.count) || i18n.translate(page.locale, 'common:chart.count')],
    asTable: i18n.translate(page.locale, 'common:chart.as-table'),
    nothing: textOf(hash.nothing) || i18n.translate(page.locale, 'common:chart.nothing'),
    number: (value) => formatNumber(value, page.locale),
  });
  const chart = (draw: (items: Datum[], options: ChartOptions) => string): Helper =>
    helper((call) => safe(draw(dataOf(call.args[0]), options(call))));

  return {
    'chart-bars': chart(barsChart),
    'chart-line': chart(lineChart),
    'chart-donut': chart(donutChart),
    'seat-bar': helper(({ hash }) =>
      safe(
        seatBar({
          used: Number(hash.used ?? 0),
          pending: Number(hash.pending ?? 0),
          total: hash.total === null || hash.total === undefined ? null : Number(hash.total),
          label: textOf(hash.label),
        }),
      ),
    ),
  };
}

const dataOf = (value: unknown): Datum[] =>
  (Array.isArray(value) ? value : []).filter(isRecord).map(({ label, value: amount, tone }) => ({
    label: textOf(label),
    value: Number(amount),
    ...(typeof tone === 'string' ? { tone } : {}),
  }));

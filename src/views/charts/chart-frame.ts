import { escapeHtml } from '../helper-call.ts';
import type { ChartOptions, Datum } from './chart-figure.ts';

export const HEIGHT = 180;
export const FLOOR = 150;
export const TOP = 12;
export const GROUND_LINE = `<line class="chart__floor" x1="0" x2="100%" y1="${String(FLOOR)}" y2="${String(FLOOR)}"></line>`;

export const percent = (value: number): string => `${String(Math.round(value * 100) / 100)}%`;
export const top = (items: Datum[]): number => Math.max(1, ...items.map(({ value }) => value));
export const yOf = (value: number, most: number): number =>
  Math.round(FLOOR - ((FLOOR - TOP) * value) / most);
export const toneOf = (tone: string | undefined, otherwise: string): string =>
  `chart__mark chart__mark--${escapeHtml(tone ?? otherwise)}`;

export function frame(
  { title, description }: ChartOptions,
  { height, inside }: { height: number; inside: string },
): string {
  const says = [title, description].filter(Boolean).join('. ');
  return `<svg class="chart__picture" width="100%" height="${String(height)}" role="img" aria-label="${escapeHtml(says)}">${inside}</svg>`;
}

/** With many values only the first, the middle and the last are named; the table has them all. */
export function tick(label: string, x: string, at: number, count: number): string {
  const named = count <= 8 || at === 0 || at === count - 1 || at === Math.floor((count - 1) / 2);
  if (!named) return '';
  const anchor = count <= 8 ? 'middle' : at === 0 ? 'start' : at === count - 1 ? 'end' : 'middle';
  return `<text class="chart__label" x="${x}" y="${String(FLOOR + 20)}" text-anchor="${anchor}">${escapeHtml(label)}</text>`;
}

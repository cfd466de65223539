import { describe, expect, test } from 'vitest';
import { read } from './texts.ts';

type Rgb = [number, number, number];
type Side = 'light' | 'dark';

const declared = new Map(
  [...read('public/theme.css').matchAll(/(--[\w-]+):\s*([^;]+);/g)].map((match) => [
    match[1] ?? '',
    (match[2] ?? '').replace(/\s+/g, ' ').trim(),
  ]),
);

/** The colours as a browser works them out: variables, light-dark() and mixtures in sRGB. */
function colour(value: string, side: Side): Rgb {
  const variable = /^var\((--[\w-]+)\)$/.exec(value)?.[1];
  if (variable !== undefined) return colour(declared.get(variable) ?? '', side);
  const either = /^light-dark\(\s*(#\w+), (#\w+)\s*\)$/.exec(value);
  if (either) return colour((side === 'light' ? either[1] : either[2]) ?? '', side);
  const mix = /^color-mix\(in srgb, (.+) (\d+)%, (.+)\)$/.exec(value);
  if (mix) return blend(colour(mix[1] ?? '', side), colour(mix[3] ?? '', side), Number(mix[2]) / 100);
  const hex = /^#([0-9a-f]{6})$/i.exec(value)?.[1];
  if (hex === undefined) throw new Error(`Not a colour: ${value}`);
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)) as Rgb;
}

const blend = (one: Rgb, other: Rgb, share: number): Rgb =>
  one.map((part, at) => part * share + (other[at] ?? 0) * (1 - share)) as Rgb;

function luminance(rgb: Rgb): number {
  const [red = 0, green = 0, blue = 0] = rgb.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(front: string, ground: string, side: Side): number {
  const [lighter = 0, darker = 0] = [front, ground]
    .map((name) => luminance(colour(`var(--${name})`, side)))
    .sort((one, other) => other - one);
  return (lighter + 0.05) / (darker + 0.05);
}

const grounds = ['lk-ground', 'lk-surface', 'lk-raised'];
const tints = [
  'lk-accent-tint',
  'lk-danger-tint',
  'lk-warning-tint',
  'lk-success-tint',
  'lk-info-tint',
  'lk-quiet-tint',
];
const states = ['lk-accent', 'lk-danger', 'lk-warning', 'lk-success', 'lk-info', 'lk-quiet'];

const letters = [
  ...grounds.flatMap((ground) => ['lk-text', ...states].map((front) => [front, ground])),
  ...tints.map((tint) => ['lk-text', tint]),
  ...states.map((state) => [state, `${state}-tint`]),
  ...tints.map((tint) => ['lk-quiet', tint]),
  ['lk-on-accent', 'lk-accent'],
  ['lk-on-accent', 'tblr-primary-darken'],
  ['lk-on-state', 'lk-danger'],
  ['lk-on-state', 'tblr-danger-darken'],
  ['lk-on-state', 'lk-success'],
  ['lk-on-state', 'lk-warning'],
] as [string, string][];

const shapes = [
  ['lk-line-strong', 'lk-ground'],
  ['lk-line-strong', 'lk-surface'],
  ['lk-amber', 'lk-surface'],
  ['lk-accent', 'lk-accent-tint'],
] as [string, string][];

describe.each(['light', 'dark'] as const)('on a %s page', (side) => {
  test.each(letters)('%s can be read on %s', (front, ground) => {
    expect(contrast(front, ground, side)).toBeGreaterThanOrEqual(4.5);
  });

  test.each(shapes)('%s can be seen on %s', (front, ground) => {
    expect(contrast(front, ground, side)).toBeGreaterThanOrEqual(3);
  });
});

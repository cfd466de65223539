/** `#0e6f6b`. */
export type Hex = string;

/** What the accent is seen on, as letters and links: `--lk-ground` and `--lk-surface` of theme.css, by day and by night. */
const backgrounds = { light: ['#f7f8f7', '#ffffff'], dark: ['#10171a', '#182125'] } as const;
const letters = { light: '#ffffff', dark: '#0b1f1d' } as const;

/** WCAG 2, level AA, for text. */
export const LEAST_CONTRAST = 4.5;

/** How well an accent is read where it stands; the worst of the places counts. */
export const contrastOn = (accent: Hex, theme: 'light' | 'dark'): number =>
  Math.min(...backgrounds[theme].map((background) => contrast(accent, background)));

/** White or nearly black, whichever reads better on a button of this colour. */
export const lettersOn = (accent: Hex): Hex =>
  contrast(accent, letters.light) >= contrast(accent, letters.dark) ? letters.light : letters.dark;

/** The nearest shade of the same colour that can be read: darker by day, lighter by night. */
export function readable(accent: Hex, theme: 'light' | 'dark'): Hex {
  const towards = theme === 'light' ? 0 : 255;
  for (let step = 0; step <= 50; step += 1) {
    const shade = mixed(accent, towards, step / 50);
    if (contrastOn(shade, theme) >= LEAST_CONTRAST) return shade;
  }
  return theme === 'light' ? '#000000' : '#ffffff';
}

export function contrast(one: Hex, other: Hex): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: Hex): number {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const channels = (colour: Hex): number[] =>
  [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));

const mixed = (colour: Hex, towards: number, share: number): Hex =>
  `#${channels(colour)
    .map((value) =>
      Math.round(value + (towards - value) * share)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;

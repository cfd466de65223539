import { InvalidInputError } from '../shared/errors.ts';

const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `90m`, `12h`, `7d`, `2w` in milliseconds. @throws {InvalidInputError} `cli.duration` */
export function durationFrom(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,5})([mhdw])$/.exec(text.trim()) ?? [];
  const milliseconds = Number(amount) * (UNITS[unit] ?? 0);
  if (milliseconds <= 0) throw new InvalidInputError('cli.duration', { params: { duration: text } });
  return milliseconds;
}

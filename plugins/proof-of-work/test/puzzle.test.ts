import { describe, expect, test } from 'vitest';
import { isSolved, PARTS, solve } from '../src/puzzle.ts';

describe('a puzzle', () => {
  test('is solved by work, and by nothing else', () => {
    const answer = solve('1.abc.8.x.y', 8);

    expect(isSolved('1.abc.8.x.y', 8, answer)).toBe(true);
    expect(isSolved('1.abc.8.x.z', 8, answer)).toBe(false);
    expect(isSolved('1.abc.8.x.y', 30, answer)).toBe(false);
  });

  test.each([
    '',
    '0',
    'x'.repeat(100),
    Array(PARTS).fill('0').join('.'),
    Array(PARTS).fill('zzzzzzz').join('.'),
    Array(PARTS).fill('-1').join('.'),
    Array(PARTS + 1)
      .fill('0')
      .join('.'),
  ])('is not solved by %s', (answer) => {
    expect(isSolved('1.abc.8.x.y', 16, answer)).toBe(false);
  });
});

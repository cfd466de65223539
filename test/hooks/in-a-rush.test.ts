import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { defineFilter, Hooks, type HookFault } from '../../src/hooks/index.ts';
import { silentLog } from '../../src/log.ts';
import { testClock } from '../support/clock.ts';

const word = defineFilter<string>({
  name: 'test.word',
  summary: 'For the tests.',
  since: '0.1.0',
  failure: 'open',
  budgetMs: 2,
});
const A_CLASS = Array.from({ length: 60 }, (_, at) => String(at));

function startHooks({ deadlineMs = 1_000, isCrowded = (): boolean => false } = {}) {
  const clock = testClock();
  const faults: HookFault[] = [];
  const rests: string[] = [];
  const hooks = new Hooks({
    clock,
    log: silentLog(),
    onFault: (fault) => void faults.push(fault),
    deadlineMs,
    isCrowded,
  });
  hooks.whenRested(({ owner }) => void rests.push(owner));
  return { hooks, clock, faults, rests };
}

const ask = (hooks: Hooks, words: readonly string[]): Promise<string[]> =>
  Promise.all(words.map(async (one) => hooks.filter(word, one, {})));

describe('a listener in a rush', () => {
  test('that fails sixty people at the same moment has failed once: it rests, and is not ended for it', async () => {
    const { hooks, clock, rests } = startHooks();
    hooks.onFilter('broken', word, async () => {
      await sleep(5);
      throw new Error('not today');
    });

    await ask(hooks, A_CLASS);
    expect(rests).toEqual(['broken']);

    clock.advance(31_000);
    await ask(hooks, A_CLASS);
    expect(rests).toEqual(['broken', 'broken']);
  });

  test('that waits for the house is slow and at fault for nothing', async () => {
    const { hooks, faults } = startHooks();
    hooks.onFilter('roster', word, async (one) => {
      await sleep(120);
      return `${one}!`;
    });

    expect(await ask(hooks, A_CLASS)).toEqual(A_CLASS.map((one) => `${one}!`));
    expect(faults).toEqual([]);
  });

  test('that makes everybody wait while it computes is at fault', async () => {
    const { hooks, faults } = startHooks();
    hooks.onFilter('greedy', word, (one) => {
      const until = performance.now() + 120;
      while (performance.now() < until);
      return one;
    });

    await ask(hooks, ['once']);

    expect(faults.map(({ owner }) => owner)).toEqual(['greedy']);
  });

  test('has more time while people wait for the database, and not for ever', async () => {
    const { hooks, faults } = startHooks({ deadlineMs: 40, isCrowded: () => true });
    hooks.onFilter('roster', word, async (one) => {
      await sleep(150);
      return `${one}!`;
    });
    hooks.onFilter('hanging', word, () => new Promise(() => undefined));

    expect(await ask(hooks, ['one'])).toEqual(['one!']);
    expect(faults.map(({ owner }) => owner)).toEqual(['hanging']);
  });
});

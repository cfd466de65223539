import { beforeAll, describe, expect, test } from 'vitest';
import { coreHooks } from '../../src/core-hooks.ts';
import type { HookToken } from '../../src/hooks/index.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { liveAYear } from './a-year-in-the-house.ts';

/** One listener on every hook of core; they only listen. */
function listenEverywhere({ house: { ground } }: TestApp): Set<string> {
  const heard = new Set<string>();
  const { hooks } = ground;
  for (const { name } of Object.values(coreHooks)) {
    const note = (): void => void heard.add(name);
    const token: HookToken = tokenNamed(name);
    if (token.kind === 'filter')
      hooks.onFilter('watcher', token as typeof coreHooks.ticketDraft, note as never);
    if (token.kind === 'veto')
      hooks.onVeto('watcher', token as typeof coreHooks.ticketMaySolve, () => {
        note();
        return null;
      });
    if (token.kind === 'event') hooks.onEvent('watcher', token as typeof coreHooks.ticketCreated, note);
    if (token.kind === 'contribution')
      hooks.onContribution('watcher', token as typeof coreHooks.doctorChecks, () => {
        note();
        return null;
      });
  }
  return heard;
}

const tokenNamed = (name: string): HookToken => {
  const token = Object.values(coreHooks).find((one) => one.name === name);
  if (!token) throw new Error(`There is no hook ${name}`);
  return token;
};

describe('the catalogue of hooks', () => {
  let heard: Set<string>;
  let catalogue: ReturnType<TestApp['house']['ground']['hooks']['catalogue']>;

  beforeAll(async () => {
    const app = await startTestApp({ mail: true, work: false });
    heard = listenEverywhere(app);
    await liveAYear(app);
    catalogue = app.house.ground.hooks.catalogue();
  }, 120_000);

  test.for(Object.values(coreHooks).map(({ name }) => name))('%s is fired by the house itself', (name) => {
    expect(heard).toContain(name);
  });

  test('lists each with all that there is to know of it', () => {
    for (const { name, summary, since, failure, budgetMs, kind } of Object.values(coreHooks)) {
      expect(catalogue.find((entry) => entry.name === name)).toMatchObject({
        kind,
        since,
        failure,
        budgetMs,
        summary,
      });
      expect(summary).toMatch(/^[A-Z`].{10,}\.$/s);
      expect(budgetMs).toBeGreaterThan(0);
    }
  });

  test('charges none of those who only listened', () => {
    const faults = catalogue.flatMap(({ name, listeners }) =>
      listeners.filter((one) => one.faults > 0).map(({ owner }) => `${owner} at ${name}`),
    );

    expect(faults).toEqual([]);
  });
});

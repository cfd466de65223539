import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { holdBackground, JobScheduler } from '../../src/jobs/index.ts';
import { silentLog } from '../../src/log.ts';
import { afterwards } from '../support/cleanup.ts';
import { days, minutes, testClock, type TestClock } from '../support/clock.ts';
import { describeOnEachEngine, openDatabase, openFreshDatabase } from '../support/databases.ts';

function scheduler(db: Database, clock: TestClock): JobScheduler {
  const jobs = new JobScheduler({ db, clock, log: silentLog(), tickMs: 10 });
  afterwards(() => jobs.stop({ graceMs: 0 }));
  return jobs;
}

const aWhile = (): Promise<void> => sleep(150);

describeOnEachEngine('a job', (engine) => {
  test('runs every so often, once in the cluster', async () => {
    const { db, url } = await openFreshDatabase(engine);
    const clock = testClock();
    const nodes = [scheduler(db, clock), scheduler(openDatabase(url), clock)];
    let turns = 0;
    const run = (): Promise<void> => {
      turns += 1;
      return Promise.resolve();
    };
    for (const jobs of nodes) {
      jobs.every({ id: 'test.sweep', everyMs: minutes(10), run });
      jobs.start();
    }

    await aWhile();
    expect(turns).toBe(0);
    for (const expected of [1, 2, 3]) {
      clock.advance(minutes(10));
      await expect.poll(() => turns).toBe(expected);
    }

    await aWhile();
    expect(turns).toBe(3);
    expect(await nodes[0]?.list()).toMatchObject([{ id: 'test.sweep', runs: 3, failures: 0, isHere: true }]);
  });

  test('by the calendar leaves out the turns that it missed', async () => {
    const { db } = await openFreshDatabase(engine);
    const clock = testClock('2026-03-02T09:00:00Z');
    const daily = (turns: string[]): JobScheduler => {
      const jobs = scheduler(db, clock);
      const run = (): Promise<void> => {
        turns.push(new Date(clock.now()).toISOString());
        return Promise.resolve();
      };
      jobs.every({ id: 'test.digest', cron: '0 7 * * *', timeZone: 'Europe/Paris', run });
      jobs.start();
      return jobs;
    };
    const before: string[] = [];
    const first = daily(before);
    await expect.poll(() => first.list()).toHaveLength(1);
    await first.stop();

    clock.advance(days(3));
    const after: string[] = [];
    daily(after);
    await aWhile();
    expect(after).toEqual([]);

    clock.set('2026-03-06T06:00:00Z');
    await expect.poll(() => after).toEqual(['2026-03-06T06:00:00.000Z']);
    expect(before).toEqual([]);
  });

  test('that fails says why, and has its next turn all the same', async () => {
    const { db } = await openFreshDatabase(engine);
    const clock = testClock();
    const jobs = scheduler(db, clock);
    let turns = 0;
    const run = (): Promise<void> => {
      turns += 1;
      return turns === 1 ? Promise.reject(new Error('no room left')) : Promise.resolve();
    };
    jobs.every({ id: 'test.sweep', everyMs: minutes(10), run });
    jobs.start();
    await aWhile();

    clock.advance(minutes(10));
    await expect.poll(() => jobs.list()).toMatchObject([{ failures: 1, lastError: 'Error: no room left' }]);
    clock.advance(minutes(10));
    await expect.poll(() => jobs.list()).toMatchObject([{ runs: 2, failures: 0, lastError: null }]);
  });

  test('of a process that died is taken over when its lease has run out', async () => {
    const { db, url } = await openFreshDatabase(engine);
    const clock = testClock();
    const dead = scheduler(openDatabase(url), clock);
    dead.every({ id: 'test.sweep', everyMs: minutes(10), run: () => new Promise(() => undefined) });
    dead.start();
    await expect.poll(() => dead.list()).toHaveLength(1);
    clock.advance(minutes(10));
    await expect.poll(async () => (await dead.list())[0]?.startedAt).toBe(clock.now());

    const alive = scheduler(db, clock);
    let turns = 0;
    const run = (): Promise<void> => {
      turns += 1;
      return Promise.resolve();
    };
    alive.every({ id: 'test.sweep', everyMs: minutes(10), run });
    alive.start();
    await aWhile();
    expect(turns).toBe(0);

    clock.advance(minutes(20));
    await expect.poll(() => turns).toBe(1);
  });

  test('that takes longer than its pause is not begun a second time, not even by a node that has just come', async () => {
    const { db, url } = await openFreshDatabase(engine);
    const clock = testClock();
    let turns = 0;
    const start = (over: Database): void => {
      const jobs = scheduler(over, clock);
      const run = (): Promise<void> => {
        turns += 1;
        return new Promise(() => undefined);
      };
      jobs.every({ id: 'test.slow', everyMs: 20_000, run });
      jobs.start();
    };
    start(db);
    await aWhile();
    clock.advance(20_000);
    await expect.poll(() => turns).toBe(1);

    clock.advance(20_000);
    start(openDatabase(url));
    await aWhile();

    expect(turns).toBe(1);
  });

  test('is aborted when it is taken away', async () => {
    const { db } = await openFreshDatabase(engine);
    const clock = testClock();
    const jobs = scheduler(db, clock);
    let wasAborted = false;
    const undo = jobs.every({
      id: 'plugin.sync',
      everyMs: minutes(1),
      run: ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            wasAborted = true;
            resolve();
          });
        }),
    });
    jobs.start();
    await aWhile();
    clock.advance(minutes(1));
    await expect.poll(async () => (await jobs.list())[0]?.startedAt).toBe(clock.now());

    undo();

    expect(wasAborted).toBe(true);
    expect(await jobs.list()).toMatchObject([{ id: 'plugin.sync', isHere: false }]);
    jobs.every({ id: 'plugin.sync', everyMs: minutes(1), run: () => Promise.resolve() });
  });

  test('does not run while work in the background is held', async () => {
    const { db } = await openFreshDatabase(engine);
    const clock = testClock();
    const jobs = scheduler(db, clock);
    let turns = 0;
    const run = (): Promise<void> => {
      turns += 1;
      return Promise.resolve();
    };
    jobs.every({ id: 'test.sweep', everyMs: minutes(1), run });
    jobs.start();
    await aWhile();
    await db.transaction((tx) =>
      holdBackground(tx, { name: 'restore', reason: 'restored', since: clock.now() }),
    );

    clock.advance(minutes(5));
    await aWhile();

    expect(turns).toBe(0);
  });

  test('of every process runs in each', async () => {
    const { db, url } = await openFreshDatabase(engine);
    const clock = testClock();
    let turns = 0;
    const run = (): Promise<void> => {
      turns += 1;
      return Promise.resolve();
    };
    for (const over of [db, openDatabase(url)]) {
      const jobs = scheduler(over, clock);
      jobs.every({ id: 'test.cache', everyMs: minutes(1), runOn: 'every-process', run });
      jobs.start();
    }

    clock.advance(minutes(1));

    await expect.poll(() => turns).toBe(2);
  });
});

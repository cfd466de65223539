import { expect, test } from 'vitest';
import { JobScheduler, scheduleHousekeeping } from '../../src/jobs/index.ts';
import { silentLog } from '../../src/log.ts';
import { days, hours, testClock } from '../support/clock.ts';
import { describeOnEachEngine, openFreshDatabase } from '../support/databases.ts';
import { counted, eventWorld, renamed } from './event-support.ts';

describeOnEachEngine('housekeeping', (engine) => {
  test('throws away what was delivered a week ago, and nothing that still has to be', async () => {
    const { db, clock, hooks, dispatcher, tell, keepHouse } = await startHouse();
    hooks.onEvent('bell', counted, ({ n }, { once }) =>
      n === 1 ? once(() => Promise.resolve()) : undefined,
    );
    hooks.expectListener('plugin', 'test.counted');
    await tell(1);
    await dispatcher.drain();
    clock.advance(days(8));
    await tell(2);
    await dispatcher.drain();

    await keepHouse();

    const left = await db
      .knex<Record<string, unknown>>('event_delivery')
      .orderBy('position')
      .orderBy('consumer');
    expect(left.map(({ consumer, state }) => [consumer, state])).toEqual([
      ['plugin', 'waiting'],
      ['bell', 'done'],
      ['plugin', 'waiting'],
    ]);
    expect(await db.knex('event')).toHaveLength(2);
  });

  test('forgets events once nobody waits for them', async () => {
    const { db, clock, hooks, dispatcher, tell, keepHouse } = await startHouse();
    hooks.onEvent('bell', counted, (_, { once }) => once(() => Promise.resolve()));
    await tell(1);
    await dispatcher.drain();
    clock.advance(days(8));

    await keepHouse();

    for (const table of ['event', 'event_delivery', 'event_once']) expect(await db.knex(table)).toEqual([]);
  });

  test('lets go of what a plugin would have heard that was disabled, or that listens no more', async () => {
    const { db, clock, hooks, tell, keepHouse, dispatcher } = await startHouse();
    const forget = hooks.expectListener('gone', 'test.counted');
    const stop = hooks.onEvent('newer', counted, () => undefined);
    await tell(1);
    forget();
    stop();
    hooks.onEvent('newer', renamed, () => undefined);

    await keepHouse();
    expect(await dispatcher.stats()).toMatchObject({ waiting: 2 });
    clock.advance(hours(2));
    await keepHouse();
    expect(await dispatcher.stats()).toMatchObject({ waiting: 1 });
    clock.advance(days(1));
    await keepHouse();

    expect(await dispatcher.stats()).toMatchObject({ waiting: 0 });
    const left = await db.knex<Record<string, unknown>>('event_delivery');
    expect(left.map(({ state }) => state)).toEqual(['skipped', 'skipped']);
  });

  async function startHouse() {
    const { db } = await openFreshDatabase(engine);
    const clock = testClock();
    const world = eventWorld(db, { clock });
    const jobs = new JobScheduler({ db, clock, log: silentLog() });
    scheduleHousekeeping(jobs, { db, hooks: world.hooks, clock });
    return { db, clock, ...world, keepHouse: () => jobs.runNow('jobs.housekeeping') };
  }
});

import { expect, test } from 'vitest';
import { JobScheduler, scheduleHousekeeping } from '../../src/jobs/index.ts';
import { silentLog } from '../../src/log.ts';
import { days, hours, testClock } from '../support/clock.ts';
import { describeOnEachEngine, openFreshDatabase } from '../support/databases.ts';
import type { Database } from '../../src/db/database.ts';
import { defineEvent } from '../../src/hooks/index.ts';
import { counted, eventWorld, renamed, said } from './event-support.ts';

const forgotten = defineEvent<{ id: string; address: string }>({
  name: 'test.forgotten',
  summary: 'Somebody is to be forgotten.',
  since: '0.1.0',
  forgets: ({ id, address }) => [id, address],
});

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

  test('forgets whoever was forgotten, wherever they were named, once everybody has heard of it', async () => {
    const { db, hooks, dispatcher, keepHouse } = await startHouse();
    const heard: unknown[] = [];
    hooks.onEvent('bell', said, () => undefined);
    const deaf = hooks.expectListener('plugin', 'test.forgotten');
    const say = (words: string): Promise<void> =>
      db.transaction((tx) => hooks.emit(tx, said, { words }, { aggregate: 'words' }));
    await say('Kim_O"Neil@acme.test has an account');
    await say('01ARZ3NDEKTSV4RRFFQ69G5FAV was here');
    await say('kimxo"neil@acme.test is somebody else');
    await db.transaction((tx) =>
      hooks.emit(
        tx,
        forgotten,
        { id: '01ARZ3NDEKTSV4RRFFQ69G5FAV', address: 'kim_o"neil@acme.test' },
        { aggregate: 'user:kim' },
      ),
    );
    await dispatcher.drain();

    await keepHouse();
    const whileOneIsDeaf = await payloads(db);
    hooks.onEvent('plugin', forgotten, (whom) => void heard.push(whom));
    deaf();
    await dispatcher.drain();
    await keepHouse();

    expect(whileOneIsDeaf).toHaveLength(4);
    expect(heard).toHaveLength(1);
    expect(await payloads(db)).toEqual([JSON.stringify({ words: 'kimxo"neil@acme.test is somebody else' })]);
    expect(await db.knex('event_forgetting')).toEqual([]);
    expect(await db.knex('event_delivery')).toHaveLength(1);
  });

  const payloads = (db: Database): Promise<string[]> => db.knex('event').pluck('payload');

  async function startHouse() {
    const { db } = await openFreshDatabase(engine);
    const clock = testClock();
    const world = eventWorld(db, { clock });
    const jobs = new JobScheduler({ db, clock, log: silentLog() });
    scheduleHousekeeping(jobs, { db, hooks: world.hooks, clock });
    return { db, clock, ...world, keepHouse: () => jobs.runNow('jobs.housekeeping') };
  }
});

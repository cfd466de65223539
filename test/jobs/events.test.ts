import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import {
  listTroubled,
  reviveDelivery,
  skipDeliveries,
  holdBackground,
  releaseBackground,
} from '../../src/jobs/index.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { afterwards } from '../support/cleanup.ts';
import { minutes, testClock } from '../support/clock.ts';
import { describeOnEachEngine, openDatabase, openFreshDatabase } from '../support/databases.ts';
import { FATAL } from './dying-listener.ts';
import { counted, eventWorld, renamed, said } from './event-support.ts';

describeOnEachEngine('an event', (engine) => {
  test('is heard once by everybody who listens, after the commit', async () => {
    const { db } = await openFreshDatabase(engine);
    const { hooks, dispatcher, tell } = eventWorld(db);
    const heard: string[] = [];
    hooks.onEvent('bell', counted, ({ n }) => void heard.push(`bell ${String(n)}`));
    hooks.onEvent('plugin', counted, ({ n }) => void heard.push(`plugin ${String(n)}`));

    await tell(1);
    await dispatcher.drain();
    await dispatcher.drain();

    expect(heard.sort()).toEqual(['bell 1', 'plugin 1']);
  });

  test('that was rolled back is never heard', async () => {
    const { db } = await openFreshDatabase(engine);
    const { hooks, dispatcher } = eventWorld(db);
    const heard: number[] = [];
    hooks.onEvent('bell', counted, ({ n }) => void heard.push(n));

    const lost = db.transaction(async (tx) => {
      await hooks.emit(tx, counted, { n: 1 }, { aggregate: 'ticket:1' });
      throw new Error('changed my mind');
    });

    await expect(lost).rejects.toThrow('changed my mind');
    await dispatcher.drain();
    expect(heard).toEqual([]);
  });

  test('keeps no secret that somebody put into it', async () => {
    const { db } = await openFreshDatabase(engine);
    const { hooks } = eventWorld(db);
    hooks.onEvent('bell', said, () => undefined);

    const words = 'my key is lkinv_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN, "really"';
    await db.transaction((tx) => hooks.emit(tx, said, { words }, { aggregate: 'ticket:1' }));

    const row = await db.knex<{ payload: string }>('event').first();
    expect(JSON.parse(row?.payload ?? '')).toEqual({ words: 'my key is lkinv_[redacted], "really"' });
  });

  test('that fails comes again, and only later ones of the same ticket wait for it', async () => {
    const { db } = await openFreshDatabase(engine);
    const clock = testClock(Date.now());
    const { hooks, dispatcher, tell } = eventWorld(db, { clock });
    const heard: string[] = [];
    let isDown = true;
    hooks.onEvent('mailer', counted, ({ n }) => {
      if (isDown && n === 1) throw new Error('the mailer is down');
      heard.push(String(n));
    });
    await tell(1, 'ticket:1');
    await tell(2, 'ticket:1');
    await tell(3, 'ticket:2');

    await dispatcher.drain();
    expect(heard).toEqual(['3']);

    isDown = false;
    await dispatcher.drain();
    expect(heard).toEqual(['3']);

    clock.advance(minutes(1));
    await dispatcher.drain();
    expect(heard).toEqual(['3', '1', '2']);
  });

  test('keeps its place among other kinds of events of the same ticket', async () => {
    const { db } = await openFreshDatabase(engine);
    const { hooks, dispatcher } = eventWorld(db);
    const heard: string[] = [];
    hooks.onEvent('index', counted, async ({ n }) => {
      await sleep(20);
      heard.push(`counted ${String(n)}`);
    });
    hooks.onEvent('index', renamed, ({ n }) => void heard.push(`renamed ${String(n)}`));

    await db.transaction(async (tx) => {
      await hooks.emit(tx, counted, { n: 1 }, { aggregate: 'ticket:1' });
      await hooks.emit(tx, renamed, { n: 2 }, { aggregate: 'ticket:1' });
      await hooks.emit(tx, counted, { n: 3 }, { aggregate: 'ticket:1' });
    });
    await dispatcher.drain();

    expect(heard).toEqual(['counted 1', 'renamed 2', 'counted 3']);
  });

  test('that fails ten times is put aside for a person, who may have it tried again', async () => {
    const { db } = await openFreshDatabase(engine);
    const clock = testClock(Date.now());
    const { hooks, dispatcher, tell } = eventWorld(db, { clock });
    let isDown = true;
    const heard: number[] = [];
    hooks.onEvent('mailer', counted, ({ n }) => {
      if (isDown && n === 1) throw new Error('refused lkrst_ABCDEFGHJKMNPQRSTVWXYZ0123456789');
      heard.push(n);
    });
    await tell(1);
    await tell(2);

    for (let time = 0; time < 12; time += 1) {
      await dispatcher.drain();
      clock.advance(minutes(60));
    }

    const { items } = await listTroubled(db, { page: 1, perPage: 10 });
    expect(items).toMatchObject([{ consumer: 'mailer', state: 'dead', attempts: 10 }]);
    expect(items[0]?.lastError).toContain('refused');
    expect(items[0]?.lastError).not.toContain('ABCDEFGHJK');
    expect(heard).toEqual([2]);
    expect(await dispatcher.stats()).toMatchObject({ waiting: 0, dead: 1 });

    isDown = false;
    const { position, consumer } = items[0] ?? { position: 0, consumer: '' };
    await db.transaction((tx) => reviveDelivery(tx, { position, consumer, now: clock.now() }));
    await dispatcher.drain();
    expect(heard).toEqual([2, 1]);
  });

  test('does what must be done only once, once, though its listener fails later and it comes again', async () => {
    const { db } = await openFreshDatabase(engine);
    await db.execute('CREATE TABLE test_effect (n INTEGER NOT NULL)');
    const clock = testClock(Date.now());
    const { hooks, dispatcher, tell } = eventWorld(db, { clock });
    let times = 0;
    hooks.onEvent('biller', counted, async ({ n }, { once: doOnce }) => {
      await doOnce(async (tx) => {
        await tx.knex('test_effect').insert({ n });
      });
      times += 1;
      if (times < 3) throw new Error('and then it failed');
    });
    await tell(7);

    for (let time = 0; time < 4; time += 1) {
      await dispatcher.drain();
      clock.advance(minutes(5));
    }

    expect(times).toBe(3);
    expect(await db.knex('test_effect')).toEqual([{ n: 7 }]);
  });

  test('is taken from a listener that hangs, whose late effects do not count', async () => {
    const { db } = await openFreshDatabase(engine);
    await db.execute('CREATE TABLE test_effect (n INTEGER NOT NULL)');
    const clock = testClock(Date.now());
    const { hooks, dispatcher, tell } = eventWorld(db, { clock, limits: { deadlineMs: 50 } });
    const late: Promise<string>[] = [];
    let isFirst = true;
    hooks.onEvent('slow', counted, async ({ n }, delivery) => {
      const write = (): Promise<void> =>
        delivery.once(async (tx) => {
          await tx.knex('test_effect').insert({ n });
        });
      if (!isFirst) return write();
      isFirst = false;
      late.push(
        sleep(1_500)
          .then(write)
          .then(
            () => 'written',
            () => 'refused',
          ),
      );
      await new Promise(() => undefined);
    });
    await tell(1);

    await dispatcher.drain();
    clock.advance(minutes(1));
    await dispatcher.drain();

    expect(await Promise.all(late)).toEqual(['refused']);
    expect(await db.knex('test_effect')).toEqual([{ n: 1 }]);
  });

  test('belongs to who took it last: a process that slept through its lease can do nothing more with it', async () => {
    const { db, url } = await openFreshDatabase(engine);
    await db.execute('CREATE TABLE test_effect (n INTEGER NOT NULL)');
    const [clock, later] = [testClock(), testClock()];
    later.advance(minutes(2));
    const sleeper = eventWorld(db, { clock, limits: { deadlineMs: 60_000 } });
    const heir = eventWorld(openDatabase(url), { clock: later });
    const [asleep, awake] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    let outcome = '';
    sleeper.hooks.onEvent('biller', counted, async ({ n }, delivery) => {
      asleep.resolve(undefined);
      await awake.promise;
      const writing = delivery.once((tx) => tx.knex('test_effect').insert({ n }));
      outcome = await writing.then(
        () => 'written',
        (error: unknown) => String(error),
      );
    });
    await sleeper.tell(1);
    const sleeping = sleeper.dispatcher.drain();
    await asleep.promise;

    heir.hooks.onEvent('biller', counted, async () => {
      awake.resolve(undefined);
      await sleeping;
    });
    await heir.dispatcher.drain();

    expect(outcome).toContain('event.lease-lost');
    expect(await db.knex('test_effect')).toEqual([]);
  });

  test('waits for a plugin that is enabled and does not run here', async () => {
    const { db } = await openFreshDatabase(engine);
    const { hooks, dispatcher, tell } = eventWorld(db);
    hooks.expectListener('plugin', 'test.counted');
    const heard: number[] = [];
    await tell(1);
    await dispatcher.drain();

    hooks.onEvent('plugin', counted, ({ n }) => void heard.push(n));
    await dispatcher.drain();

    expect(heard).toEqual([1]);
  });

  test('is left out for a plugin that was disabled', async () => {
    const { db } = await openFreshDatabase(engine);
    const { hooks, dispatcher, tell } = eventWorld(db);
    const heard: number[] = [];
    hooks.onEvent('plugin', counted, ({ n }) => void heard.push(n));
    await tell(1);

    await db.transaction((tx) => skipDeliveries(tx, 'plugin'));
    await dispatcher.drain();

    expect(heard).toEqual([]);
    expect(await dispatcher.stats()).toMatchObject({ waiting: 0 });
  });

  test('is held after a restore until somebody releases it', async () => {
    const { db } = await openFreshDatabase(engine);
    const { hooks, dispatcher, tell } = eventWorld(db);
    const heard: number[] = [];
    hooks.onEvent('bell', counted, ({ n }) => void heard.push(n));
    await db.transaction((tx) => holdBackground(tx, { name: 'restore', reason: 'restored', since: 1 }));
    await tell(1);
    await dispatcher.drain();
    expect(heard).toEqual([]);

    await db.transaction((tx) => releaseBackground(tx, 'restore'));
    await dispatcher.drain();

    expect(heard).toEqual([1]);
  });

  test('is finished by a dispatcher that is asked to stop', async () => {
    const { db } = await openFreshDatabase(engine);
    const { hooks, dispatcher, tell } = eventWorld(db);
    const heard: number[] = [];
    const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
    hooks.onEvent('bell', counted, async ({ n }) => {
      begin(undefined);
      await sleep(100);
      heard.push(n);
    });
    dispatcher.start();
    await tell(1);

    await begun;
    await dispatcher.stop();

    expect(heard).toEqual([1]);
    expect(await dispatcher.stats()).toMatchObject({ waiting: 0 });
  });

  test('is not lost by kill -9 between commit and delivery', async () => {
    const { db, url } = await openFreshDatabase(engine);
    const writer = eventWorld(db);
    writer.hooks.onEvent('mailer', counted, () => undefined);
    for (let n = 1; n <= 5; n += 1) await writer.tell(n);

    const dying = spawn(process.execPath, [join(import.meta.dirname, 'dying-listener.ts'), url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    afterwards(() => void dying.kill('SIGKILL'));
    const told: string[] = [];
    for await (const line of createInterface({ input: dying.stdout })) {
      told.push(line);
      if (line === `told ${String(FATAL)}`) break;
    }
    dying.kill('SIGKILL');
    await once(dying, 'exit');
    expect(told).toEqual(['told 1', 'told 2', 'told 3']);

    // Two minutes later, by the clock of the survivor, the lease of the dead has run out.
    const survivor = eventWorld(db, { clock: { now: () => systemClock.now() + minutes(2) } });
    const heard: number[] = [];
    survivor.hooks.onEvent('mailer', counted, ({ n }) => void heard.push(n));
    await survivor.dispatcher.drain();
    expect(heard).toEqual([3, 4, 5]);
  });

  test(
    'of two thousand by eight writers is heard once and in order, by two dispatchers on one database',
    { timeout: 120_000 },
    async () => {
      const { db, url } = await openFreshDatabase(engine);
      const [tickets, writers, each] = [10, 8, 250];
      await prepareCounters(db, tickets);
      const [one, other] = [eventWorld(db), eventWorld(openDatabase(url))];
      const worlds = [one, other];
      const heard = new Map<string, number[]>();
      for (const { hooks } of worlds) {
        hooks.onEvent('index', counted, ({ n }, { eventId }) => {
          const ticket = String(n % tickets);
          heard.set(ticket, [...(heard.get(ticket) ?? []), Math.floor(n / tickets)]);
          expect(eventId).toHaveLength(26);
        });
      }

      for (const { dispatcher } of worlds) dispatcher.start();
      await Promise.all(
        Array.from({ length: writers }, async (_, writer) => {
          const { hooks } = writer % 2 === 0 ? one : other;
          for (let time = 0; time < each; time += 1)
            await countUp(db, hooks, (writer + time) % tickets, tickets);
        }),
      );
      await expect
        .poll(async () => (await one.dispatcher.stats()).waiting, { timeout: 100_000, interval: 200 })
        .toBe(0);
      for (const { dispatcher } of worlds) await dispatcher.stop();

      const perTicket = (writers * each) / tickets;
      const expected = Array.from({ length: perTicket }, (_, at) => at + 1);
      expect([...heard.values()]).toEqual(Array.from({ length: tickets }, () => expected));
    },
  );
});

async function prepareCounters(db: Database, tickets: number): Promise<void> {
  await db.execute('CREATE TABLE test_counter (id INTEGER NOT NULL PRIMARY KEY, n INTEGER NOT NULL)');
  await db.transaction((tx) =>
    tx.knex('test_counter').insert(Array.from({ length: tickets }, (_, id) => ({ id, n: 0 }))),
  );
}

/** A write as ours are: the guarded one first, which keeps the row until the commit. */
const countUp = (
  db: Database,
  hooks: ReturnType<typeof eventWorld>['hooks'],
  id: number,
  tickets: number,
): Promise<void> =>
  db.transaction(
    async (tx) => {
      await tx.knex('test_counter').where({ id }).increment('n', 1);
      const { n } = (await tx.knex('test_counter').where({ id }).first()) as { n: number };
      await hooks.emit(tx, counted, { n: n * tickets + id }, { aggregate: `ticket:${String(id)}` });
    },
    { attempts: 100, withinMs: 60_000 },
  );

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Database } from '../../src/db/database.ts';
import { pluginTransaction } from '../../src/plugin-host/plugin-transaction.ts';
import { afterwards } from '../support/cleanup.ts';
import { describeOnEachEngine, freshDatabase } from '../support/databases.ts';
import { lostTransaction } from '../support/lost-transaction.ts';

const DEADLINE_MS = 200;

describeOnEachEngine("a transaction of a plugin's own", (engine) => {
  const oneConnection = async (): Promise<Database> => {
    const db = Database.open((await freshDatabase(engine)).url, { poolSize: 1 });
    afterwards(() => db.close());
    return db;
  };

  test('may wait for a connection for longer than it may hold one', async () => {
    const db = await oneConnection();
    const someoneElse = db.transaction(() => sleep(2 * DEADLINE_MS));

    const waited = pluginTransaction(db, () => Promise.resolve('done'), {
      plugin: 'patient',
      deadlineMs: DEADLINE_MS,
    });

    await expect(waited).resolves.toBe('done');
    await someoneElse;
  });

  test('may not take longer by being run again', async () => {
    const db = await oneConnection();
    let runs = 0;

    const refused = pluginTransaction(
      db,
      async () => {
        runs += 1;
        await sleep(DEADLINE_MS * 0.6);
        throw lostTransaction(engine);
      },
      { plugin: 'slow', deadlineMs: DEADLINE_MS },
    );

    await expect(refused).rejects.toMatchObject({ code: 'plugin.transaction-too-long' });
    expect(runs).toBe(2);
  });

  test('is tried again in full when it was sacrificed after a long wait', async () => {
    const db = await oneConnection();
    const someoneElse = db.transaction(() => sleep(2 * DEADLINE_MS));
    let runs = 0;

    const done = db.transaction(
      () => {
        runs += 1;
        return runs === 1 ? Promise.reject(lostTransaction(engine)) : Promise.resolve('done');
      },
      { attempts: 3, withinMs: DEADLINE_MS },
    );

    await expect(done).resolves.toBe('done');
    await someoneElse;
  });
});

import { expect, test } from 'vitest';
import { describeOnEachEngine, openFreshDatabase } from '../support/databases.ts';

const WRITERS = 40;

describeOnEachEngine('a transaction', (engine) => {
  test('of each of forty writers at once is kept', async () => {
    const { db } = await openFreshDatabase(engine, { empty: true });
    await db.execute('CREATE TABLE counters (id INTEGER NOT NULL PRIMARY KEY, used INTEGER NOT NULL)');
    await db.transaction((tx) => tx.knex('counters').insert({ id: 1, used: 0 }));

    await Promise.all(
      Array.from({ length: WRITERS }, () =>
        db.transaction((tx) => tx.knex('counters').where({ id: 1 }).increment('used')),
      ),
    );

    expect(await db.knex('counters').first()).toEqual({ id: 1, used: WRITERS });
  });
});

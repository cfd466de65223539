import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Database, Tx } from '../../src/db/database.ts';
import { findRow, insertRows } from '../../src/db/statements.ts';
import { UnavailableError } from '../../src/shared/errors.ts';
import { describeOnEachEngine, openDatabase, openFreshDatabase } from '../support/databases.ts';
import { lostTransaction } from '../support/lost-transaction.ts';

const WRITERS = 40;

describeOnEachEngine('a transaction', (engine) => {
  let db: Database;
  let url: string;

  beforeEach(async () => {
    ({ db, url } = await openFreshDatabase(engine, { empty: true }));
    await db.execute(
      db.dialect.ddl(
        'CREATE TABLE seats (id {number} NOT NULL PRIMARY KEY, name VARCHAR(40) UNIQUE, used {number} NOT NULL)',
      ),
    );
    await db.transaction((tx) =>
      tx.knex('seats').insert([
        { id: 1, name: 'one', used: 0 },
        { id: 2, name: 'two', used: 0 },
      ]),
    );
  });

  const take = (tx: Tx, id: number): Promise<number> => tx.knex('seats').where({ id }).increment('used');
  const used = async (id: number): Promise<unknown> =>
    (await db.knex('seats').where({ id }).first('used')) as unknown;

  test('of each of forty writers at once is kept', async () => {
    await Promise.all(Array.from({ length: WRITERS }, () => db.transaction((tx) => take(tx, 1))));

    expect(await used(1)).toEqual({ used: WRITERS });
  });

  test('may ask something outside it, though as many are open as may be, and nobody waits for each other', async () => {
    const many = 10;
    let open = 0;

    const seen = await Promise.all(
      Array.from({ length: many }, () =>
        db.transaction(async (tx) => {
          if (db.dialect.name === 'mysql') {
            await tx.knex('seats').where({ id: 2 }).first('name');
            open += 1;
            while (open < many) await sleep(5);
          }
          return used(2);
        }),
      ),
    );

    expect(seen).toEqual(Array.from({ length: many }, () => ({ used: 0 })));
  });

  test('of each of forty writers is kept when they come through two processes’ pools', async () => {
    const other = openDatabase(url);

    await Promise.all(
      Array.from({ length: WRITERS }, (_, at) =>
        (at % 2 === 0 ? db : other).transaction((tx) => take(tx, 1)),
      ),
    );

    expect(await used(1)).toEqual({ used: WRITERS });
  });

  test('lets others read while it is open', async () => {
    const seen = await db.transaction(async (tx) => {
      await take(tx, 1);
      return used(1);
    });

    expect(seen).toEqual({ used: 0 });
    expect(await used(1)).toEqual({ used: 1 });
  });

  test('that throws leaves nothing behind', async () => {
    const refused = db.transaction(async (tx) => {
      await take(tx, 1);
      throw new Error('No');
    });

    await expect(refused).rejects.toThrow('No');
    expect(await used(1)).toEqual({ used: 0 });
  });

  test('tells its effects once everything is durable, in order', async () => {
    const told: unknown[] = [];

    await db.transaction(async (tx) => {
      tx.onCommit(async () => void told.push(await used(1)));
      tx.onCommit(() => void told.push('second'));
      await take(tx, 1);
      expect(told).toEqual([]);
    });

    expect(told).toEqual([{ used: 1 }, 'second']);
  });

  test('that is over takes no more, whichever way it is asked', async () => {
    const kept = await db.transaction(async (tx) => {
      await take(tx, 1);
      return { tx, begun: tx.knex('seats').where({ id: 1 }).increment('used') };
    });

    await expect(kept.begun).rejects.toThrow('over');
    await expect(take(kept.tx, 1)).rejects.toThrow('over');
    await expect(kept.tx.write('UPDATE seats SET used = 9')).rejects.toThrow('over');
    await expect(kept.tx.rows('SELECT * FROM seats')).rejects.toThrow('over');
    expect(await used(1)).toEqual({ used: 1 });
  });

  test('takes statements that are written out, beside those that are built', async () => {
    const name = 'it’s a `quoted` "name" \\ with ? in it';

    const seen = await db.transaction(async (tx) => {
      await insertRows(tx, 'seats', [
        { id: 3, name, used: 0 },
        { id: 4, name: null, used: 7 },
      ]);
      await insertRows(tx, 'seats', [{ id: 3, name: 'another', used: 0 }], { unless: ['id'] });
      const changed = await tx.write('UPDATE seats SET used = used + ? WHERE id >= ?', [2, 3]);
      return {
        changed,
        mine: await findRow(tx, 'seats', ['id', 'name', 'used'], { id: 3 }),
        others: await used(3),
      };
    });

    expect(seen).toEqual({ changed: 2, mine: { id: 3, name, used: 2 }, others: undefined });
    expect(await findRow(db, 'seats', ['seats.used'], { name: null, id: 4 })).toBeUndefined();
    expect(await db.rows('SELECT used FROM seats WHERE name IS NULL')).toEqual([{ used: 9 }]);
  });

  test('says what a counter came to, and nothing where no row was as it must be', async () => {
    const raise = (by: number, id: number): Promise<number | null> =>
      db.transaction((tx) =>
        tx.raise({ column: 'used', by }, (counting) => `UPDATE seats SET ${counting} WHERE id = ?`, [id]),
      );

    expect(await raise(1, 1)).toBe(1);
    expect(await raise(4, 1)).toBe(5);
    expect(await raise(1, 99)).toBeNull();
  });

  test('writes what is gathered before anything else is said, and at the end', async () => {
    const seen = await db.transaction(async (tx) => {
      tx.gather();
      await insertRows(tx, 'seats', [{ id: 10, name: 'a', used: 0 }]);
      await insertRows(tx, 'seats', [{ id: 11, name: 'b', used: 0 }]);
      const byRow = await findRow(tx, 'seats', ['name'], { id: 11 });
      await insertRows(tx, 'seats', [{ id: 12, name: 'c', used: 0 }]);
      const byBuilder = (await tx.knex('seats').where({ id: 12 }).first('name')) as unknown;
      await insertRows(tx, 'seats', [{ id: 13, name: 'd', used: 0 }]);
      return [byRow, byBuilder];
    });

    expect(seen).toEqual([{ name: 'b' }, { name: 'c' }]);
    expect(await findRow(db, 'seats', ['name'], { id: 13 })).toEqual({ name: 'd' });
  });

  test('of which one gathered row is refused leaves none of them', async () => {
    const failing = db.transaction(async (tx) => {
      tx.gather();
      await insertRows(tx, 'seats', [{ id: 20, name: 'a', used: 0 }]);
      await insertRows(tx, 'seats', [{ id: 20, name: 'b', used: 0 }]);
    });

    await expect(failing).rejects.toSatisfy((error) => db.dialect.isDuplicate(error));
    expect(await findRow(db, 'seats', ['name'], { id: 20 })).toBeUndefined();
  });

  test('that is refused half-way by a written statement leaves nothing behind', async () => {
    const refused = db.transaction(async (tx) => {
      await tx.write('UPDATE seats SET used = 5');
      await insertRows(tx, 'seats', [{ id: 9, name: 'one', used: 0 }]);
    });

    const error: unknown = await refused.catch((thrown: unknown) => thrown);
    expect(db.dialect.isDuplicate(error)).toBe(true);
    expect(await used(1)).toEqual({ used: 0 });
    await db.transaction((tx) => take(tx, 1));
    expect(await used(1)).toEqual({ used: 1 });
  });

  test('that is rolled back tells no effect', async () => {
    const told: string[] = [];

    const refused = db.transaction((tx) => {
      tx.onCommit(() => void told.push('committed'));
      return Promise.reject(new Error('No'));
    });

    await expect(refused).rejects.toThrow('No');
    expect(told).toEqual([]);
  });

  test('that the engine sacrifices is run again whole, and its effects are told once', async () => {
    const told: string[] = [];
    let runs = 0;

    await db.transaction(async (tx) => {
      runs += 1;
      tx.onCommit(() => void told.push('committed'));
      await take(tx, 1);
      if (runs === 1) throw lostTransaction(engine);
    });

    expect(runs).toBe(2);
    expect(told).toEqual(['committed']);
    expect(await used(1)).toEqual({ used: 1 });
    expect(db.retries).toBe(1);
  });

  test('that never gets its turn ends as a refusal that says when to try again', async () => {
    const refused = db.transaction(() => Promise.reject(lostTransaction(engine)), {
      attempts: 3,
      withinMs: 5_000,
    });

    await expect(refused).rejects.toThrow(UnavailableError);
    await expect(refused).rejects.toMatchObject({ code: 'database.busy', retryAfter: 2 });
    expect(db.retries).toBe(2);
  });

  test('knows a taken name from other mistakes', async () => {
    const insert = (row: object) =>
      db.transaction((tx) => tx.knex('seats').insert(row)).catch((error: unknown) => error);

    const taken = await insert({ id: 3, name: 'one', used: 0 });
    const takenId = await insert({ id: 1, name: 'three', used: 0 });
    const incomplete = await insert({ id: 3, name: 'three', used: null });

    expect([taken, takenId, incomplete].map((error) => db.dialect.isDuplicate(error))).toEqual([
      true,
      true,
      false,
    ]);
    expect([taken, takenId, incomplete].map((error) => db.dialect.isTransactionLost(error))).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('that waits inside does not stop the one behind it for ever', async () => {
    const slow = db.transaction(async (tx) => {
      await take(tx, 1);
      await sleep(100);
    });
    const quick = db.transaction((tx) => take(tx, 1));

    await Promise.all([slow, quick]);

    expect(await used(1)).toEqual({ used: 2 });
  });
});

describe('a transaction on SQLite', () => {
  test('waits outside for another process that is writing, without stopping this one', async () => {
    const { db, url } = await openFreshDatabase('sqlite', { empty: true });
    await db.execute('CREATE TABLE notes (id INTEGER PRIMARY KEY)');
    const other = openDatabase(url);
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks += 1;
    }, 10);

    const holding = other.transaction(async (tx) => {
      await tx.knex('notes').insert({ id: 1 });
      await sleep(400);
    });
    await sleep(50);
    let runs = 0;
    await db.transaction((tx) => {
      runs += 1;
      return tx.knex('notes').insert({ id: 2 });
    });
    await holding;
    clearInterval(ticking);

    expect(await db.knex('notes').pluck('id')).toEqual([1, 2]);
    expect(ticks).toBeGreaterThan(15);
    expect(runs).toBe(1);
  });

  test('whose COMMIT fails is a failure, and the next one works', async () => {
    const { db } = await openFreshDatabase('sqlite', { empty: true });
    await db.execute('CREATE TABLE parents (id INTEGER PRIMARY KEY)');
    await db.execute(
      'CREATE TABLE children (id INTEGER PRIMARY KEY, parent_id INTEGER NOT NULL REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)',
    );
    const told: string[] = [];

    const orphaned = db.transaction(async (tx) => {
      tx.onCommit(() => void told.push('committed'));
      await tx.knex('children').insert({ id: 1, parent_id: 7 });
    });

    await expect(orphaned).rejects.toThrow(/FOREIGN KEY/);
    expect(told).toEqual([]);
    await db.transaction((tx) => tx.knex('parents').insert({ id: 7 }));
    expect(await db.knex('children').pluck('id')).toEqual([]);
  });
});

describeOnEachEngine('a database that is closed', (engine) => {
  test('is no crowd, for a timer that asks it once more', async () => {
    const { url } = await openFreshDatabase(engine, { empty: true });
    const db = openDatabase(url);
    await db.execute('SELECT 1');
    const open = db.isCrowded;

    await db.close();

    expect([open, db.isCrowded]).toEqual([false, false]);
  });
});

describeOnEachEngine('two transactions that wait for each other', (engine) => {
  test('both succeed in the end', async () => {
    const { db } = await openFreshDatabase(engine, { empty: true });
    await db.execute('CREATE TABLE seats (id INTEGER NOT NULL PRIMARY KEY, used INTEGER NOT NULL)');
    await db.transaction((tx) =>
      tx.knex('seats').insert([
        { id: 1, used: 0 },
        { id: 2, used: 0 },
      ]),
    );
    const crossing = (first: number, second: number) =>
      db.transaction(async (tx) => {
        await tx.knex('seats').where({ id: first }).increment('used');
        await sleep(30);
        await tx.knex('seats').where({ id: second }).increment('used');
      });

    await Promise.all([crossing(1, 2), crossing(2, 1), crossing(1, 2), crossing(2, 1)]);

    expect(await db.knex('seats').pluck('used')).toEqual([4, 4]);
  });
});

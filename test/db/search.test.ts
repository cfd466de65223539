import { beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrations.ts';
import { describeOnEachEngine, openFreshDatabase } from '../support/databases.ts';

const letters = {
  name: '0001-letters',
  up: [
    'CREATE TABLE IF NOT EXISTS letters (number {number} NOT NULL PRIMARY KEY, search_text {text} NOT NULL)',
    { searchIndexOn: 'letters' },
  ],
  down: ['DROP TABLE IF EXISTS letters'],
};

describeOnEachEngine('a search', (engine) => {
  let db: Database;

  beforeEach(async () => {
    ({ db } = await openFreshDatabase(engine, { empty: true }));
    await migrate(db, 'post', [letters]);
    await write(1, 'the printer on the second floor prints nothing');
    await write(2, 'imprimante bloquee au deuxieme etage');
    await write(3, 'printing invoices takes an hour');
    await write(4, 'what is the wifi password');
  });

  const write = (number: number, text: string) =>
    db.transaction((tx) => tx.knex('letters').insert({ number, search_text: text }));

  async function search(...words: string[]): Promise<unknown[]> {
    const { sql, bindings } = db.dialect.search.condition('letters', words);
    return (await db.knex('letters').whereRaw(sql, bindings).orderBy('number').pluck('number')) as unknown[];
  }

  test('finds what begins with the word', async () => {
    expect(await search('print')).toEqual([1, 3]);
    expect(await search('imprim')).toEqual([2]);
  });

  test('of several words finds what has them all', async () => {
    expect(await search('print', 'floor')).toEqual([1]);
    expect(await search('print', 'etage')).toEqual([]);
  });

  test('finds nothing within words', async () => {
    expect(await search('rinter')).toEqual([]);
  });

  test('takes every word as it is, common ones too', async () => {
    expect(await search('what', 'the', 'wifi')).toEqual([4]);
    expect(await search('the')).toEqual([1, 4]);
  });

  test('takes operators for words', async () => {
    expect(await search('or')).toEqual([]);
    expect(await search('not')).toEqual([1]);
  });

  test('follows changes and deletions', async () => {
    await db.transaction((tx) =>
      tx.knex('letters').where({ number: 1 }).update({ search_text: 'the scanner jams' }),
    );
    await db.transaction((tx) => tx.knex('letters').where({ number: 3 }).delete());
    await write(3, 'the coffee machine leaks');

    expect(await search('print')).toEqual([]);
    expect(await search('invoices')).toEqual([]);
    expect(await search('scann')).toEqual([1]);
  });
});

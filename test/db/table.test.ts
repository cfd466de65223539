import { beforeEach, expect, test, describe } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { bytes, defineTable, flag, instant, json, nullable, oneOf, text, whole } from '../../src/db/table.ts';
import { describeOnEachEngine, openFreshDatabase } from '../support/databases.ts';

const parcels = defineTable('parcels', {
  id: text,
  label: text,
  sentAt: instant,
  weight: whole,
  isFragile: flag,
  seal: bytes,
  state: oneOf('packed', 'sent'),
  stamps: json<string[]>(),
  receivedAt: nullable(instant),
});

const parcel = {
  id: '01J00000000000000000000000',
  label: 'Ça va? 🎁 \'quotes" and \\ backslash',
  sentAt: Date.UTC(2026, 10, 21, 22, 15, 30, 123),
  weight: Number.MAX_SAFE_INTEGER,
  isFragile: true,
  seal: Buffer.from([0, 255, 39, 92, 10]),
  state: 'sent' as const,
  stamps: ['é', '"'],
  receivedAt: null,
};

describeOnEachEngine('a row', (engine) => {
  let db: Database;

  beforeEach(async () => {
    ({ db } = await openFreshDatabase(engine, { empty: true }));
    await db.execute(
      db.dialect.ddl(
        `CREATE TABLE parcels (id {id} NOT NULL PRIMARY KEY, label VARCHAR(200) NOT NULL, sent_at {instant} NOT NULL,
           weight {number} NOT NULL, is_fragile {flag} NOT NULL, seal {bytes} NOT NULL, state VARCHAR(10) NOT NULL,
           stamps {text} NOT NULL, received_at {instant})`,
      ),
    );
    await db.transaction((tx) => tx.knex('parcels').insert(parcels.encode(parcel)));
  });

  test('comes back as it was written', async () => {
    const [row] = await db.knex<Record<string, unknown>>('parcels');

    expect(parcels.decode(row!)).toEqual(parcel);
  });

  test('is found by its text exactly: case, accents and endings count', async () => {
    const found = async (label: string) => (await db.knex('parcels').where({ label })).length;

    expect(await found(parcel.label)).toBe(1);
    expect(await found(parcel.label.toLowerCase())).toBe(0);
    expect(await found(parcel.label.replace('Ç', 'C'))).toBe(0);
  });

  test('too long or with an impossible time is refused, not cut', async () => {
    const insert = (change: object) =>
      db.transaction((tx) => tx.knex('parcels').insert({ ...parcels.encode(parcel), id: 'x', ...change }));

    if (engine === 'mysql') await expect(insert({ label: 'x'.repeat(201) })).rejects.toThrow(/too long/i);
    await expect(insert({ sent_at: null })).rejects.toThrow();
  });
});

describe('a codec', () => {
  test('refuses what the database should not hold', () => {
    const row = parcels.encode(parcel);

    expect(() => parcels.decode({ ...row, weight: 'heavy' })).toThrow(TypeError);
    expect(() => parcels.decode({ ...row, weight: null })).toThrow(TypeError);
    expect(() => parcels.decode({ ...row, state: 'lost' })).toThrow(/packed \| sent/);
    expect(() => parcels.decode({ ...row, label: null })).toThrow(TypeError);
    expect(() => parcels.decode({ ...row, seal: 'text' })).toThrow(TypeError);
  });

  test('writes only the fields that are given', () => {
    expect(parcels.encode({ label: 'x', receivedAt: null })).toEqual({ label: 'x', received_at: null });
  });
});

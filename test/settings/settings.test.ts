import { expect, test } from 'vitest';
import { z } from 'zod';
import { AuditService } from '../../src/audit/index.ts';
import { KeyStore } from '../../src/crypto/key-store.ts';
import type { Database } from '../../src/db/database.ts';
import { nextNumber } from '../../src/db/sequences.ts';
import { Versions } from '../../src/db/versions.ts';
import {
  defineSetting,
  organisation,
  setupCompletedAt,
  SETTINGS_VERSION,
  SettingsService,
} from '../../src/settings/index.ts';
import { guest, system } from '../../src/shared/actor.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { bareDatabase } from '../crypto/bare-database.ts';
import { describeOnEachEngine, openDatabase } from '../support/databases.ts';

const password = defineSetting({ id: 'test.password', schema: z.string(), default: '', secret: true });

describeOnEachEngine('a setting', (engine) => {
  test('that nobody has said is what it is by default', async () => {
    const { db } = await bareDatabase(engine);

    expect(await (await serviceOver(db)).get(organisation)).toBe('Latchkey');
  });

  test('is there for the next who asks, and after a restart', async () => {
    const { db } = await bareDatabase(engine);
    const settings = await serviceOver(db);
    await settings.get(organisation);

    await db.transaction((tx) => settings.set(tx, system, organisation, 'Acme'));

    expect(await settings.get(organisation)).toBe('Acme');
    expect(await (await serviceOver(db)).get(organisation)).toBe('Acme');
  });

  test('changed in one process is seen by another within two seconds', async () => {
    const { db, url } = await bareDatabase(engine);
    const here = await serviceOver(db);
    const elsewhereDb = openDatabase(url);
    const elsewhere = await serviceOver(elsewhereDb);
    const versions = new Versions({ db: elsewhereDb, onError: () => undefined });
    versions.watch(SETTINGS_VERSION, () => {
      elsewhere.forget();
    });
    await versions.start();
    expect(await elsewhere.get(organisation)).toBe('Latchkey');

    await db.transaction((tx) => here.set(tx, system, organisation, 'Acme'));

    await expect.poll(() => elsewhere.get(organisation), { timeout: 2_000, interval: 50 }).toBe('Acme');
    await versions.stop();
  });

  test('that was rolled back is as before', async () => {
    const { db } = await bareDatabase(engine);
    const settings = await serviceOver(db);

    await expect(
      db.transaction(async (tx) => {
        await settings.set(tx, system, organisation, 'Acme');
        throw new Error('Never mind');
      }),
    ).rejects.toThrow('Never mind');

    expect(await settings.get(organisation)).toBe('Latchkey');
  });

  test('that is secret lies sealed in the database and nowhere in the audit log', async () => {
    const { db } = await bareDatabase(engine);
    const settings = await serviceOver(db);

    await db.transaction((tx) => settings.set(tx, system, password, 'hunter2-hunter2'));

    expect(await settings.get(password)).toBe('hunter2-hunter2');
    const rows = JSON.stringify([await db.knex('setting'), await db.knex('audit_entries')]);
    expect(rows).not.toContain('hunter2');
    expect(rows).toContain('test.password');
  });

  test('that no longer fits its schema counts as not said', async () => {
    const { db } = await bareDatabase(engine);
    const settings = await serviceOver(db);
    const asText = defineSetting({ id: 'test.limit', schema: z.string(), default: '' });
    await db.transaction((tx) => settings.set(tx, system, asText, 'plenty'));

    const asNumber = defineSetting({ id: 'test.limit', schema: z.number(), default: 7 });

    expect(await settings.get(asNumber)).toBe(7);
  });

  test('that is wrong is refused, and so is whoever may not', async () => {
    const { db } = await bareDatabase(engine);
    const settings = await serviceOver(db);

    await expect(db.transaction((tx) => settings.set(tx, system, organisation, ''))).rejects.toThrow(
      'setting.invalid',
    );
    const change = [{ token: organisation, value: 'Mine' }];
    await expect(settings.change(guest('en'), change)).rejects.toThrow('forbidden');
    expect(await settings.get(organisation)).toBe('Latchkey');
  });

  test('for once is written by exactly one of ten who try', async () => {
    const { db } = await bareDatabase(engine);
    const settings = await serviceOver(db);

    const tries = Array.from({ length: 10 }, (_, at) =>
      db.transaction((tx) => settings.setOnce(tx, system, setupCompletedAt, 1_000 + at)),
    );

    expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
  });
});

describeOnEachEngine('a number for people', (engine) => {
  test('is given to one only, whichever process asks, and begins at one', async () => {
    const { db, url } = await bareDatabase(engine);
    const elsewhere = openDatabase(url);
    expect(await nextNumber(db, 'test')).toBe(1);

    const asked = Array.from({ length: 60 }, (_, at) => nextNumber(at % 2 === 0 ? db : elsewhere, 'test'));

    expect(new Set(await Promise.all(asked)).size).toBe(60);
  });
});

async function serviceOver(db: Database): Promise<SettingsService> {
  const keys = await KeyStore.open({ db, key: 'a'.repeat(64), keyFile: '' });
  const audit = new AuditService({ db, clock: systemClock, node: 'test' });
  return new SettingsService({ db, clock: systemClock, audit, keys: await keys.ring('settings') });
}

import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createKeyFile, newMaster, parseMasters, replaceKeyFile } from '../../src/crypto/key-file.ts';
import type { Database } from '../../src/db/database.ts';
import { KeyStore } from '../../src/crypto/key-store.ts';
import { afterwards } from '../support/cleanup.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { bareDatabase } from './bare-database.ts';

const oldKey = 'a'.repeat(64);
const newKey = 'b'.repeat(64);

describeOnEachEngine('the key store', (engine) => {
  test('makes a key file at the first start that only its owner reads, and never again', async () => {
    const { db } = await bareDatabase(engine);
    const keyFile = await freshKeyFile();

    await KeyStore.open({ db, keyFile });
    const made = await readFile(keyFile, 'utf8');
    const again = await KeyStore.open({ db, keyFile });

    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    expect(await readFile(keyFile, 'utf8')).toBe(made);
    expect(again.lock).toBeNull();
  });

  test('opens after a restart what it sealed before, and finds what it digested', async () => {
    const { db } = await bareDatabase(engine);
    const ring = await (await KeyStore.open({ db, key: oldKey, keyFile: '' })).ring('invite');
    const sealed = ring.seal('the plaintext', 'row|1');
    const mac = ring.mac('invite|1', 'text');

    const later = await (await KeyStore.open({ db, key: oldKey, keyFile: '' })).ring('invite');

    expect(later.open(sealed, 'row|1')).toBe('the plaintext');
    expect(later.mac('invite|1', 'text')).toEqual(mac);
  });

  test('keeps purposes, rows and kinds of digest apart', async () => {
    const { db } = await bareDatabase(engine);
    const keys = await KeyStore.open({ db, key: oldKey, keyFile: '' });
    const invite = await keys.ring('invite');
    const mail = await keys.ring('mail');
    const sealed = invite.seal('secret', 'row|1');

    expect(() => mail.open(sealed, 'row|1')).toThrow('secret.unreadable');
    expect(() => invite.open(sealed, 'row|2')).toThrow('secret.unreadable');
    const spoilt = {
      ...sealed,
      ciphertext: Buffer.from(sealed.ciphertext.map((byte, at) => (at === 0 ? byte ^ 1 : byte))),
    };
    expect(() => invite.open(spoilt, 'row|1')).toThrow('secret.unreadable');
    expect(invite.mac('a', 'text').digest).not.toEqual(invite.mac('b', 'text').digest);
    expect(invite.mac('a', 'text').digest).not.toEqual(mail.mac('a', 'text').digest);
  });

  test('without its master is locked: it says so, answers nothing, and makes no new one', async () => {
    const { db } = await bareDatabase(engine);
    await (await KeyStore.open({ db, key: oldKey, keyFile: '' })).ring('invite');
    const keyFile = await freshKeyFile();

    const lost = await KeyStore.open({ db, keyFile });
    const wrong = await KeyStore.open({ db, key: newKey, keyFile: '' });

    expect(lost.lock).toMatchObject({ needs: [parseMasters(oldKey)[0]?.id], has: [] });
    expect(wrong.lock).toMatchObject({ has: [parseMasters(newKey)[0]?.id] });
    await expect(stat(keyFile)).rejects.toThrow('ENOENT');
    const ring = await wrong.ring('invite');
    for (const attempt of [() => ring.mac('a', 'b'), () => ring.macs('a', 'b'), () => ring.seal('a', 'b')]) {
      expect(attempt).toThrow('secret.locked');
    }
  });

  test('goes over to a new master and then no longer needs the old one', async () => {
    const { db } = await bareDatabase(engine);
    const sealed = (await (await KeyStore.open({ db, key: oldKey, keyFile: '' })).ring('invite')).seal(
      'kept',
      'row',
    );

    const both = await KeyStore.open({ db, key: `${newKey},${oldKey}`, keyFile: '' });
    expect(both.lock).toBeNull();
    expect(await both.rewrap()).toBe(2);
    const after = await KeyStore.open({ db, key: newKey, keyFile: '' });

    expect((await after.ring('invite')).open(sealed, 'row')).toBe('kept');
    expect((await KeyStore.open({ db, key: oldKey, keyFile: '' })).lock).not.toBeNull();
  });

  test('with a renewed key still finds and opens what is older, and digests with the new one', async () => {
    const { db } = await bareDatabase(engine);
    const keys = await KeyStore.open({ db, key: oldKey, keyFile: '' });
    const elsewhere = await KeyStore.open({ db, key: oldKey, keyFile: '' });
    const ring = await keys.ring('invite');
    const ringElsewhere = await elsewhere.ring('invite');
    const [mac, sealed] = [ring.mac('a', 'text'), ring.seal('kept', 'row')];

    await keys.renew('invite');
    await elsewhere.reload();

    expect(ring.mac('a', 'text').keyId).toBe(2);
    expect(ring.macs('a', 'text').map(({ digest }) => digest)).toContainEqual(mac.digest);
    expect(ring.open(sealed, 'row')).toBe('kept');
    expect(ringElsewhere.open(ring.seal('new', 'row'), 'row')).toBe('new');
  });

  test('says which of five things is wrong, writes over nothing, and opens again once it is mended', async () => {
    const { db } = await bareDatabase(engine);
    const keyFile = await freshKeyFile();
    const sealed = (await (await KeyStore.open({ db, keyFile })).ring('invite')).seal('kept', 'row');
    const good = await readFile(keyFile, 'utf8');
    const reasonOf = async (): Promise<string | undefined> =>
      (await KeyStore.open({ db, keyFile })).lock?.reason;

    await rm(keyFile);
    expect(await reasonOf()).toBe('missing');
    await mkdir(keyFile);
    expect(await reasonOf()).toBe('unreadable');
    await rm(keyFile, { recursive: true });
    await writeFile(keyFile, good.slice(0, 20));
    expect(await reasonOf()).toBe('wrong-length');
    expect(await readFile(keyFile, 'utf8')).toBe(good.slice(0, 20));
    await writeFile(keyFile, `${newKey}\n`);
    expect(await reasonOf()).toBe('wrong-key');
    await writeFile(keyFile, good);
    const [row] = await db.knex('wrapped_key').where({ purpose: 'canary' });
    const whole = (row as { wrapped: Buffer }).wrapped;
    for (let at = 0; at < whole.length; at += 1) {
      const wrapped = Buffer.from(whole);
      wrapped.writeUInt8(wrapped.readUInt8(at) ^ 1, at);
      await setCanary(db, wrapped);
      expect(await reasonOf()).toBe('damaged');
    }
    await setCanary(db, whole);

    const mended = await KeyStore.open({ db, keyFile });
    expect((await mended.ring('invite')).open(sealed, 'row')).toBe('kept');
    expect((await mended.examine()).every(({ opens }) => opens)).toBe(true);
  });

  test('killed in the middle of a rotation opens everything, and goes on where it stood', async () => {
    const { db } = await bareDatabase(engine);
    const keyFile = await freshKeyFile();
    const before = await KeyStore.open({ db, keyFile });
    const running = await before.ring('invite');
    const sealed = running.seal('kept', 'row');
    const [old] = parseMasters(await readFile(keyFile, 'utf8'));
    const next = newMaster();

    // The new master is in the file, and nothing is wrapped by it yet.
    await replaceKeyFile(keyFile, old ? [next, old] : []);
    const killed = await KeyStore.open({ db, keyFile });
    expect((await killed.ring('invite')).open(sealed, 'row')).toBe('kept');
    // Half of the keys are.
    await killed.ring('mail');
    const half = await KeyStore.open({ db, keyFile });
    expect(new Set((await half.examine()).map(({ master }) => master)).size).toBe(2);

    expect(await half.rotate()).toMatchObject({ master: next.id });
    await before.reload();
    const after = await KeyStore.open({ db, keyFile });

    expect((await readFile(keyFile, 'utf8')).trim().split('\n')).toHaveLength(1);
    expect((await after.ring('invite')).open(sealed, 'row')).toBe('kept');
    expect(running.open(sealed, 'row')).toBe('kept');
    expect((await after.examine()).every(({ master }) => master === next.id)).toBe(true);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  });

  test('opened by ten processes at once has one set of keys', async () => {
    const { db } = await bareDatabase(engine);
    const keyFile = await freshKeyFile();
    const stores = await Promise.all(Array.from({ length: 10 }, () => KeyStore.open({ db, keyFile })));

    const rings = await Promise.all(stores.map((store) => store.ring('invite')));

    const digests = new Set(rings.map((ring) => ring.mac('a', 'text').digest.toString('hex')));
    expect(digests.size).toBe(1);
  });
});

describe('a master', () => {
  test('is 32 bytes, as hex or base64, alone or the first of several', () => {
    const hex = parseMasters('00'.repeat(32));
    const base64 = parseMasters(`${Buffer.alloc(32).toString('base64')}\n${newKey}`);

    expect(base64[0]?.id).toBe(hex[0]?.id);
    expect(base64).toHaveLength(2);
    expect(() => parseMasters('too short')).toThrow('32 bytes');
    expect(() => parseMasters('  ')).toThrow('empty');
  });

  test('made by two at once is the same one', async () => {
    const keyFile = await freshKeyFile();

    const [one, other] = await Promise.all([createKeyFile(keyFile), createKeyFile(keyFile)]);

    expect(one).toEqual(other);
    expect(one).toHaveLength(1);
  });
});

const setCanary = (db: Database, wrapped: Buffer): Promise<void> =>
  db.transaction(async (tx) => {
    await tx.knex('wrapped_key').where({ purpose: 'canary' }).update({ wrapped });
  });

async function freshKeyFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-key-'));
  afterwards(() => rm(folder, { recursive: true }));
  return join(folder, 'var', 'key');
}

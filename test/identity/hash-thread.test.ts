import argon2 from 'argon2';
import { describe, expect, test } from 'vitest';
import { HASH_COST, HashThread, PasswordGate } from '../../src/identity/index.ts';

describe('the hashing thread', () => {
  test('makes hashes that anybody can check, each with a salt of its own', async () => {
    const gate = new PasswordGate({ hashing: new HashThread() });

    const hashes = await Promise.all(
      Array.from({ length: 4 }, () => gate.hash('seven quiet otters', { lane: 'redeem' })),
    );

    expect(new Set(hashes).size).toBe(4);
    for (const hash of hashes) {
      expect(argon2.needsRehash(hash, HASH_COST)).toBe(false);
      expect(await argon2.verify(hash, 'seven quiet otters')).toBe(true);
    }
  });

  test('knows a right password from a wrong one, and one that nobody has', async () => {
    const gate = new PasswordGate({ hashing: new HashThread() });
    const hash = await gate.hash('seven quiet otters', { lane: 'sign-in' });

    expect(await gate.verify(hash, 'seven quiet otters')).toBe(true);
    expect(await gate.verify(hash, 'seven quiet Otters')).toBe(false);
    expect(await gate.verify(null, 'seven quiet otters')).toBe(false);
  });

  test('says so when a hash is none, and goes on', async () => {
    const thread = new HashThread();

    await expect(thread.verify('not a hash', 'seven quiet otters')).rejects.toThrow();
    expect(await thread.hash('seven quiet otters', HASH_COST)).toMatch(/^\$argon2id\$/);
  });
});

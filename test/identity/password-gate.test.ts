import { setTimeout as sleep } from 'node:timers/promises';
import argon2 from 'argon2';
import { describe, expect, test, vi } from 'vitest';
import { HASH_COST, PasswordGate } from '../../src/identity/index.ts';

const cheap = { memoryCost: 1024, timeCost: 2, parallelism: 1 };

/** Hashing that ends when the test says so, and remembers in which order it began. */
function heldHashes() {
  const begun: string[] = [];
  const endings: (() => void)[] = [];
  const spy = vi.spyOn(argon2, 'hash').mockImplementation((password) => {
    begun.push(String(password));
    return new Promise<never>((resolve) =>
      endings.push(() => {
        resolve('hash' as never);
      }),
    );
  });
  const endNext = async (): Promise<void> => {
    endings.shift()?.();
    await sleep(0);
  };
  return {
    begun,
    endNext,
    restore: () => {
      spy.mockRestore();
    },
  };
}

describe('the password gate', () => {
  test('knows a right password from a wrong one, and makes hashes with the parameters we mean', async () => {
    const gate = new PasswordGate();
    const hash = await gate.hash('seven quiet otters', { lane: 'sign-in' });

    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,(p=1,t=2|t=2,p=1)\$/);
    expect(await gate.verify(hash, 'seven quiet otters')).toBe(true);
    expect(await gate.verify(hash, 'seven quiet Otters')).toBe(false);
    expect(await gate.verify(hash, ' seven quiet otters')).toBe(false);
  });

  test('works as long for somebody who has no account, and then says no', async () => {
    const gate = new PasswordGate();
    const verify = vi.spyOn(argon2, 'verify');

    expect(await gate.verify(null, 'seven quiet otters')).toBe(false);

    expect(verify).toHaveBeenCalledOnce();
    expect(argon2.needsRehash(String(verify.mock.calls[0]?.[0]), HASH_COST)).toBe(false);
    verify.mockRestore();
  });

  test('wants a hash made again when the parameters have changed', async () => {
    const old = await new PasswordGate({ cost: cheap }).hash('seven quiet otters', { lane: 'sign-in' });

    expect(new PasswordGate().isOutdated(old)).toBe(true);
    expect(new PasswordGate({ cost: cheap }).isOutdated(old)).toBe(false);
  });

  test('hashes no more at once than there are processors, and lets the two lanes take turns', async () => {
    const held = heldHashes();
    const gate = new PasswordGate({ slots: 1 });
    const all = [
      gate.hash('r1', { lane: 'redeem' }),
      gate.hash('r2', { lane: 'redeem' }),
      gate.hash('r3', { lane: 'redeem' }),
      gate.hash('s1', { lane: 'sign-in' }),
      gate.hash('s2', { lane: 'sign-in' }),
    ];
    await sleep(0);
    expect(held.begun).toEqual(['r1']);

    for (let ended = 0; ended < all.length; ended += 1) await held.endNext();
    await Promise.all(all);

    expect(held.begun).toEqual(['r1', 's1', 'r2', 's2', 'r3']);
    held.restore();
  });

  test('lets three hundred wait who redeem a key, but no more than twenty who sign in', async () => {
    const held = heldHashes();
    const gate = new PasswordGate({ slots: 1 });
    const class300 = Array.from({ length: 300 }, (_, at) => gate.hash(`r${String(at)}`, { lane: 'redeem' }));
    const twenty = Array.from({ length: 20 }, (_, at) => gate.hash(`s${String(at)}`, { lane: 'sign-in' }));

    await expect(gate.hash('one too many', { lane: 'sign-in' })).rejects.toMatchObject({
      code: 'password.busy',
      retryAfter: 2,
    });
    expect(gate.waiting).toEqual({ redeem: 299, 'sign-in': 20 });

    for (let ended = 0; ended < 320; ended += 1) await held.endNext();
    await Promise.all([...class300, ...twenty]);
    held.restore();
  });

  test('does not keep anybody who signs in waiting for longer than two seconds', async () => {
    const held = heldHashes();
    const gate = new PasswordGate({ slots: 1, waitMs: 20 });
    const first = gate.hash('r1', { lane: 'redeem' });

    await expect(gate.hash('s1', { lane: 'sign-in' })).rejects.toMatchObject({ code: 'password.busy' });

    await held.endNext();
    await first;
    expect(held.begun).toEqual(['r1']);
    held.restore();
  });

  test('opens again after hashing went wrong', async () => {
    const gate = new PasswordGate({ slots: 1, cost: cheap });
    await expect(gate.verify('not a hash', 'x'.repeat(20))).rejects.toThrow();

    expect(await gate.hash('seven quiet otters', { lane: 'sign-in' })).toContain('$argon2id$');
  });
});

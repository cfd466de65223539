import { describe, expect, test } from 'vitest';
import { RateLimits } from '../../src/http/rate-limit.ts';

const limit = { name: 'check', points: 3, perSeconds: 60 };

describe('a limit', () => {
  test('lets three through and says to the fourth when to come back', async () => {
    const limits = new RateLimits();
    for (let time = 0; time < 3; time += 1) await limits.count(limit, 'somebody');

    const refused = limits.count(limit, 'somebody');

    await expect(refused).rejects.toMatchObject({ kind: 'too-many' });
    await refused.catch((error: unknown) => {
      expect((error as { retryAfter: number }).retryAfter).toBeGreaterThan(55);
    });
    await limits.count(limit, 'somebody else');
  });

  test('that is only looked at counts nothing', async () => {
    const limits = new RateLimits();

    for (let time = 0; time < 10; time += 1) await limits.check(limit, 'somebody');
    for (let time = 0; time < 3; time += 1) await limits.count(limit, 'somebody');

    await expect(limits.check(limit, 'somebody')).rejects.toMatchObject({ kind: 'too-many' });
  });

  test('is not passed by ten who try at once', async () => {
    const limits = new RateLimits();

    const tries = await Promise.allSettled(Array.from({ length: 10 }, () => limits.count(limit, 'somebody')));

    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });
});

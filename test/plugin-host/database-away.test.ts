import { describe, expect, test, vi } from 'vitest';
import { bumpVersion } from '../../src/db/versions.ts';
import { ActivationError } from '../../src/plugin-host/activation.ts';
import { TooLateError } from '../../src/plugin-host/in-time.ts';
import { PLUGINS_VERSION } from '../../src/plugin-host/index.ts';
import { Neighbours } from '../../src/plugin-host/neighbours.ts';
import { SecondTries } from '../../src/plugin-host/second-tries.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { UnavailableError } from '../../src/shared/errors.ts';
import { afterwards } from '../support/cleanup.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { emptyHouse, setupWith, startHost, writePlugin } from './start-host.ts';

describeOnEachEngine('a plugin that cannot start', (engine) => {
  const failingOnce = (error: string): string =>
    setupWith(`globalThis.starts = (globalThis.starts ?? 0) + 1;
      if (globalThis.starts === 1) throw ${error};`);
  const starts = globalThis as unknown as { starts?: number };

  test(
    'because the database is away for a moment starts by itself soon after',
    { timeout: 15_000 },
    async () => {
      delete starts.starts;
      const { db, places } = await emptyHouse(engine);
      const away = `Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT', fatal: true })`;
      await writePlugin(places.bundled, 'unlucky', {
        manifest: { default: 'enabled' },
        files: { 'index.ts': failingOnce(away) },
      });

      const { host } = await startHost({ db, places });

      expect(await host.list('en')).toMatchObject([{ id: 'unlucky', state: 'failed' }]);
      await vi.waitFor(
        async () => {
          expect(await host.list('en')).toMatchObject([{ id: 'unlucky', state: 'enabled', error: null }]);
        },
        { timeout: 10_000, interval: 100 },
      );
      expect(starts.starts).toBe(2);
    },
  );

  test('for a fault of its own is not tried again until somebody asks', { timeout: 15_000 }, async () => {
    delete starts.starts;
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.bundled, 'broken', {
      manifest: { default: 'enabled' },
      files: { 'index.ts': failingOnce(`new Error('No')`) },
    });

    const { host } = await startHost({ db, places });
    await host.converge();

    expect(await host.list('en')).toMatchObject([{ id: 'broken', state: 'failed', error: 'No' }]);
    expect(starts.starts).toBe(1);
  });
});

describeOnEachEngine('a server that could not look at what is wanted', (engine) => {
  test('follows soon after, though nothing has changed since', { timeout: 60_000 }, async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.added, 'hello');
    const { host, versions } = await startHost({ db, places });
    await versions.start({ everyMs: 20 });
    afterwards(() => versions.stop());
    await db.execute('ALTER TABLE plugin_release RENAME TO plugin_release_away');
    await db.transaction(async (tx) => {
      await tx
        .knex('plugin_state')
        .where({ id: 'hello' })
        .update({ desired: 'enabled', changed_at: Date.now() });
      await bumpVersion(tx, PLUGINS_VERSION);
    });
    await versions.look();
    await expect(host.converge()).rejects.toThrow();
    await db.execute('ALTER TABLE plugin_release_away RENAME TO plugin_release');

    await expect
      .poll(async () => (await host.find('hello', 'en')).state, { timeout: 40_000, interval: 100 })
      .toBe('enabled');
  });

  test('and was taken for gone by the others meanwhile is among them again', async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.added, 'hello');
    await startHost({ db, places, node: 'sleepy' });
    const sleepy = new Neighbours({ ground: { db, clock: systemClock }, node: 'sleepy' });
    expect(await sleepy.beat()).toBe(true);

    await db.transaction((tx) => tx.knex('plugin_node').delete());

    expect(await sleepy.beat()).toBe(false);
  });
});

describe('what was too slow to start', () => {
  test('is tried twice more, ever later, and then left until somebody asks', () => {
    vi.useFakeTimers();
    afterwards(() => void vi.useRealTimers());
    const asked = { askedForAt: 1 };
    let tried = 0;
    const tries = new SecondTries(() => {
      tried += 1;
      tries.failed('slow', new ActivationError('setup', new TooLateError(10_000)), asked);
      return Promise.resolve();
    });

    tries.failed('slow', new ActivationError('setup', new TooLateError(10_000)), asked);
    expect(tries.isGivenUp('slow', asked)).toBe(false);
    vi.advanceTimersByTime(2_000);
    expect(tried).toBe(1);
    vi.advanceTimersByTime(3_999);
    expect(tried).toBe(1);
    vi.advanceTimersByTime(1);
    expect(tried).toBe(2);
    vi.advanceTimersByTime(3_600_000);

    expect(tried).toBe(2);
    expect(tries.isGivenUp('slow', asked)).toBe(true);
    expect(tries.isGivenUp('slow', { askedForAt: 2 })).toBe(false);
  });

  test('because another server was at its tables for long is tried until that is done', () => {
    vi.useFakeTimers();
    afterwards(() => void vi.useRealTimers());
    const asked = { askedForAt: 1 };
    const taken = new ActivationError('migrate', new UnavailableError('migrations.lease-taken'));
    let tried = 0;
    const tries = new SecondTries(() => {
      tried += 1;
      tries.failed('patient', taken, asked);
      return Promise.resolve();
    });

    tries.failed('patient', taken, asked);
    vi.advanceTimersByTime(600_000);

    expect(tried).toBeGreaterThan(8);
    expect(tries.isGivenUp('patient', asked)).toBe(false);
    tries.stop();
  });
});

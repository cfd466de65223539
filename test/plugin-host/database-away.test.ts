import { expect, test, vi } from 'vitest';
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

import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { system } from '../../src/shared/actor.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { emptyHouse, setupWith, startHost, writePlugin, type RealRegistries } from './start-host.ts';

const enabledByDefault = { default: 'enabled' };
const pageAt = (path: string): string =>
  `host.routes([api.route({ method: 'get', path: '${path}', access: 'public', handler: () => api.text('hello') })]);`;

describeOnEachEngine('a plugin', (engine) => {
  test('that comes with the product and says so runs from the first start', async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.bundled, 'hello', {
      manifest: enabledByDefault,
      files: { 'index.ts': setupWith(pageAt('/p/hello')) },
    });

    const { host, registries } = await startHost({ db, places });

    expect(await host.list('en')).toMatchObject([
      { id: 'hello', desired: 'enabled', state: 'enabled', error: null },
    ]);
    expect(registries.routes.all().map(({ route }) => route.path)).toEqual(['/p/hello']);
  });

  test('that was put into the folder waits until somebody enables it', async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.added, 'guest', { manifest: enabledByDefault });

    const { host } = await startHost({ db, places });
    expect(await host.list('en')).toMatchObject([{ id: 'guest', desired: 'disabled', state: 'disabled' }]);

    expect(await host.enable(system, 'guest')).toMatchObject({ desired: 'enabled', state: 'enabled' });
  });

  test('whose main file somebody has changed runs as it lies there when it is enabled again', async () => {
    const { db, places } = await emptyHouse(engine);
    const answeringAt = (path: string): { files: Record<string, string> } => ({
      files: { 'index.ts': setupWith(pageAt(path)) },
    });
    await writePlugin(places.added, 'guest', answeringAt('/p/guest/before'));
    const { host, registries } = await startHost({ db, places });
    await host.enable(system, 'guest');
    await host.disable(system, 'guest');

    await writePlugin(places.added, 'guest', answeringAt('/p/guest/after'));
    await utimes(join(places.added, 'guest/index.ts'), new Date(), new Date(Date.now() + 1_000));
    await host.enable(system, 'guest');

    expect(registries.routes.all().map(({ route }) => route.path)).toEqual(['/p/guest/after']);
  });

  test('that is disabled leaves nothing behind, fifty times over', async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.bundled, 'busy', busyPlugin);
    const { host, registries } = await startHost({ db, places });
    const before = traces(registries);

    for (let time = 0; time < 50; time += 1) {
      expect(await host.enable(system, 'busy')).toMatchObject({ state: 'enabled', error: null });
      expect(registries.routes.all()).toHaveLength(1);
      await host.disable(system, 'busy');
    }

    expect(traces(registries)).toEqual(before);
    expect(registries.i18n.translate('en', 'busy:hello')).not.toBe('Hello');
  });

  test('that somebody else is asking right now is let finish before it goes', async () => {
    const { db, places } = await emptyHouse(engine);
    const slow = `host.routes([api.route({ method: 'get', path: '/p/slow', access: 'public',
      handler: async () => { await new Promise((resolve) => setTimeout(resolve, 150)); await host.settings.get('word'); return api.text('done'); } })]);`;
    await writePlugin(places.bundled, 'slow', {
      manifest: { ...enabledByDefault, settings: [{ name: 'word', type: 'string', default: 'x' }] },
      files: { 'index.ts': setupWith(slow) },
    });
    const { host, registries } = await startHost({ db, places });
    const [entry] = registries.routes.all();

    const answer = Promise.resolve(entry?.route.handler({} as never));
    await host.disable(system, 'slow');

    expect(await answer).toMatchObject({ text: 'done' });
    expect(registries.routes.all()).toEqual([]);
  });

  test('is told that its host is dead when it calls after being disabled', async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.bundled, 'ghost', {
      manifest: enabledByDefault,
      files: { 'index.ts': setupWith(`globalThis.ghostHost = host;`) },
    });
    const { host } = await startHost({ db, places });
    const { ghostHost } = globalThis as unknown as {
      ghostHost: { routes(r: unknown[]): void; audit: { record(): void }; signal: AbortSignal };
    };

    await host.disable(system, 'ghost');

    expect(ghostHost.signal.aborted).toBe(true);
    expect(() => {
      ghostHost.routes([]);
    }).toThrow('has been disabled');
    expect(() => {
      ghostHost.audit.record();
    }).toThrow('has been disabled');
  });

  test('that hears that it ends may still write down how far it came', async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.bundled, 'careful', {
      manifest: { ...enabledByDefault, settings: [{ name: 'word', type: 'string', default: 'x' }] },
      files: {
        'index.ts': setupWith(`host.onDispose(async () => {
          globalThis.lastWord = host.signal.aborted && (await host.transaction(async () => host.settings.get('word')));
        });`),
      },
    });
    const { host } = await startHost({ db, places });

    await host.disable(system, 'careful');

    expect(globalThis).toMatchObject({ lastWord: 'x' });
  });

  test('may hold a transaction for five seconds and no longer', { timeout: 15_000 }, async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.bundled, 'holder', {
      manifest: enabledByDefault,
      files: {
        'index.ts': setupWith(`globalThis.hold = () => host.transaction(async (tx) => {
          await tx.knex('state_version').insert({ name: 'held', version: 1 });
          await new Promise((resolve) => setTimeout(resolve, 7_000));
        });`),
      },
    });
    await startHost({ db, places });
    const { hold } = globalThis as unknown as { hold: () => Promise<void> };

    await expect(hold()).rejects.toThrow('plugin.transaction-too-long');

    expect(await db.knex('state_version').where({ name: 'held' })).toEqual([]);
  });
});

const busyPlugin = {
  manifest: {
    rights: [{ id: 'busy.look' }],
    menus: [{ at: 'main', label: 'menu', icon: 'bee', path: '/p/busy' }],
    settings: [{ name: 'word', type: 'string', secret: true }],
    slots: ['layout.footer'],
    jobs: [{ id: 'buzz', everyMs: 60_000 }],
    commands: ['busy buzz'],
    tablePrefix: 'busy_',
  },
  files: {
    'locales/en.json': JSON.stringify({ hello: 'Hello', menu: 'Busy' }),
    'views/page.hbs': '<p>busy</p>',
    'public/busy.js': 'export const busy = true;',
    'migrations/0001-bees.ts': `export const migration = { name: '0001-bees',
      up: ['CREATE TABLE IF NOT EXISTS busy_bee (id {id} NOT NULL PRIMARY KEY)'], down: ['DROP TABLE IF EXISTS busy_bee'] };`,
    'index.ts': setupWith(`
      const heard = api.defineEvent({ name: 'busy.buzzed', summary: '', since: '1.0.0' });
      const word = api.defineFilter({ name: 'busy.word', summary: '', since: '1.0.0', failure: 'open', budgetMs: 10 });
      const may = api.defineVeto({ name: 'busy.may', summary: '', since: '1.0.0', failure: 'open', budgetMs: 10 });
      host.on(heard, () => {});
      host.filter(word, (value) => value);
      host.veto(may, () => null);
      ${pageAt('/p/busy')}
      host.slot('layout.footer', 'busy/page', () => ({}));
      host.job('buzz', async () => {});
      host.command({ name: 'busy buzz', summary: 'Buzz', run: async () => {} });
      await host.transaction(async (tx) => { await tx.knex('busy_bee').insert({ id: api.newId() }); });
    `),
  },
};

const traces = (all: RealRegistries): unknown => ({
  hooks: all.hooks.catalogue().flatMap(({ listeners }) => listeners),
  routes: all.routes.all(),
  rights: all.rights.all(),
  menu: all.menu.visibleTo(system, '/'),
  hasTemplate: all.renderer.has('busy/page'),
  hasAsset: hasAsset(all.assets),
  settings: all.settingGroups.all(),
  commands: all.commands.all(),
  isJobFree: isJobFree(all.jobs),
});

function hasAsset(assets: RealRegistries['assets']): boolean {
  try {
    return assets.url('busy/busy.js') !== '';
  } catch {
    return false;
  }
}

/** A job of that name is taken only if there is none. */
function isJobFree(jobs: RealRegistries['jobs']): boolean {
  try {
    jobs.every({ id: 'busy.buzz', everyMs: 60_000, run: () => Promise.resolve() })();
    return true;
  } catch {
    return false;
  }
}

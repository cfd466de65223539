import { expect, test } from 'vitest';
import { system } from '../../src/shared/actor.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { emptyHouse, setupWith, startHost, writePlugin } from './start-host.ts';

const enabled = { default: 'enabled' };
const page = (path: string): string =>
  `host.routes([api.route({ method: 'get', path: '${path}', access: 'public', handler: () => api.text('hello') })]);`;

interface Fault {
  manifest?: Record<string, unknown>;
  files?: Record<string, string>;
  step: string;
  says: RegExp;
}

/** Every way in which a plugin can be no good. */
const faults: Record<string, Fault> = {
  'whose plugin.json is not JSON': { files: { 'plugin.json': '{ "id": ' }, step: 'manifest', says: /JSON/ },
  'whose plugin.json has a word we do not know': {
    manifest: { surprise: 1 },
    step: 'manifest',
    says: /surprise/,
  },
  'whose plugin.json names another id': {
    manifest: { id: 'other' },
    step: 'manifest',
    says: /its folder is|its id is other/,
  },
  'made for another Latchkey': {
    manifest: { engines: { latchkey: '^9.0.0' } },
    step: 'order',
    says: /\^9\.0\.0/,
  },
  'that requires what is not there': {
    manifest: { dependencies: { requires: { nowhere: '^1.0.0' } } },
    step: 'order',
    says: /nowhere/,
  },
  'that cannot be parsed': { files: { 'index.ts': 'export default {{{' }, step: 'import', says: /./ },
  'that throws when it is imported': {
    files: { 'index.ts': 'throw new Error("No luck");' },
    step: 'import',
    says: /No luck/,
  },
  'that never finishes being imported': {
    files: { 'index.ts': 'await new Promise((resolve) => setTimeout(resolve, 60_000).unref());' },
    step: 'import',
    says: /did not answer/,
  },
  'that exports something else': {
    files: { 'index.ts': 'export default 42;' },
    step: 'import',
    says: /definePlugin/,
  },
  'that throws when it is set up': {
    files: { 'index.ts': setupWith(`${page('/p/bad')} throw new Error('No luck');`) },
    step: 'setup',
    says: /No luck/,
  },
  'that hangs when it is set up': {
    files: { 'index.ts': setupWith(`${page('/p/bad')} await new Promise(() => {});`) },
    step: 'setup',
    says: /did not answer/,
  },
  'that answers where it has no claim': {
    files: { 'index.ts': setupWith(page('/tickets')) },
    step: 'setup',
    says: /answers at \/tickets: put that path under “claims”/,
  },
  'that opens a page by a right that nobody declares': {
    files: {
      'index.ts': setupWith(page('/p/bad').replace(/access: '[a-z-]+'/, "access: { right: 'bad.reed' }")),
    },
    step: 'setup',
    says: /GET \/p\/bad asks for the right “bad\.reed”/,
  },
  'that does not say who may open a page': {
    files: { 'index.ts': setupWith(page('/p/bad').replace(/access: '[a-z-]+',?/, '')) },
    step: 'setup',
    says: /GET \/p\/bad does not say who may call it/,
  },
  'that runs a job it has not declared': {
    files: { 'index.ts': setupWith(`host.job('secret', async () => {});`) },
    step: 'setup',
    says: /secret/,
  },
  'that fills a slot it has not declared': {
    files: { 'index.ts': setupWith(`host.slot('layout.footer', 'bad/x', () => ({}));`) },
    step: 'setup',
    says: /layout\.footer/,
  },
  'that reaches for people without asking': {
    files: { 'index.ts': setupWith(`await host.users.find('x');`) },
    step: 'setup',
    says: /permission "users"/,
  },
  'that makes a table under another name': {
    files: {
      'migrations/0001-grab.ts': `export const migration = { name: '0001-grab', up: ['CREATE TABLE users_copy (id {id})'], down: [] };`,
    },
    step: 'migrate',
    says: /users_copy/,
  },
  'whose migration writes to tables of others': {
    files: {
      'migrations/0001-clean.ts': `export const migration = { name: '0001-clean', up: ['DELETE FROM tickets'], down: [] };`,
    },
    step: 'migrate',
    says: /^migrations\/0001-clean\.ts: The table tickets does not begin with bad_/,
  },
  'whose migration cannot be read': {
    files: { 'migrations/0001-torn.ts': 'export const migration = {{{' },
    step: 'migrate',
    says: /^migrations\/0001-torn\.ts: /,
  },
  'whose schema is wrong': {
    files: {
      'migrations/0001-wrong.ts': `export const migration = { name: '0001-wrong', up: ['CREATE TABLE bad_fine (id {id})', 'CREATE TABLE bad_thing (('], down: [] };`,
    },
    step: 'migrate',
    says: /^migrations\/0001-wrong\.ts, step 2 of 2, CREATE TABLE bad_thing \(\(: .*(syntax|incomplete)/i,
  },
};

describeOnEachEngine('a plugin that is no good', (engine) => {
  for (const [name, { manifest = {}, files = {}, step, says }] of Object.entries(faults)) {
    test(`${name} is named, leaves nothing, and stops nobody else`, async () => {
      const { db, places } = await emptyHouse(engine);
      await writePlugin(places.bundled, 'bad', { manifest: { ...enabled, ...manifest }, files });
      await writePlugin(places.bundled, 'good', {
        manifest: enabled,
        files: { 'index.ts': setupWith(page('/p/good')) },
      });

      const { host, registries } = await startHost({ db, places, setupMs: 300 });
      if (step === 'manifest') await host.enable(system, 'bad');

      const [bad, good] = await host.list('en');
      expect(bad).toMatchObject({ id: 'bad', state: 'failed', step });
      expect(bad?.error).toMatch(says);
      expect(good).toMatchObject({ id: 'good', state: 'enabled' });
      expect(registries.routes.all().map(({ owner }) => owner)).toEqual(['good']);
    });
  }

  test('takes with it those who require it, and comes back with them once it is mended', async () => {
    const { db, places } = await emptyHouse(engine);
    const bad = { manifest: enabled, files: { 'index.ts': setupWith(`throw new Error('No luck');`) } };
    await writePlugin(places.bundled, 'base', bad);
    await writePlugin(places.bundled, 'upper', {
      manifest: { ...enabled, dependencies: { requires: { base: '*' } } },
    });
    const { host } = await startHost({ db, places });
    expect(await host.list('en')).toMatchObject([{ state: 'failed' }, { state: 'failed', error: /base/ }]);

    await writePlugin(places.bundled, 'base', { manifest: enabled });
    await host.enable(system, 'upper');

    expect(await host.list('en')).toMatchObject([{ state: 'enabled' }, { state: 'enabled' }]);
  });

  test('has its claim refused where another plugin answers already', async () => {
    const { db, places } = await emptyHouse(engine);
    const claiming = {
      manifest: { ...enabled, claims: ['/door'] },
      files: { 'index.ts': setupWith(page('/door')) },
    };
    await writePlugin(places.bundled, 'first', claiming);
    await writePlugin(places.bundled, 'second', {
      ...claiming,
      manifest: { ...enabled, claims: ['/door/side'] },
    });

    const { host, registries } = await startHost({ db, places });

    expect(await host.list('en')).toMatchObject([
      { state: 'enabled' },
      { state: 'failed', step: 'contribute' },
    ]);
    expect(registries.routes.all()).toHaveLength(1);
  });

  test('keeps what it guards closed while it is enabled and does not run', async () => {
    const { db, places } = await emptyHouse(engine);
    const may = {
      name: 'door.may-open',
      summary: '',
      since: '1.0.0',
      failure: 'closed',
      budgetMs: 50,
    } as const;
    const guard = `host.veto(api.defineVeto(${JSON.stringify(may)}), () => null);`;
    await writePlugin(places.bundled, 'guard', {
      manifest: enabled,
      files: { 'index.ts': setupWith(guard) },
    });
    const first = await startHost({ db, places });
    const token = { kind: 'veto', ...may } as const;
    await first.registries.hooks.veto(token, {});
    await first.host.stop();

    const { host, registries } = await startHost({ db, places, isSafeMode: true });

    await expect(registries.hooks.veto(token, {})).rejects.toMatchObject({
      code: 'hook.unavailable',
      params: { plugin: 'guard' },
    });
    await host.disable(system, 'guard');
    await registries.hooks.veto(token, {});
  });
});

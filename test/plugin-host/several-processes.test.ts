import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BootMarkers } from '../../src/plugin-host/index.ts';
import type { Trouble } from '../../src/plugin-host/plugin-news.ts';
import { cliActor, system } from '../../src/shared/actor.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { emptyHouse, setupWith, startHost, temporaryFolder, writePlugin } from './start-host.ts';

const enabled = { default: 'enabled' };

describeOnEachEngine('a plugin in several processes', (engine) => {
  test('goes from a running server within two seconds when the command line disables it', async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.bundled, 'hello', { manifest: enabled });
    const server = await startHost({ db, places, node: 'server' });
    await server.versions.start();
    const commandLine = await startHost({ db, places, node: 'cli' });

    await commandLine.host.disable(cliActor('root'), 'hello');

    await expect
      .poll(async () => (await server.host.find('hello', 'en')).state, { timeout: 2_000, interval: 50 })
      .toBe('disabled');
    await server.versions.stop();
  });

  test('is put in and out by a process that runs none of its code, and says what the server made of it', async () => {
    const { db, places } = await emptyHouse(engine);
    const bad = setupWith(
      `globalThis.runsHere = (globalThis.runsHere ?? 0) + 1; throw new Error('No luck');`,
    );
    await writePlugin(places.added, 'bad', { files: { 'index.ts': bad } });
    const server = await startHost({ db, places, node: 'server' });
    await server.versions.start({ everyMs: 50 });
    const onlooker = await startHost({ db, places, isOnlooker: true });

    expect(await onlooker.host.enable(system, 'bad')).toMatchObject({ state: 'failed', error: 'No luck' });
    expect((globalThis as { runsHere?: number }).runsHere).toBe(1);
    expect(await onlooker.host.disable(system, 'bad')).toMatchObject({ state: 'disabled', error: null });

    Object.assign(globalThis, { runsHere: 0 });
    await server.versions.stop();
  });

  test('is shown with what each node made of it, and with who wanted it so', async () => {
    const { db, places } = await emptyHouse(engine);
    const fails = setupWith(`if (globalThis.failsNow) throw new Error('Not on this node');`);
    await writePlugin(places.bundled, 'picky', { manifest: enabled, files: { 'index.ts': fails } });
    await startHost({ db, places, node: 'one' });
    Object.assign(globalThis, { failsNow: true });
    const { host } = await startHost({ db, places, node: 'two' });
    Object.assign(globalThis, { failsNow: false });

    const { nodes, changedBy } = await host.find('picky', 'en');

    expect(nodes).toMatchObject([
      { node: 'one', state: 'enabled', error: null },
      { node: 'two', state: 'failed', error: 'Not on this node' },
    ]);
    expect(changedBy).toBe('system');
  });

  test('whose folder is gone is still shown, so that somebody can disable it', async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.added, 'gone');
    const before = await startHost({ db, places });
    await before.host.enable(system, 'gone');
    await before.host.stop();
    await rm(join(places.added, 'gone'), { recursive: true });
    const { host } = await startHost({ db, places });

    expect(await host.list('en')).toMatchObject([
      { id: 'gone', state: 'failed', error: 'Its folder is gone' },
    ]);
    await host.disable(system, 'gone');

    expect(await host.list('en')).toEqual([]);
  });

  test('leaves the list of nodes with its node', async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.bundled, 'hello', { manifest: enabled });
    const leaving = await startHost({ db, places, node: 'leaving' });
    const { host } = await startHost({ db, places, node: 'staying' });

    await leaving.host.stop();

    expect((await host.find('hello', 'en')).nodes).toMatchObject([{ node: 'staying' }]);
  });

  test('has its enabling written into the audit log', async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.bundled, 'hello');
    const { host } = await startHost({ db, places });

    await host.enable(cliActor('root'), 'hello');

    const rows = (await db.knex('audit_entries').where({ action: 'plugin.enabled' })) as {
      actor_name: string;
    }[];
    expect(rows).toMatchObject([{ actor_name: 'cli:root', subject_id: 'hello' }]);
  });
});

describeOnEachEngine('a plugin that ends the process', (engine) => {
  test('is set aside at its third crash, and tried again when somebody asks', async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.bundled, 'bomb', { manifest: enabled });
    const markerFile = join(await temporaryFolder(), 'boot.json');
    await (await startHost({ db, places })).host.stop();
    crashWhileBooting(markerFile, 'bomb@1.0.0', 3);

    const told: Trouble[] = [];
    const { host } = await startHost({ db, places, markerFile, told });
    expect(await host.find('bomb', 'en')).toMatchObject({ desired: 'enabled', state: 'quarantined' });
    expect(told).toMatchObject([{ what: 'quarantined', id: 'bomb', version: '1.0.0' }]);

    expect(await host.enable(system, 'bomb')).toMatchObject({ state: 'enabled' });
  });

  test('is tried again after two crashes, and those are forgotten when it comes up', async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.bundled, 'bomb', { manifest: enabled });
    const markerFile = join(await temporaryFolder(), 'boot.json');
    crashWhileBooting(markerFile, 'bomb@1.0.0', 2);

    const first = await startHost({ db, places, markerFile });
    expect(await first.host.find('bomb', 'en')).toMatchObject({ state: 'enabled' });
    await first.host.stop();
    crashWhileBooting(markerFile, 'bomb@1.0.0', 2);
    const second = await startHost({ db, places, markerFile });

    expect(await second.host.find('bomb', 'en')).toMatchObject({ state: 'enabled' });
  });

  test('brings safe mode when the server has started six times in vain', async () => {
    const { db, places } = await emptyHouse(engine);
    await writePlugin(places.bundled, 'hello', { manifest: enabled });
    const markerFile = join(await temporaryFolder(), 'boot.json');
    for (let time = 0; time < 6; time += 1) new BootMarkers(markerFile, Date.now).starting('here');

    const { host } = await startHost({ db, places, markerFile });

    expect(host.isSafeMode).toBe(true);
    expect(await host.find('hello', 'en')).toMatchObject({ desired: 'enabled', state: 'safe-mode' });
  });
});

/** What is left on disk when a process ends in the middle of starting this plugin. */
function crashWhileBooting(markerFile: string, plugin: string, times: number): void {
  for (let time = 0; time < times; time += 1) {
    const markers = new BootMarkers(markerFile, Date.now);
    markers.starting('here');
    markers.booting(plugin);
  }
}

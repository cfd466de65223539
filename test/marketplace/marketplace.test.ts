import { describe, expect, test } from 'vitest';
import { coreCommands } from '../../src/compose-commands.ts';
import { system } from '../../src/shared/actor.ts';
import { days } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { sayingVersion } from '../plugin-host/packages.ts';
import { keyFor, lookAgain, publish, startDesk, startHub } from '../support/two-houses.ts';

/** Each package is tried in a process of its own. */
const LONG = { timeout: 90_000 };

describeOnEachEngine('an administrator', (engine) => {
  test(
    'finds what the vendor published, installs it with one click, updates it and goes back',
    LONG,
    async () => {
      const hub = await startHub(engine);
      const first = await publish(hub, 'parcel', { tags: 'Post, Réseau' }, { files: sayingVersion('1.0.0') });
      expect(first).toMatchObject({ status: 201, body: { id: 'parcel', version: '1.0.0' } });
      const desk = await startDesk(hub, await keyFor(hub), engine);
      const admin = desk.as(await desk.given.owner());

      expect((await admin.get('/admin/marketplace?tag=reseau')).text).toContain(
        '/admin/marketplace/plugins/parcel',
      );
      expect((await admin.get('/admin/marketplace?q=unheard')).text).not.toContain('plugins/parcel');
      const page = await admin.submit(
        '/admin/marketplace/plugins/parcel',
        {},
        { action: '/admin/marketplace/plugins/parcel/install' },
      );
      expect(page.text).toContain('id="operation"');
      await desk.house.marketplace.finished(system, operationIn(page.text));
      expect((await desk.request().get('/p/parcel')).text).toBe('version 1.0.0');

      await publish(hub, 'parcel', { version: '1.1.0' }, { files: sayingVersion('1.1.0') });
      await lookAgain(desk);
      expect((await admin.get('/admin/marketplace')).text).toContain('1 update');
      const [update] = await desk.house.marketplace.updateAll(system);
      await desk.house.marketplace.finished(system, update?.id ?? '');
      expect((await desk.request().get('/p/parcel')).text).toBe('version 1.1.0');
      await admin.submit('/admin/plugins/parcel', {}, { action: '/admin/plugins/parcel/rollback' });
      expect((await desk.request().get('/p/parcel')).text).toBe('version 1.0.0');
    },
  );

  test('sees a premium plugin locked, and unlocked by a higher offer', async () => {
    const hub = await startHub(engine);
    await publish(hub, 'parcel', { offer: 'network-standard' }, { files: sayingVersion('1.0.0') });
    const desk = await startDesk(hub, await keyFor(hub, 'network-basic'), engine);
    const admin = desk.as(await desk.given.owner());

    expect((await admin.get('/admin/marketplace')).text).toContain('Needs Standard or Advanced');
    await expect(desk.house.marketplace.install(system, 'parcel')).rejects.toMatchObject({
      code: 'marketplace.refused.offer-too-low',
    });
    await desk.house.domains.network.setKey(system, await keyFor(hub, 'network-advanced'));
    await lookAgain(desk);

    expect((await desk.house.marketplace.find(system, 'parcel')).offered.refusal).toBeNull();
  });
});

describe('a hub', () => {
  test('keeps the bytes of a premium plugin from whoever asks with too low an offer', async () => {
    const hub = await startHub();
    const { body } = await publish(hub, 'parcel', { offer: 'network-standard' });
    const ask = async (key: string) =>
      (
        await fetch(`${hub.origin}/api/network/v1/packages/${String(body['sha256'])}`, {
          headers: { 'x-registration-key': key },
        })
      ).status;

    expect(await ask(await keyFor(hub, 'network-basic'))).toBe(403);
    expect(await ask('')).toBe(403);
    expect(await ask(await keyFor(hub, 'network-advanced'))).toBe(200);
  });

  test('takes no other bytes for a version that is out, and the same ones gladly', async () => {
    const hub = await startHub();
    await publish(hub, 'parcel');

    expect((await publish(hub, 'parcel')).status).toBe(201);
    expect(await publish(hub, 'parcel', {}, { files: { 'more.txt': 'more' } })).toMatchObject({
      status: 409,
      body: { code: 'hub.version-exists' },
    });
    expect(
      await publish(hub, 'parcel', {}, { manifest: { publisher: 'Mallory', version: '2.0.0' } }),
    ).toMatchObject({
      status: 409,
      body: { code: 'hub.other-publisher' },
    });
  });

  test('shows nobody but publishers where plugins are published', async () => {
    const hub = await startHub();
    await publish(hub, 'parcel');
    const stranger = hub.as(await hub.given.user({ profile: 'self-service' }));
    const _csrf = /name="_csrf" value="([^"]+)"/.exec((await stranger.get('/network')).text)?.[1] ?? '';

    for (const path of ['/admin/hub/plugins', '/admin/hub/plugins/parcel', '/admin/hub/usage'])
      expect((await stranger.get(path)).status).toBe(403);
    for (const path of ['', '/parcel/1.0.0/withdraw', '/parcel/1.0.0/stage', '/parcel/1.0.0/restore'])
      expect((await stranger.post(`/admin/hub/plugins${path}`, { _csrf })).status).toBe(403);
  });
});

describe('a helpdesk', () => {
  test('keeps its catalogue and says how old it is when the hub is gone', async () => {
    const hub = await startHub();
    await publish(hub, 'parcel', {}, { files: sayingVersion('1.0.0') });
    const desk = await startDesk(hub, await keyFor(hub));
    await hub.close();
    desk.clock.advance(days(3));
    await lookAgain(desk);

    const page = await desk.as(await desk.given.owner()).get('/admin/marketplace');
    expect(page.text).toContain('/admin/marketplace/plugins/parcel');
    expect(page.text).toContain('What you see was read before.');
    const { id } = await desk.house.marketplace.install(system, 'parcel');
    expect(await desk.house.marketplace.finished(system, id)).toMatchObject({
      step: 'failed',
      problem: 'network:problem.N03',
    });
  });

  test('takes no package whose bytes are not those of the catalogue', async () => {
    const hub = await startHub();
    await publish(hub, 'parcel', {}, { files: sayingVersion('1.0.0') });
    const desk = await startDesk(hub, await keyFor(hub));
    const parts = await hub.db.knex<{ content: Buffer }>('hub_release_part');
    const content = Buffer.from(parts[0]?.content ?? '');
    content[40] = (content[40] ?? 0) ^ 1;
    await hub.db.transaction((tx) => tx.knex('hub_release_part').update({ content }));

    const { id } = await desk.house.marketplace.install(system, 'parcel');

    expect(await desk.house.marketplace.finished(system, id)).toMatchObject({ problem: 'marketplace.S01' });
    expect((await desk.house.plugins.list('en')).map((plugin) => plugin.id)).not.toContain('parcel');
  });

  test('tells its administrators of each newer version once', LONG, async () => {
    const hub = await startHub();
    await publish(hub, 'parcel', {}, { files: sayingVersion('1.0.0') });
    const desk = await startDesk(hub, await keyFor(hub));
    const { id } = await desk.house.marketplace.install(system, 'parcel');
    await desk.house.marketplace.finished(system, id);
    await publish(hub, 'parcel', { version: '1.2.0' }, { files: sayingVersion('1.2.0') });
    await lookAgain(desk);

    for (let times = 0; times < 2; times += 1) await desk.house.domains.jobs.runNow('marketplace.refresh');

    const told = () => desk.db.knex('notification').where({ kind: 'marketplace.update' });
    expect(await told()).toHaveLength(1);

    const admin = desk.as(await desk.given.owner());
    const page = '/admin/marketplace/plugins/parcel';
    await admin.submit(page, { version: '1.2.0' }, { action: `${page}/skip` });
    expect(await desk.house.marketplace.updateAll(system)).toEqual([]);
    expect((await admin.get('/admin/marketplace')).text).not.toContain('1 update');
    await expect(desk.house.marketplace.skip(system, 'parcel', '1.2.0')).rejects.toMatchObject({
      code: 'marketplace.nothing-to-skip',
    });
    await admin.submit(page, {}, { action: `${page}/unskip` });
    expect(await offeredIn(desk)).toEqual(['1.2.0']);
    expect(await lineFrom(desk, 'marketplace skip', 'parcel')).toMatchObject({ skipped: '1.2.0' });
    expect(await offeredIn(desk)).toEqual([]);

    await publish(hub, 'parcel', { version: '1.3.0' }, { files: sayingVersion('1.3.0') });
    await lookAgain(desk);
    await desk.house.domains.jobs.runNow('marketplace.refresh');
    expect(await offeredIn(desk)).toEqual(['1.3.0']);
    expect(await told()).toHaveLength(2);
  });

  test('shows its marketplace to administrators only', async () => {
    const desk = await startTestApp();
    const stranger = desk.as(await desk.given.user({ profile: 'self-service' }));
    const _csrf = /name="_csrf" value="([^"]+)"/.exec((await stranger.get('/account')).text)?.[1] ?? '';

    for (const path of ['', '/plugins/parcel', '/operations/x', `/pictures/${'a'.repeat(64)}`])
      expect((await stranger.get(`/admin/marketplace${path}`)).status).toBe(403);
    const doing = ['install', 'skip', 'unskip'].map((what) => `/plugins/parcel/${what}`);
    for (const path of ['/refresh', '/update-all', ...doing])
      expect((await stranger.post(`/admin/marketplace${path}`, { _csrf })).status).toBe(403);
  });
});

const offeredIn = async ({ house }: TestApp): Promise<unknown[]> =>
  (await house.marketplace.updates(system)).map(({ release }) => release?.version);

/** What a command of whoever sits at the server prints. */
async function lineFrom({ house }: TestApp, command: string, id: string): Promise<unknown> {
  const printed: unknown[] = [];
  await coreCommands(house, { onProblem: () => undefined })
    .find(({ name }) => name === command)
    ?.run({
      actor: system,
      args: [id],
      options: {},
      print: (line) => void printed.push(line),
      readStdin: () => Promise.resolve(''),
      readFile: () => Promise.reject(new Error('Nothing is read')),
    });
  return printed[0];
}

const operationIn = (page: string): string => /operations\/([0-9A-Z]{26})/.exec(page)?.[1] ?? '';

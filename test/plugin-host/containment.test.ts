import { expect, test } from 'vitest';
import { defineFilter, defineVeto } from '../../src/hooks/index.ts';
import { system } from '../../src/shared/actor.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';
import { setupWith, temporaryFolder, writePlugin } from './start-host.ts';

const facts = { summary: '', since: '1.0.0', budgetMs: 10 } as const;
const word = defineFilter<string>({ ...facts, name: 'test.word', failure: 'open' });
const may = defineVeto({ ...facts, name: 'test.may', failure: 'closed' });
const declared = `
  const facts = { summary: '', since: '1.0.0', budgetMs: 10 };
  const word = api.defineFilter({ ...facts, name: 'test.word', failure: 'open' });
  const may = api.defineVeto({ ...facts, name: 'test.may', failure: 'closed' });`;

/** The rows of the table of faults that code beside the plugin can contain; the others end a process: see races/plugin-processes. */
describeOnEachEngine('of a plugin', (engine) => {
  test('throws in a filter: it is passed over where the hook is open, refused where it is closed, and named', async () => {
    const { house, guest } = await houseWith(
      engine,
      `host.filter(word, () => { throw new Error('No luck'); }); host.veto(may, () => { throw new Error('No luck'); });`,
    );
    const { hooks } = house.ground;

    expect(await hooks.filter(word, 'as it was', {})).toBe('as it was');
    await expect(hooks.veto(may, {})).rejects.toMatchObject({ params: { plugin: 'bad' } });

    expect(await faultsAt(house)).toEqual({ 'test.word': 1, 'test.may': 1 });
    expect((await guest().get('/healthz')).status).toBe(200);
  });

  test('never settles: it is passed over in time, and the house goes on meanwhile', async () => {
    const { house, guest } = await houseWith(engine, `host.filter(word, () => new Promise(() => {}));`);
    const began = performance.now();

    const answer = house.ground.hooks.filter(word, 'as it was', {});
    expect((await guest().get('/healthz')).status).toBe(200);

    expect(await answer).toBe('as it was');
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await faultsAt(house)).toEqual({ 'test.word': 1 });
  });

  test('is slow: the page of the hook says so, and to keep everybody waiting ten times too long is a fault', async () => {
    const { house, as, given } = await houseWith(
      engine,
      `host.filter(word, () => {
        const until = performance.now() + globalThis.computesMs;
        while (performance.now() < until);
        return new Promise((resolve) => setTimeout(resolve, 30));
      });`,
    );
    const sluggish = globalThis as unknown as { computesMs: number };
    const owner = await given.owner();

    sluggish.computesMs = 0;
    expect(await house.ground.hooks.filter(word, 'as it was', {})).toBe('as it was');
    expect((await as(owner).get('/admin/hooks/test.word')).text).toContain('Over its time');
    expect((await faultsAt(house))['test.word'] ?? 0).toBe(0);
    sluggish.computesMs = 150;
    for (let time = 0; time < 3; time += 1) await house.ground.hooks.filter(word, 'as it was', {});

    expect((await faultsAt(house))['test.word']).toBeGreaterThan(0);
    expect((await house.plugins.find('bad', 'en')).listens).toMatchObject([{ hook: 'test.word' }]);
  });

  test('repeated faults: it rests, and others are asked all the same', async () => {
    const { house } = await houseWith(engine, `host.filter(word, () => { throw new Error('No luck'); });`);
    const undo = house.ground.hooks.onFilter('core', word, (value) => `${value}!`);

    for (let time = 0; time < 7; time += 1) {
      expect(await house.ground.hooks.filter(word, 'go', {})).toBe('go!');
    }

    const { listens } = await house.plugins.find('bad', 'en');
    expect(listens).toMatchObject([{ hook: 'test.word', faults: 5, isResting: true }]);
    undo();
  });

  test('throws when it has been ended, from what it left behind: that is still known as its own', async () => {
    const { house } = await houseWith(
      engine,
      `globalThis.leftBehind = () => new Error('Too late'); host.signal.addEventListener('abort', () => {});`,
    );
    const { leftBehind } = globalThis as unknown as { leftBehind: () => Error };
    await house.plugins.disable(system, 'bad');

    expect(house.plugins.takeBlame(leftBehind())).toBe(true);
    expect(house.plugins.takeBlame(new Error('Nobody knows whose'))).toBe(false);
  });

  test('a page that throws or cannot be drawn: only it answers 500, and says whose it is in the costs and on its page', async () => {
    const { house, guest, as, given } = await houseWith(
      engine,
      `const pages = { '/p/bad': () => { throw new Error('No luck'); }, '/p/bad/view': () => api.view('bad/nowhere', {}) };
      host.routes(Object.entries(pages).map(([path, handler]) => api.route({ method: 'get', path, access: 'public', handler })));`,
    );

    expect((await guest().get('/p/bad')).status).toBe(500);
    expect((await guest().get('/p/bad/view')).status).toBe(500);
    expect((await guest().get('/healthz')).status).toBe(200);
    const faults = house.ground.hooks
      .costs()
      .filter(({ owner, faults: count }) => owner === 'bad' && count > 0);
    expect(faults.map(({ name }) => name).sort()).toEqual(['GET /p/bad', 'templates']);
    const page = await as(await given.owner()).get('/admin/plugins/bad');
    expect(page.text).toMatch(/<code>GET \/p\/bad<\/code> failed once, of 1/);
  });
});

describeOnEachEngine('a plugin that is too much', (engine) => {
  test('keeps failing: it is named, then ended, and what it guards stays closed', async () => {
    const { house, clock, db, given } = await houseWith(
      engine,
      `host.filter(word, () => { throw new Error('No luck'); }); host.veto(may, () => null);`,
    );
    const owner = await given.owner();
    const told = async (): Promise<unknown> =>
      db.knex('notification').where({ user_id: owner.id }).orderBy('id').pluck('kind');
    const { hooks } = house.ground;
    const failUntilItRests = async (): Promise<void> => {
      for (let time = 0; time < 5; time += 1) await hooks.filter(word, 'go', {});
      clock.advance(31_000);
    };

    for (let time = 0; time < 3; time += 1) await failUntilItRests();
    await hooks.filter(word, 'go', {});
    expect(await house.plugins.find('bad', 'en')).toMatchObject({
      state: 'enabled',
      error: 'It keeps failing at test.word',
    });
    await expect.poll(told).toEqual(['plugin.troubled']);
    for (let time = 0; time < 4; time += 1) await failUntilItRests();

    await expect.poll(async () => (await house.plugins.find('bad', 'en')).state).toBe('failed');
    await expect.poll(told).toEqual(['plugin.troubled', 'plugin.ended']);
    await expect(hooks.veto(may, {})).rejects.toMatchObject({ params: { plugin: 'bad' } });
    expect(await hooks.filter(word, 'as it was', {})).toBe('as it was');
  });

  test('floods log, events, mails and database: it alone is refused, and others have their turn', async () => {
    const { house, guest } = await houseWith(
      engine,
      `const told = api.defineEvent({ name: 'bad.told', summary: '', since: '1.0.0' });
      host.on(told, () => {});
      const often = async (work) => { for (let time = 0; time < 4_000; time += 1) await work(); };
      const reasonOf = (work) => work().then(() => 'all of it', (error) => error.code);
      globalThis.flood = {
        log: async () => { await often(() => host.log.info({}, 'Again')); },
        events: () => reasonOf(() => host.transaction((tx) => often(() => host.emit(tx, told, {}, { aggregate: 'x' })))),
        mails: () => reasonOf(() => host.transaction((tx) => often(() => host.mail.queue(tx, {
          to: { email: 'a@example.org' }, template: 'none', model: {}, locale: 'en', kind: 'bad' })))),
        database: () => { for (let at = 0; at < 10; at += 1) void host.transaction(() => new Promise((resolve) => setTimeout(resolve, 200))).catch(() => {}); },
      };`,
      { permissions: { mail: true } },
    );
    const { flood } = globalThis as unknown as {
      flood: Record<'log' | 'events' | 'mails' | 'database', () => Promise<string>>;
    };

    await flood.log();
    expect(await flood.events()).toBe('plugin.too-much');
    expect(await flood.mails()).not.toBe('all of it');
    void flood.database();

    expect((await guest().get('/login')).status).toBe(200);
    await expect(house.ground.db.knex('event')).resolves.not.toHaveLength(4_000);
  });

  test('has more jobs than there is room for: few run at a time, and those of the house have their turns', async () => {
    const ids = Array.from({ length: 40 }, (_, at) => `flood-${String(at)}`);
    const { house, guest, clock } = await houseWith(
      engine,
      `globalThis.rush = { now: 0, most: 0, ended: 0 };
      const rush = globalThis.rush;
      for (const id of ${JSON.stringify(ids)}) host.job(id, async () => {
        rush.now += 1;
        rush.most = Math.max(rush.most, rush.now);
        for (let line = 0; line < 200; line += 1) host.log.info({}, 'Again');
        await new Promise((resolve) => setTimeout(resolve, 20));
        rush.now -= 1;
        rush.ended += 1;
      });`,
      { jobs: ids.map((id) => ({ id, everyMs: 1_000 })) },
      { work: true },
    );
    const { rush } = globalThis as unknown as { rush: { most: number; ended: number } };

    let rounds = 0;
    const everySecond = { id: 'core.rounds', everyMs: 1_000, run: () => Promise.resolve(void (rounds += 1)) };
    const undo = house.domains.jobs.every(everySecond);

    const ended = (): number => {
      clock.advance(1_000);
      return rush.ended;
    };
    await expect.poll(ended, { timeout: 15_000 }).toBeGreaterThanOrEqual(ids.length);

    expect(rush.most).toBe(4);
    expect(rounds).toBeGreaterThan(0);
    expect((await guest().get('/login')).status).toBe(200);
    undo();
  });
});

type House = Awaited<ReturnType<typeof startTestApp>>['house'];

async function houseWith(
  engine: 'sqlite' | 'mysql',
  setup: string,
  manifest: Record<string, unknown> = {},
  options: Partial<Parameters<typeof startTestApp>[0]> = {},
): Promise<Awaited<ReturnType<typeof startTestApp>>> {
  const pluginDir = await temporaryFolder();
  await writePlugin(pluginDir, 'bad', {
    manifest,
    files: { 'index.ts': setupWith(`${declared}\n${setup}`) },
  });
  const app = await startTestApp({ engine, pluginDir, ...options });
  expect(await app.house.plugins.enable(system, 'bad')).toMatchObject({ state: 'enabled' });
  return app;
}

async function faultsAt({ plugins }: House): Promise<Record<string, number>> {
  const { listens } = await plugins.find('bad', 'en');
  return Object.fromEntries(listens.map(({ hook, faults }) => [hook, faults]));
}

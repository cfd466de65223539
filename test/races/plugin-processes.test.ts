import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { bumpVersion } from '../../src/db/versions.ts';
import { setupWith, temporaryFolder, writePlugin } from '../plugin-host/start-host.ts';
import { afterwards } from '../support/cleanup.ts';
import { openDatabase } from '../support/databases.ts';
import type { TestServer } from '../support/server-process.ts';
import { startServer } from '../support/server.ts';

/** The real server under its supervisor. */
describe('a plugin in a running server', () => {
  test.each([
    [
      'ends the process',
      'import "latchkey/plugin-api"; import { execFileSync } from "node:child_process"; execFileSync("kill", ["-9", String(process.pid)]);',
    ],
    ['never gives the process back', setupWith('for (;;);')],
    [
      'takes all memory',
      setupWith('for (const hoard = []; ; ) hoard.push(new Array(100_000).fill(hoard.length));'),
    ],
  ])('that %s is set aside at its third crash, and the server comes up without it', async (_name, main) => {
    const { server, states } = await serverWith('bomb', main);

    await expect.poll(states, { timeout: 200_000, interval: 500 }).toContainEqual({ state: 'quarantined' });

    await expect.poll(() => statusOf(`${server.url}/healthz`), { timeout: 30_000 }).toBe(200);
    expect(server.logs.filter((line) => line.includes('ended unexpectedly'))).toHaveLength(3);
  });

  test('that throws into the void is charged with it, and nobody else notices', async () => {
    const careless = setupWith(`
      let thrown = 0;
      const timer = setInterval(() => {
        thrown += 1;
        if (thrown % 2 === 0) void Promise.reject(new Error('Into the void'));
        else throw new Error('Into the void');
      }, 50);
      host.onDispose(() => { clearInterval(timer); });`);
    const { server, states } = await serverWith('careless', careless);

    await expect.poll(states, { timeout: 30_000, interval: 100 }).toContainEqual({ state: 'failed' });

    expect(await statusOf(`${server.url}/healthz`)).toBe(200);
    expect(server.logs.join('\n')).not.toContain('ended unexpectedly');
  });

  test('that ends, blocks or fills the process while people work is named, and the command line takes it out', async () => {
    const { server, states } = await serverWith('rogue', rogue);
    await expect.poll(states, { timeout: 30_000, interval: 100 }).toContainEqual({ state: 'enabled' });
    const named = async (): Promise<unknown> => shownBy(server.dataDir, 'rogue');

    expect(await statusOf(`${server.url}/p/rogue/exit`)).toBe(500);
    expect(await statusOf(`${server.url}/healthz`)).toBe(200);
    await server.says(/process\.exit\(\) was refused/);

    await fillHouse(server, 'loop');
    expect(await named()).toMatchObject({
      error: expect.stringMatching(/nobody else a turn, at spin \(index\.ts:\d+\)/) as string,
    });

    await fillHouse(server, 'hoard');
    expect(await named()).toMatchObject({
      error: expect.stringMatching(/all memory, at .* \(index\.ts:\d+\)/) as string,
    });
    await server.says(/"plugin":"rogue@1\.0\.0".*ended for the sake of a plugin/);

    await latchkey(server.dataDir, 'plugin', 'disable', 'rogue');
    expect(await statusOf(`${server.url}/p/rogue/exit`)).toBe(404);
  });

  test('that throws in the middle of our own work is named, and the server is started again in order', async () => {
    const { server, states } = await serverWith('warped', warped, { patient });
    await expect.poll(states, { timeout: 30_000, interval: 100 }).toContainEqual({ state: 'enabled' });

    const whoIsStillThere = fetch(`${server.url}/p/patient`);
    await statusOf(`${server.url}/p/warped`);
    await server.says(/ended unexpectedly \(code 1\)/);

    expect(await (await whoIsStillThere).text()).toBe('patient');
    await expect.poll(() => statusOf(`${server.url}/healthz`), { timeout: 30_000 }).toBe(200);
    expect(await shownBy(server.dataDir, 'warped')).toMatchObject({
      error: expect.stringMatching(/in the middle of the work of the server.*, at index\.ts:\d+$/) as string,
    });
  });

  test('goes within two seconds when the command line disables it, and comes back so', async () => {
    const server = await startServer();
    const join = (): Promise<number> => statusOf(`${server.url}/join`);
    expect(await join()).toBe(200);

    await latchkey(server.dataDir, 'plugin', 'disable', 'registration-key');
    await expect.poll(join, { timeout: 2_000, interval: 100 }).toBe(404);

    await latchkey(server.dataDir, 'plugin', 'enable', 'registration-key');
    await expect.poll(join, { timeout: 2_000, interval: 100 }).toBe(200);
  });
});

describe('the helpdesk of an author', () => {
  test('names the endless loop, is there again, and stops when it is told to', async () => {
    const folder = join(await temporaryFolder(), 'rogue');
    await writePlugin(dirname(folder), 'rogue', { files: { 'index.ts': rogue } });
    const dev = spawn(process.execPath, [commandLine, 'plugin', 'dev', folder, '--port', '0']);
    afterwards(() => void dev.kill('SIGKILL'));
    let said = '';
    for (const stream of [dev.stdout, dev.stderr]) stream.on('data', (text) => (said += String(text)));
    const open = async (): Promise<string> => {
      await expect.poll(() => said, { timeout: 30_000, interval: 100 }).toMatch(/Open http/);
      return /Open (http:\/\/\S+)/.exec(said)?.[1] ?? '';
    };

    const url = await open();
    said = '';
    expect(await statusOf(`${url}/p/rogue/exit`)).toBe(500);
    expect(await statusOf(`${url}/p/rogue/loop`)).toBe(0);

    expect(await open()).toBe(url);
    expect(said).toMatch(/✗ rogue@1\.0\.0, .*nobody else a turn, at spin \(index\.ts:\d+\)/);
    dev.kill('SIGTERM');
    expect((await once(dev, 'exit'))[0]).toBe(0);
  });
});

/** Each of its pages does to the process what the page is called. */
const rogue = setupWith(`
  const hoard = [];
  const spin = () => { for (let turn = 0; ; turn += 1) turn %= 7; };
  const keep = () => { hoard.push(new Array(50_000).fill(hoard.length + 0.5)); };
  const does = { exit: () => process.exit(0), loop: spin, hoard: () => { setInterval(keep, 40); } };
  host.routes(Object.entries(does).map(([name, run]) => api.route({
    method: 'get', path: '/p/rogue/' + name, access: 'public', handler: () => { run(); return api.text(name); } })));`);

/** Replaces what the heartbeat of the server uses. */
const warped = setupWith(`
  const warp = () => { Atomics.store = () => { throw new Error('Not as it was meant'); }; return api.text('warped'); };
  host.routes([api.route({ method: 'get', path: '/p/warped', access: 'public', handler: warp })]);`);

/** Takes its time over an answer. */
const patient = setupWith(`
  const answer = () => new Promise((resolve) => setTimeout(() => resolve(api.text('patient')), 4_000));
  host.routes([api.route({ method: 'get', path: '/p/patient', access: 'public', handler: answer })]);`);

/** Asks for a page that the process does not survive, and waits until there is another. */
async function fillHouse(server: TestServer, page: string): Promise<void> {
  const ends = server.logs.filter(isEnd).length;
  void statusOf(`${server.url}/p/rogue/${page}`);
  await expect
    .poll(() => server.logs.filter(isEnd).length, { timeout: 60_000, interval: 200 })
    .toBe(ends + 1);
  await expect.poll(() => statusOf(`${server.url}/p/rogue`), { timeout: 30_000, interval: 200 }).toBe(404);
}

const isEnd = (line: string): boolean => line.includes('ended unexpectedly');

/** As `latchkey plugin list` tells it. */
async function shownBy(dataDir: string, id: string): Promise<unknown> {
  const { stdout } = await latchkey(dataDir, 'plugin', 'list', '--json');
  return (JSON.parse(stdout) as { id: string }[]).find((one) => one.id === id);
}

/** A server that runs, and in it a plugin that somebody has just enabled elsewhere. */
async function serverWith(
  id: string,
  main: string,
  others: Record<string, string> = {},
): Promise<{ server: TestServer; states: () => Promise<unknown> }> {
  const dataDir = await temporaryFolder();
  const all = { ...others, [id]: main };
  for (const [name, code] of Object.entries(all))
    await writePlugin(`${dataDir}/plugins`, name, { files: { 'index.ts': code } });
  const server = await startServer({ dataDir, env: { NODE_OPTIONS: '--max-old-space-size=256' } });
  const db = openDatabase(`sqlite:${dataDir}/latchkey.db`);
  await db.transaction(async (tx) => {
    await tx.knex('plugin_state').whereIn('id', Object.keys(all)).update({ desired: 'enabled' });
    await bumpVersion(tx, 'plugins');
  });
  return { server, states: async () => db.knex('plugin_node').where({ plugin_id: id }).select('state') };
}

const commandLine = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

const latchkey = (dataDir: string, ...words: string[]): Promise<{ stdout: string }> =>
  promisify(execFile)(process.execPath, [commandLine, ...words], {
    env: { ...process.env, LATCHKEY_DATA_DIR: dataDir },
  });

/** 0 while nobody answers. */
const statusOf = (url: string): Promise<number> =>
  fetch(url).then(
    ({ status }) => status,
    () => 0,
  );

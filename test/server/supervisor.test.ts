import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { afterwards } from '../support/cleanup.ts';
import { describeOnEachEngine, freshDatabase } from '../support/databases.ts';
import { startServer } from '../support/server.ts';
import { isAlive, serverUnder, startInVain, statusOf } from './processes.ts';

const LONG = { timeout: 180_000 };
const patience = { timeout: 60_000, interval: 200 };
const CRASHES_BEFORE_SAFE_MODE = 6;

describeOnEachEngine('the supervisor', (engine) => {
  test('starts a server that crashed again, on the same port', LONG, async () => {
    const server = await startServer({ databaseUrl: (await freshDatabase(engine, { empty: true })).url });
    const first = await serverUnder(server.pid);

    process.kill(first, 'SIGKILL');
    await server.says(/ended unexpectedly \(SIGKILL\)/);

    await expect.poll(() => statusOf(`${server.url}/readyz`), patience).toBe(200);
    expect(await serverUnder(server.pid)).not.toBe(first);
    expect(await server.stop()).toBe(0);
  });
});

describe('the supervisor', () => {
  test('leaves the plugins out after six crashes in a row', LONG, async () => {
    const server = await startServer();
    expect(await statusOf(`${server.url}/join`)).not.toBe(404);

    for (let crash = 1; crash <= CRASHES_BEFORE_SAFE_MODE; crash += 1) {
      const before = await serverUnder(server.pid);
      process.kill(before, 'SIGKILL');
      await expect
        .poll(
          async () =>
            (await serverUnder(server.pid).catch(() => before)) === before
              ? null
              : statusOf(`${server.url}/healthz`),
          patience,
        )
        .toBe(200);
    }

    expect(await statusOf(`${server.url}/join`)).toBe(404);
    expect(await statusOf(`${server.url}/healthz`)).toBe(200);
  });

  test('runs no plugin code when it is started with --safe-mode', LONG, async () => {
    const server = await startServer({ script: 'src/cli.ts', args: ['serve', '--safe-mode'] });

    expect(await statusOf(`${server.url}/join`)).toBe(404);
    expect(await statusOf(`${server.url}/healthz`)).toBe(200);
  });

  test('takes its server with it when it is killed without warning', LONG, async () => {
    const server = await startServer();
    const child = await serverUnder(server.pid);

    process.kill(server.pid, 'SIGKILL');

    await expect.poll(() => isAlive(child), patience).toBe(false);
    expect(await statusOf(`${server.url}/healthz`)).toBeNull();
  });

  test('gives up at once when the configuration is wrong, with 78 and every complaint', LONG, async () => {
    const ended = await startInVain({
      LATCHKEY_PORT: 'eighty',
      LATCHKEY_BASE_URL: 'nowhere',
      LATCHKEY_PROT: '1',
    });

    expect(ended.code).toBe(78);
    for (const name of ['PORT', 'BASE_URL', 'PROT']) expect(ended.said).toContain(`LATCHKEY_${name}`);
    expect(ended.said).not.toMatch(/starting it again|\n\s+at /);
  });

  test('gives up at once when the port is taken or the database out of reach, with 69', LONG, async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    afterwards(() => void other.close());
    const { port } = other.address() as AddressInfo;

    const taken = await startInVain({ LATCHKEY_PORT: String(port) });
    const unreachable = await startInVain({
      LATCHKEY_DATABASE_URL: 'mysql://nobody:hunter2@127.0.0.1:9/latchkey',
    });

    expect(taken.code).toBe(69);
    expect(taken.said).toContain('EADDRINUSE');
    expect(unreachable.code).toBe(69);
    expect(unreachable.said).toContain('ECONNREFUSED');
    for (const { said } of [taken, unreachable])
      expect(said).not.toMatch(/starting it again|hunter2|\n\s+at /);
  });
});

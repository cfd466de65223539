import { expect, test } from 'vitest';
import { openShell } from '../cli/shell.ts';
import { setupWith, writePlugin } from '../plugin-host/start-host.ts';
import { startServer } from '../support/server.ts';
import { newDataDir, statusOf } from './processes.ts';

const slowPage = setupWith(`
  host.routes([api.route({
    method: 'get', path: '/p/slow', access: 'public',
    handler: async () => {
      await new Promise((resolve) => setTimeout(resolve, 3000));
      return api.text('There you are');
    },
  })]);`);

test(
  'a server that is told to stop finishes what it has begun, and takes on nothing new',
  { timeout: 120_000 },
  async () => {
    const dataDir = await newDataDir();
    await writePlugin(`${dataDir}/plugins`, 'slow', { files: { 'index.ts': slowPage } });
    const { latchkey } = await openShell({ LATCHKEY_DATA_DIR: dataDir });
    expect((await latchkey('plugin enable slow --json')).json()).toMatchObject({ state: 'enabled' });
    const server = await startServer({ dataDir });

    const slow = fetch(`${server.url}/p/slow`).then((answer) => answer.text());
    await new Promise((resolve) => setTimeout(resolve, 500));
    const stopped = server.stop();
    await expect.poll(() => statusOf(`${server.url}/readyz`), { timeout: 2_000, interval: 50 }).toBe(503);
    const lateComer = await fetch(`${server.url}/login`);

    expect(lateComer.status).toBe(503);
    expect(lateComer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await statusOf(`${server.url}/healthz`)).toBe(200);
    expect(await slow).toBe('There you are');
    expect(await stopped).toBe(0);
    expect(await statusOf(`${server.url}/healthz`)).toBeNull();
  },
);

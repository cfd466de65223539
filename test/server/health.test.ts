import { describe, expect, test } from 'vitest';
import { mint } from '../../src/crypto/mint.ts';
import { afterwards } from '../support/cleanup.ts';
import { describeOnEachEngine, freshDatabase } from '../support/databases.ts';
import { startServer } from '../support/server.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const LONG = { timeout: 120_000 };
const TOKEN = 'a-token-for-prometheus';

const ask = async (
  { origin }: Pick<TestApp, 'origin'>,
  path: string,
  headers: Record<string, string> = {},
) => {
  const answer = await fetch(`${origin}${path}`, { headers });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
};

describeOnEachEngine('the health of a server', (engine) => {
  test('is told to anybody in a word, and with reasons to this machine', async () => {
    const app = await startTestApp({ engine });

    const alive = await ask(app, '/healthz');
    const near = await ask(app, '/readyz');
    const far = await ask(app, '/readyz', { 'x-forwarded-for': '203.0.113.9' });
    const farther = await ask(app, '/readyz', { forwarded: 'for=203.0.113.9' });

    expect(alive).toMatchObject({ status: 200, text: 'ok' });
    expect(alive.headers.get('cache-control')).toBe('no-store');
    expect(JSON.parse(near.text)).toMatchObject({
      status: 'ready',
      checks: expect.arrayContaining([
        { name: 'database', problem: null },
        { name: 'keys', problem: null },
        { name: 'queue', problem: null },
      ]) as unknown,
    });
    for (const { status, text } of [far, farther]) {
      expect(status).toBe(200);
      expect(JSON.parse(text)).toEqual({ status: 'ready' });
    }
  });

  test('is bad when the database is gone, and the process lives all the same', async () => {
    const app = await startTestApp({ engine });
    await app.db.knex.destroy();
    afterwards(() => {
      app.db.knex.initialize();
    });

    const ready = await ask(app, '/readyz');
    const far = await ask(app, '/readyz', { 'x-forwarded-for': '203.0.113.9' });

    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.text)).toMatchObject({
      status: 'not ready',
      checks: expect.arrayContaining([
        { name: 'database', problem: expect.any(String) as unknown },
      ]) as unknown,
    });
    expect(far.status).toBe(503);
    expect(JSON.parse(far.text)).toEqual({ status: 'not ready' });
    expect((await ask(app, '/healthz')).status).toBe(200);
  });
});

describe('what a server measures', () => {
  test('is for this machine, not for whoever a proxy brings', async () => {
    const app = await startTestApp();
    await ask(app, '/login');

    const near = await ask(app, '/metrics');
    const far = await ask(app, '/metrics', { 'x-forwarded-for': '203.0.113.9' });

    expect(near.status).toBe(200);
    expect(near.text).toMatch(/route="\/login"/);
    expect(near.text).toContain('queue_waiting');
    expect(far.status).toBe(404);
    expect(far.text).toBe('Not found');
  });

  test('is for the holder of the token once there is one, wherever they are', async () => {
    const app = await startTestApp({ config: { METRICS_TOKEN: TOKEN } });
    const bearer = { authorization: `Bearer ${TOKEN}`, 'x-forwarded-for': '203.0.113.9' };

    expect((await ask(app, '/metrics', bearer)).status).toBe(200);
    expect(JSON.parse((await ask(app, '/readyz', bearer)).text)).toHaveProperty('checks');
    expect((await ask(app, '/metrics')).status).toBe(404);
    expect(JSON.parse((await ask(app, '/readyz')).text)).not.toHaveProperty('checks');
    expect((await ask(app, '/metrics', { authorization: `Bearer ${TOKEN}x` })).status).toBe(404);
  });
});

describe('a server with the wrong master key', () => {
  test('is locked: it says so, and never that an invitation is unknown', LONG, async () => {
    const { url } = await freshDatabase('sqlite');
    const server = await startServer({ databaseUrl: url, env: { LATCHKEY_KEY: 'b'.repeat(64) } });
    const app = { origin: server.url };
    const key = mint('lkinv_');

    const answers = [
      await ask(app, '/'),
      await ask(app, `/join/${key}`),
      await ask(app, '/api/v1/tickets'),
      await ask(app, '/readyz'),
    ];

    for (const { status, text, headers } of answers) {
      expect(status).toBe(503);
      expect(headers.get('retry-after')).toMatch(/^\d+$/);
      expect(text).toContain('locked');
      expect(text).not.toMatch(/unknown/i);
      expect(text).not.toContain(key);
    }
    expect((await ask(app, '/healthz')).status).toBe(200);
    expect(server.ownerLink).toBeNull();
    expect(await server.stop()).toBe(0);
  });
});

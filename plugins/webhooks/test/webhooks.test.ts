import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { system } from '../../../src/shared/actor.ts';
import { afterwards } from '../../../test/support/cleanup.ts';
import { describeOnEachEngine, type Engine } from '../../../test/support/databases.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { auditOf, commandsOf, me } from '../../../test/cli/shell.ts';
import { MOST_ATTEMPTS, pauseAfter } from '../src/schedule.ts';

interface Received {
  headers: IncomingMessage['headers'];
  body: string;
}

type Answer = (res: ServerResponse, times: number) => void;

/** Somebody else's machine, on this one. */
async function receiver(answer: Answer = (res) => res.writeHead(204).end()): Promise<{
  url: string;
  got: Received[];
}> {
  const got: Received[] = [];
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      got.push({ headers: req.headers, body: Buffer.concat(parts).toString() });
      answer(res, got.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterwards(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/hook`, got };
}

async function house(engine: Engine = 'sqlite', config: Record<string, string> = {}): Promise<TestApp> {
  const app = await startTestApp({ engine, config: { OUTBOUND_ALLOW: '127.0.0.1', ...config } });
  await app.house.plugins.enable(system, 'webhooks');
  return app;
}

interface Endpoint {
  id: string;
  secret: string;
}

async function endpointAt(
  app: TestApp,
  url: string,
  events = ['registration-key.minted'],
): Promise<Endpoint> {
  const answer = await app
    .api(await app.given.owner())
    .call('POST', '/api/v1/webhooks', { name: 'HR', url, events });
  expect(answer.status).toBe(201);
  return answer.json() as Endpoint;
}

const run = (app: TestApp): Promise<unknown> => app.house.domains.jobs.runNow('webhooks.deliver');

const deliveriesOf = async (app: TestApp, id: string): Promise<Record<string, unknown>[]> => {
  const answer = await app.api(await app.given.owner()).call('GET', `/api/v1/webhooks/${id}/deliveries`);
  return (answer.json() as { items: Record<string, unknown>[] }).items;
};

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('It did not come to that');
}

/** As any library of Standard Webhooks does. */
function isGenuine({ headers, body }: Received, secret: string): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const said = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  const mine = createHmac('sha256', key).update(said).digest('base64');
  return String(headers['webhook-signature']).split(' ').includes(`v1,${mine}`);
}

describeOnEachEngine('a webhook', (engine) => {
  test('tells another system what happened, signed, and forgets the content once it has arrived', async () => {
    const app = await house(engine);
    const { url, got } = await receiver((res) => res.end('thanks'));
    const { id, secret } = await endpointAt(app, url);

    const made = await app.given.invitationKey({ label: 'Paris' });
    await app.settle();
    await until(() => got.length === 1);
    await until(async () => (await deliveriesOf(app, id))[0]?.['state'] === 'done');

    const [message] = got as [Received];
    expect(isGenuine(message, secret)).toBe(true);
    expect(isGenuine({ ...message, body: message.body.replace('Paris', 'Lyon') }, secret)).toBe(false);
    expect(JSON.parse(message.body)).toMatchObject({
      type: 'registration-key.minted',
      data: { key: { id: made.id, label: 'Paris' } },
    });
    expect(message.body).not.toContain(made.key.slice(6));
    expect(await deliveriesOf(app, id)).toMatchObject([
      { state: 'done', status: 200, answer: 'thanks', attempts: 1, event: 'registration-key.minted' },
    ]);
    const rows: unknown = await app.db.knex('webhook_delivery').select('content_text');
    expect(rows).toEqual([{ content_text: null }]);
  });

  test('comes again under the same id after a failure, and not once it has arrived', async () => {
    const app = await house(engine);
    const { url, got } = await receiver((res, times) => res.writeHead(times < 3 ? 500 : 200).end('x'));
    const { id } = await endpointAt(app, url);

    await app.given.invitationKey();
    await app.settle();
    await until(async () => (await deliveriesOf(app, id))[0]?.['status'] === 500);
    await run(app);
    expect(got).toHaveLength(1);
    app.clock.advance(10_000);
    await run(app);
    app.clock.advance(60_000);
    await run(app);
    app.clock.advance(86_400_000);
    await run(app);

    expect(got).toHaveLength(3);
    expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(await deliveriesOf(app, id)).toMatchObject([{ state: 'done', attempts: 3 }]);
  });

  test('is sent once though the event is told twice and two processes work', async () => {
    const app = await house(engine);
    const { url, got } = await receiver();
    const { id } = await endpointAt(app, url);
    const other = await startTestApp({
      engine,
      databaseUrl: app.databaseUrl,
      clock: app.clock,
      config: { OUTBOUND_ALLOW: '127.0.0.1' },
    });

    await app.given.invitationKey();
    await Promise.all([app.settle(), other.settle()]);
    await Promise.all([run(app), run(other)]);
    await until(async () => (await deliveriesOf(app, id))[0]?.['state'] === 'done');

    expect(got).toHaveLength(1);
    expect(await deliveriesOf(app, id)).toHaveLength(1);
  });

  test('says that it is a test when it is one, and what came back', async () => {
    const app = await house(engine);
    const { url, got } = await receiver((res) => res.writeHead(401).end('who are you?'));
    const { id } = await endpointAt(app, url);

    const answer = await app.api(await app.given.owner()).call('POST', `/api/v1/webhooks/${id}/test`);

    expect(JSON.parse(got[0]?.body ?? '{}')).toMatchObject({ type: 'webhook.test' });
    expect(answer.json()).toMatchObject({ status: 401, answer: 'who are you?', state: 'waiting' });
  });

  test('is switched off by a receiver that is gone; whoever looks after it is told once, and switches it on again', async () => {
    const app = await house(engine);
    const { url } = await receiver((res) => res.writeHead(410).end());
    const { id } = await endpointAt(app, url);
    const owner = app.api(await app.given.owner());
    const technician = app.as(await app.given.technician());
    const path = `/admin/webhooks/${id}`;

    await owner.call('POST', `/api/v1/webhooks/${id}/test`);
    await owner.call('POST', `/api/v1/webhooks/${id}/test`);
    const off = await owner.call('GET', `/api/v1/webhooks/${id}`);
    const heard = (await owner.call('GET', '/api/v1/notifications')).json() as { items: object[] };
    const _csrf = /name="_csrf" value="([^"]+)"/.exec((await technician.get('/account')).text)?.[1] ?? '';
    const stranger = await technician.post(`${path}/on`, { _csrf });
    const browser = app.as(await app.given.owner());
    const page = await browser.submit(path, {}, { action: `${path}/on` });
    const on = await owner.call('GET', `/api/v1/webhooks/${id}`);

    expect(off.json()).toMatchObject({ isOn: false, offReason: 'gone' });
    expect(heard.items).toMatchObject([{ kind: 'webhooks.off', link: path }]);
    expect(stranger.status).toBe(403);
    expect(page.text).toContain('It is on again');
    expect(on.json()).toMatchObject({ isOn: true, offReason: null });
  });

  test('that was given up is sent again by hand, and one that arrived is not', async () => {
    const app = await house(engine);
    let isUp = false;
    const { url, got } = await receiver((res) => res.writeHead(isUp ? 200 : 503).end());
    const { id } = await endpointAt(app, url);
    const owner = app.api(await app.given.owner());
    await app.given.invitationKey();
    await app.settle();
    await until(async () => (await deliveriesOf(app, id))[0]?.['status'] === 503);
    for (let attempt = 1; attempt < MOST_ATTEMPTS; attempt += 1) {
      app.clock.advance(30 * 3_600_000);
      await run(app);
    }
    const [given] = await deliveriesOf(app, id);
    expect(given).toMatchObject({ state: 'dead', attempts: MOST_ATTEMPTS });

    isUp = true;
    const path = `/api/v1/webhooks/${id}/deliveries/${String(given?.['id'])}/redeliver`;
    const again = await owner.call('POST', path);
    const third = await owner.call('POST', path);

    expect(again.json()).toMatchObject({ state: 'done', status: 200 });
    expect(third.status).toBe(409);
    expect(got[0]?.headers['webhook-id']).toBe(got.at(-1)?.headers['webhook-id']);
  });
});

describe('webhooks', () => {
  test('do not wait for ever', async () => {
    const app = await house();
    const { url } = await receiver(() => undefined);
    const { id } = await endpointAt(app, url);

    const answer = await app.api(await app.given.owner()).call('POST', `/api/v1/webhooks/${id}/test`);

    expect(answer.json()).toMatchObject({ status: null, problem: 'No answer in time', state: 'waiting' });
  }, 30_000);

  test('do not reach into the house unless its operator says so', async () => {
    const app = await house('sqlite', { OUTBOUND_ALLOW: 'none' });
    const { url, got } = await receiver();
    const owner = app.api(await app.given.owner());

    for (const address of [
      url,
      url.replace('127.0.0.1', '[::1]'),
      'http://169.254.169.254/latest',
      'ftp://x.test',
    ]) {
      const answer = await owner.call('POST', '/api/v1/webhooks', {
        name: 'x',
        url: address,
        events: ['ticket.created'],
      });
      expect(answer.status).toBe(400);
    }
    const byName = (
      await owner.call('POST', '/api/v1/webhooks', {
        name: 'x',
        url: url.replace('127.0.0.1', 'localhost'),
        events: ['ticket.created'],
      })
    ).json() as Endpoint;
    const tested = await owner.call('POST', `/api/v1/webhooks/${byName.id}/test`);

    expect(tested.json()).toMatchObject({
      status: null,
      problem: expect.stringContaining('private') as string,
    });
    expect(got).toEqual([]);
  });

  test('are nobody’s business who may not manage them', async () => {
    const app = await house();
    const { url } = await receiver();
    const { id } = await endpointAt(app, url);
    const technician = await app.given.technician();

    expect((await app.as(technician).send('/admin/webhooks', { method: 'GET' })).status).toBe(403);
    for (const [method, path] of [
      ['GET', '/api/v1/webhooks'],
      ['GET', `/api/v1/webhooks/${id}`],
      ['DELETE', `/api/v1/webhooks/${id}`],
      ['POST', `/api/v1/webhooks/${id}/test`],
      ['POST', `/api/v1/webhooks/${id}/secret`],
    ] as const)
      expect((await app.api(technician).call(method, path)).status).toBe(403);
    expect((await app.guest().call('GET', '/api/v1/webhooks')).status).toBe(401);
  });

  test('show their secret once, to whoever made them', async () => {
    const app = await house();
    const { url } = await receiver();
    const admin = app.as(await app.given.owner());

    const made = await admin.submit(
      '/admin/webhooks/new',
      { name: 'Chat', url, events: ['ticket.created', 'registration-key.redeemed'], isOn: 'true' },
      { action: '/admin/webhooks' },
    );
    const path = new URL(made.url).pathname;

    expect(made.text).toMatch(/whsec_[A-Za-z0-9+/&#x;]{40}/);
    expect((await app.as(await app.given.owner()).get(path)).text).not.toContain('whsec_');
    const api = await app.api(await app.given.owner()).call('GET', '/api/v1/webhooks');
    expect(api.text).not.toContain('whsec_');
  });

  for (const locale of ['en', 'fr'] as const) {
    test(`have pages that can all be read in ${locale}`, async () => {
      const app = await house();
      const { url } = await receiver();
      const { id } = await endpointAt(app, url);
      const admin = app.as(await app.given.administrator({ locale }));
      await app.api(await app.given.owner()).call('POST', `/api/v1/webhooks/${id}/test`);

      for (const path of [
        '/admin/webhooks',
        '/admin/webhooks/new',
        `/admin/webhooks/${id}`,
        `/admin/webhooks/${id}/edit`,
      ]) {
        const page = await admin.get(path);
        expect({ path, status: page.status }).toEqual({ path, status: 200 });
        expect(page.text).not.toMatch(/⟦|webhooks:[a-z]/);
      }
    });
  }

  test('come again after ever longer pauses, and hear a receiver that says when', () => {
    const pauses = Array.from({ length: MOST_ATTEMPTS }, (_, at) =>
      pauseAfter(at + 1, { retryAfter: undefined, chance: 0 }),
    );

    expect(pauses.slice(0, 3)).toEqual([5_000, 30_000, 300_000]);
    expect(pauses.at(-1)).toBeNull();
    expect(pauseAfter(1, { retryAfter: '120', chance: 0 })).toBe(120_000);
    expect(pauseAfter(1, { retryAfter: '999999', chance: 0 })).toBe(3_600_000);
  });
});

describe('webhooks from the command line', () => {
  test('are added, changed, tried, switched and removed, on record, and the secret is shown once', async () => {
    const app = await house();
    const { url, got } = await receiver();
    const run = commandsOf(app.house);
    const did = async <T = Printed>(words: string): Promise<T> => {
      const ended = await run(`${words} --json`);
      expect(ended.err, words).toBe('');
      return ended.json() as T;
    };

    const added = await did(`webhook add ${url} --name HR --events registration-key.minted`);
    const tried = await did(`webhook test ${added.id}`);
    const edited = await did(`webhook edit ${added.id} --events ticket.created,user.created`);
    const off = await did(`webhook off ${added.id}`);
    const on = await did(`webhook on ${added.id}`);
    const rotated = await did(`webhook secret ${added.id}`);
    const shown = await did(`webhook show ${added.id}`);
    const [sent] = await did<Printed[]>(`webhook deliveries ${added.id}`);
    const again = await run(`webhook redeliver ${added.id} ${sent?.id ?? ''}`);
    const inside = await run('webhook add http://10.0.0.1/ --events ticket.created');
    const unknown = await run(`webhook edit ${added.id} --events no.such`);
    const listed = await did('webhook list');
    await did(`webhook remove ${added.id}`);
    const gone = await run(`webhook show ${added.id}`);

    expect(added.secret).toMatch(/^whsec_/);
    expect(tried).toMatchObject({ event: 'webhook.test', state: 'done', status: 204 });
    expect(got).toHaveLength(1);
    expect(edited.events).toEqual(['ticket.created', 'user.created']);
    expect([off.isOn, on.isOn]).toEqual([false, true]);
    expect(rotated.secret).not.toBe(added.secret);
    expect(JSON.stringify([shown, listed])).not.toContain('whsec_');
    expect([again.code, inside.code, unknown.code, gone.code]).toEqual([1, 64, 64, 66]);
    const acts = (await auditOf({ url: app.databaseUrl }, me)).map(({ action }) => action);
    expect(acts.filter((act) => act.startsWith('webhook.'))).toEqual([
      'webhook.added',
      'webhook.tested',
      'webhook.edited',
      'webhook.edited',
      'webhook.edited',
      'webhook.secret-replaced',
      'webhook.removed',
    ]);
  });
});

/** What commands print of one thing; each has some of it. */
interface Printed {
  id: string;
  key: string;
  keyId: string;
  name: string;
  secret: string;
  events: string[];
  isOn: boolean;
}

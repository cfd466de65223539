import { describe, expect, test } from 'vitest';
import { describeOnEachEngine } from '../support/databases.ts';
import type { Answer, HttpClient } from '../support/http-client.ts';
import { route, type Route } from '../../src/http/route.ts';
import { json, text } from '../../src/http/reply.ts';
import { ForbiddenError } from '../../src/shared/errors.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

/** What differs from answer to answer, and what a HEAD has no body for. */
const ofTheirOwn = ['date', 'x-request-id', 'content-length', 'set-cookie', 'keep-alive', 'connection'];

const headersOf = ({ headers }: Answer): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !ofTheirOwn.includes(name))
      .map(([name, value]) => [name, String(value).replaceAll(/'nonce-[^']+'/g, "'nonce'")]),
  );

async function opened(app: TestApp, phone: HttpClient): Promise<{ path: string; page: Answer }> {
  const { url } = await app.given.invitationKey({ maxUses: 5 });
  const page = await phone.get(new URL(url).pathname);
  const { pathname, search } = new URL(page.url);
  return { path: pathname + search, page };
}

describeOnEachEngine('a page that a whole class opens in the same minute', (engine) => {
  test('has the headers of every other page, though it does not go their way', async () => {
    const app = await startTestApp({ engine });
    const phone = app.guest();
    const { path, page } = await opened(app, phone);

    const usual = await phone.send(path, { method: 'HEAD' });

    expect(page.status).toBe(200);
    expect(headersOf(page)).toEqual(headersOf(usual));
    expect(page.headers['x-request-id']).toMatch(/^[0-9a-f]{8}$/);
  });

  test('has a nonce and a form of its own for everybody', async () => {
    const app = await startTestApp({ engine });
    const [jo, marie] = [app.guest(), app.guest()];
    const { page } = await opened(app, jo);
    const again = await jo.get(page.url.replace(app.origin, ''));
    const other = await opened(app, marie);

    const texts = [page, again, other.page].map(({ text }) => text);
    for (const mark of [/nonce="([^"]+)"/, /name="redeemId" value="([^"]+)"/]) {
      expect(new Set(texts.map((text) => mark.exec(text)?.[1])).size).toBe(3);
    }
    const csrf = texts.map((text) => /name="_csrf" value="([^"]+)"/.exec(text)?.[1]);
    expect(csrf[0]).toBe(csrf[1]);
    expect(csrf[0]).not.toBe(csrf[2]);
  });

  test('speaks the language that the phone asks for', async () => {
    const app = await startTestApp({ engine });
    const phone = app.guest();
    const { path } = await opened(app, phone);

    const french = await phone.send(path, {
      method: 'GET',
      headers: { 'accept-language': 'fr-CA,fr;q=0.9' },
    });
    const chosen = await phone.send(`${path}&lang=fr`, { method: 'GET' });

    for (const { text } of [french, chosen]) expect(text).toContain('<html lang="fr"');
  });

  test('is another page for somebody who is signed in', async () => {
    const app = await startTestApp({ engine });
    const browser = app.as(await app.given.user());
    await browser.get('/');
    const { page } = await opened(app, browser);

    expect(page.text).not.toContain('name="redeemId"');
  });

  test('that asks for nonsense gets the page for that', async () => {
    const app = await startTestApp({ engine });
    const phone = app.guest();

    const answer = await phone.send(`/join?h=a&h=b`, { method: 'GET' });

    expect(answer.status).toBe(400);
    expect(answer.text).toContain('</html>');
  });

  test('counts among the requests', async () => {
    const app = await startTestApp({ engine, config: { METRICS_TOKEN: 'a-token-for-prometheus' } });
    await opened(app, app.guest());

    const metrics = await app.guest().send('/metrics', {
      method: 'GET',
      headers: { authorization: 'Bearer a-token-for-prometheus' },
    });

    expect(metrics.text).toMatch(
      /latchkey_http_request_seconds_count\{method="GET",route="\/join",status="200"\} 1/,
    );
  });
});

describe('data that hundreds of programs ask for in the same minute', () => {
  const PATH = '/api/rush';
  const rushing = (handler: Route['handler']): Route =>
    route({ method: 'get', path: PATH, access: 'public', rush: true, handler });

  async function asked(
    handler: Route['handler'],
    headers: Record<string, string> = {},
  ): Promise<{ app: TestApp; send: (method: 'GET' | 'HEAD') => Promise<Answer> }> {
    const app = await startTestApp({ config: { METRICS_TOKEN: 'a-token-for-prometheus' } });
    app.house.routes.add([rushing(handler)], 'test');
    return { app, send: (method) => app.guest().send(`${PATH}?lang=fr`, { method, headers }) };
  }

  test.each([
    ['json', json({ said: 'Été' }, { headers: { 'X-Own': 'yes' } })],
    ['text', text('{"said":"Été"}', 'application/json; charset=utf-8', { status: 203 })],
    ['a long text', text('é'.repeat(40_000), 'text/plain; charset=utf-8')],
  ])('has the headers of every other answer as %s, though it does not go their way', async (_kind, reply) => {
    const { send } = await asked(() => reply);

    const [quick, again, usual] = [await send('GET'), await send('GET'), await send('HEAD')];

    expect(quick.status).toBe(reply.status ?? 200);
    expect(quick.text).toBe(reply.kind === 'text' ? reply.text : '{"said":"Été"}');
    expect(again.text).toBe(quick.text);
    expect(headersOf(quick)).toEqual(headersOf(usual));
    expect(quick.headers['content-length']).toBe(String(Buffer.byteLength(quick.text)));
    expect(again.headers['x-request-id']).not.toBe(quick.headers['x-request-id']);
  });

  test('counts among the requests, and knows language and address of whoever asks', async () => {
    const { app, send } = await asked(({ locale, ip, cookies }) => json({ locale, ip, size: cookies.size }));

    expect((await send('GET')).json()).toEqual({ locale: 'fr', ip: '127.0.0.1', size: 0 });
    const metrics = await app.request().get('/metrics').set('authorization', 'Bearer a-token-for-prometheus');
    expect(metrics.text).toMatch(
      /latchkey_http_request_seconds_count\{method="GET",route="\/api\/rush",status="200"\} 1/,
    );
  });

  test('is asked of its handler once, also where that refuses or answers with something else', async () => {
    let calls = 0;
    const refusing = await asked(() => {
      calls += 1;
      throw new ForbiddenError('access.right');
    });
    const refused = await refusing.send('GET');
    expect([refused.status, refused.headers['content-type'], calls]).toEqual([
      403,
      'application/problem+json; charset=utf-8',
      1,
    ]);

    const other = await asked(() => {
      calls += 1;
      return { kind: 'redirect', to: '/login' };
    });
    expect([(await other.send('GET')).status, calls]).toEqual([303, 2]);
  });

  test('is not for a page of another site', async () => {
    const { send } = await asked(() => json({}), { 'sec-fetch-site': 'cross-site' });

    expect((await send('GET')).status).toBe(403);
  });
});

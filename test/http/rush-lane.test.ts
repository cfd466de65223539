import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../support/databases.ts';
import type { Answer, HttpClient } from '../support/http-client.ts';
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

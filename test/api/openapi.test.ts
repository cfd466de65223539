import { beforeAll, describe, expect, test } from 'vitest';
import type { OpenApi } from '../../src/api/openapi.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

describe('the OpenAPI document', () => {
  let app: TestApp;
  let document: OpenApi;

  beforeAll(async () => {
    app = await startTestApp();
    document = (await app.guest().call('GET', '/api/v1/openapi.json')).json() as OpenApi;
  });

  test('names every API route there is, plugins’ included', () => {
    const told = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    const standing = app.house.routes
      .all()
      .map(({ route }) => route)
      .filter(({ path }) => path.startsWith('/api/') && !/openapi\.json|\/docs$/.test(path))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);

    expect(standing.filter((one) => !told.includes(one))).toEqual([]);
    expect(told).toContain('post /api/v1/join');
    expect(told).toContain('post /api/v1/invitation-keys');
    expect(told).toContain('get /api/v1/tickets');
  });

  test('gives each operation a name of its own, a summary and what it answers', () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const names = operations.map(({ operationId }) => operationId);

    expect(new Set(names).size).toBe(names.length);
    for (const { summary, responses } of operations) {
      expect(summary.length).toBeGreaterThan(3);
      expect(Object.keys(responses).length).toBeGreaterThan(1);
    }
  });

  test('is shown to people as a page', async () => {
    const owner = app.as(await app.given.owner());

    const { status, text } = await owner.get('/developers');

    expect(status).toBe(200);
    expect(text).toContain('/api/v1/invitation-keys');
  });
});

describe('an API call', () => {
  test('that is malformed gets a problem with a code and the place, in the language asked for', async () => {
    const app = await startTestApp();
    const owner = app.api(await app.given.owner());

    const answer = await owner.call('POST', '/api/v1/tickets', { title: 5 });

    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({
      type: 'urn:latchkey:problem:input.invalid',
      status: 400,
      code: 'input.invalid',
      errors: expect.arrayContaining([expect.objectContaining({ field: 'title' })]) as unknown,
    });
  });

  test('neither reads nor sets cookies', async () => {
    const app = await startTestApp();
    const browser = app.as(await app.given.owner());

    const answer = await browser.call('GET', '/api/v1/tickets');

    expect(answer.status).toBe(401);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  test('for something that is not there says so in JSON, not in HTML', async () => {
    const app = await startTestApp();

    const answer = await app.guest().call('GET', '/api/v1/no-such-thing');

    expect(answer.status).toBe(404);
    expect(answer.json()).toMatchObject({ code: 'page.not-found' });
  });
});

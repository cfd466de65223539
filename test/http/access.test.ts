import { beforeAll, describe, expect, test } from 'vitest';
import type { Route } from '../../src/http/route.ts';
import { system } from '../../src/shared/actor.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

/** What anybody on the network may call; whoever adds one here has thought about strangers. */
const PUBLIC_PATHS = [
  /^\/login/,
  /^\/setup\//,
  /^\/forgot/,
  /^\/reset/,
  /^\/confirm-email\//,
  /^\/(join|JOIN)/,
  /^\/api\/v1\/openapi\.json$/,
  /^\/api\/v1\/docs$/,
  /^\/api\/v1\/join(\/checks)?$/,
  /^\/api\/v1\/invitation-keys\/check$/,
];

const isApi = ({ path }: Route): boolean => path.startsWith('/api/');
const isWrite = ({ method }: Route): boolean => method !== 'get';
const named = ({ method, path }: Route): string => `${method.toUpperCase()} ${path}`;
/** A path that fits the pattern, of something that does not exist. */
const concrete = ({ path }: Route): string => path.replace(/:\w+/g, '999999').replace(/\*\w+/g, 'x');

describe('who may call what', () => {
  let app: TestApp;
  let routes: Route[];

  beforeAll(async () => {
    app = await startTestApp();
    routes = app.house.routes.all().map(({ route }) => route);
  });

  const send = async (route: Route, who: 'stranger' | 'newcomer', headers: Record<string, string> = {}) => {
    const client =
      who === 'stranger' ? app.guest() : app.as(await app.given.user({ profile: 'self-service' }));
    const method = route.method.toUpperCase() as 'GET' | 'POST';
    const body = isWrite(route) ? (isApi(route) ? '{}' : 'a=b') : undefined;
    return client.send(concrete(route), {
      method,
      headers: {
        ...(isWrite(route)
          ? { 'content-type': isApi(route) ? 'application/json' : 'application/x-www-form-urlencoded' }
          : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
  };

  test('a stranger finds no public route that nobody has thought about', () => {
    const surprising = routes
      .filter(({ access }) => access === 'public')
      .filter(({ path }) => !PUBLIC_PATHS.some((known) => known.test(path)));

    expect(surprising.map(named)).toEqual([]);
  });

  test('a stranger is led to the sign-in by every page, and refused by every other route', async () => {
    const closed = routes.filter(({ access }) => access !== 'public');
    expect(closed.length).toBeGreaterThan(50);

    for (const route of closed) {
      const { status, headers } = await send(route, 'stranger', { 'sec-fetch-site': 'same-origin' });
      const expected = isApi(route) || isWrite(route) ? 401 : 303;
      expect(`${named(route)} ${String(status)}`).toBe(`${named(route)} ${String(expected)}`);
      if (expected === 303) expect(headers['location']).toMatch(/^\/login\?next=/);
    }
  });

  test('another site can start no write, whatever the browser holds', async () => {
    for (const route of routes.filter((one) => isWrite(one) && !isApi(one))) {
      const { status } = await send(route, 'newcomer', {
        'sec-fetch-site': 'cross-site',
        origin: 'https://evil.example',
      });
      expect(`${named(route)} ${String(status)}`).toBe(`${named(route)} 403`);
    }
  });

  test('a form without its token is refused everywhere', async () => {
    const client = app.as(await app.given.owner());
    for (const route of routes.filter((one) => isWrite(one) && !isApi(one))) {
      const { status } = await client.send(concrete(route), {
        method: route.method.toUpperCase() as 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
        body: 'a=b',
      });
      expect(`${named(route)} ${String(status)}`).toBe(`${named(route)} 403`);
    }
  });

  test('an API call from a page of another site is refused, also a public one', async () => {
    for (const route of routes.filter(isApi)) {
      const { status } = await send(route, 'stranger', { origin: 'https://evil.example' });
      expect([401, 403]).toContain(status);
    }
  });

  test('somebody who only asks for help reaches no page that needs more', async () => {
    const newcomer = app.as(await app.given.user({ profile: 'self-service' }));
    const rightsOfNewcomers = new Set(app.house.domains.rights.suggestedFor('self-service'));
    const closed = routes.filter(
      ({ access, method }) =>
        typeof access === 'object' && method === 'get' && !rightsOfNewcomers.has(access.right),
    );
    expect(closed.length).toBeGreaterThan(10);

    for (const route of closed.filter((one) => !isApi(one))) {
      const { status } = await newcomer.send(concrete(route), { method: 'GET' });
      expect(`${named(route)} ${String(status)}`).toBe(`${named(route)} 403`);
    }
  });

  test('every right that a route asks for is one that exists', () => {
    const { rights } = app.house.domains;
    const asked = routes.flatMap(({ access }) => (typeof access === 'object' ? [access.right] : []));

    expect([...new Set(asked)].filter((right) => !rights.has(right))).toEqual([]);
    expect(system.can('anything')).toBe(true);
  });
});

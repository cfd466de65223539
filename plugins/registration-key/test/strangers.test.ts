import { expect, test } from 'vitest';
import type { Route } from '../../../src/http/route.ts';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';

const ROOT = '/api/v1/invitation-keys';
const ADDRESS = 'a@acme.test';

/** What each call needs to be understood, so that the answer is about the right and not about the form. A new route finds its way here. */
const bodies: Record<string, (ids: Ids) => object> = {
  [`PATCH ${ROOT}/:id`]: () => ({ version: 1, label: 'Mine' }),
  [`POST ${ROOT}/:id/agree`]: () => ({ version: 1 }),
  [`POST ${ROOT}/batch`]: () => ({ count: 2 }),
  [`POST ${ROOT}/bulk-revoke`]: ({ key }) => ({ ids: [key] }),
  [`POST ${ROOT}/bulk-extend`]: ({ key }) => ({ ids: [key], days: 7 }),
  [`POST ${ROOT}/purge`]: () => ({ what: ['expired', 'used-up', 'revoked'] }),
  [`POST ${ROOT}/presets`]: ({ key }) => ({ key, name: 'Mine' }),
  [`PATCH ${ROOT}/presets/:id`]: () => ({ name: 'Mine' }),
  [`POST ${ROOT}/steps`]: () => ({ phase: 'before', title: 'Mine', body: 'Mine' }),
  [`POST ${ROOT}/steps/:id/move`]: () => ({ direction: 'up' }),
  [`POST ${ROOT}/:id/copies`]: () => ({ name: 'Mine' }),
  [`PUT ${ROOT}/:id/notices`]: () => ({ joins: 'none', warnings: false }),
  [`POST ${ROOT}/:id/invited`]: () => ({ emails: [ADDRESS] }),
  [`POST ${ROOT}/:id/roster/remove`]: () => ({ who: ADDRESS }),
  [`POST ${ROOT}/rounds`]: () => ({ people: ADDRESS }),
  [`POST ${ROOT}/rounds/:id/correct`]: () => ({ corrections: [] }),
  [`POST ${ROOT}/rounds/:id/start`]: () => ({ kind: 'personal' }),
  [`POST ${ROOT}/:id/guard/resume`]: () => ({ raise: true }),
  [`POST ${ROOT}/:id/undo`]: () => undo,
  [`POST ${ROOT}/:id/undo/preview`]: () => undo,
};
const undo = { since: '2026-01-01T00:00:00Z', action: 'suspend', withDescendants: false };

interface Ids {
  key: string;
  round: string;
  invitee: string;
  copy: string;
  preset: string;
}

const named = ({ method, path }: Route): string => `${method.toUpperCase()} ${path}`;

/** A house with one of everything, and where each of it is found. */
async function furnished(app: TestApp): Promise<Ids> {
  const owner = app.api(await app.given.owner());
  const id = async (path: string, body: object): Promise<string> =>
    ((await owner.call('POST', path, body)).json() as { id: string }).id;
  const { id: key } = await app.given.invitationKey({ emailProof: 'required' });
  await owner.call('POST', `${ROOT}/${key}/invited`, { emails: ['b@acme.test'] });
  const invited = (await owner.call('GET', `${ROOT}/${key}/invited`)).json() as { items: { id: string }[] };
  return {
    key,
    round: await id(`${ROOT}/rounds`, { people: 'c@acme.test' }),
    invitee: invited.items[0]?.id ?? '',
    copy: await id(`${ROOT}/${key}/copies`, { name: 'Poster' }),
    preset: await id(`${ROOT}/presets`, { key, name: 'Usual' }),
  };
}

function pathFor({ path }: Route, { key, round, invitee, copy, preset }: Ids): string {
  const id = path.includes('/rounds/') ? round : path.includes('/presets/') ? preset : key;
  return path
    .replace(':copyId', copy)
    .replace(':invitee', invitee)
    .replace(':code', 'K7Q2-X')
    .replace(':id', id);
}

/** All that the plugin keeps. */
async function contentOf(app: TestApp): Promise<string> {
  const tables = [
    'key',
    'round',
    'round_line',
    'copy',
    'preset',
    'mailing',
    'roster',
    'notice_choice',
    'undo',
    'batch',
  ];
  const rows = await Promise.all(tables.map((name) => app.db.knex(`invite_${name}`).select('*')));
  return JSON.stringify(rows);
}

describeOnEachEngine('somebody without any right over keys', (engine) => {
  test('gets nothing and changes nothing by any call of the API', { timeout: 60_000 }, async () => {
    const app = await startTestApp({ engine, mail: true });
    const ids = await furnished(app);
    const before = await contentOf(app);
    const routes = app.house.routes
      .all()
      .map(({ route }) => route)
      .filter(({ path, access }) => path.startsWith(ROOT) && access !== 'public');
    expect(routes.length).toBeGreaterThan(60);
    const plain = app.api(await app.given.user());

    for (const route of routes) {
      const method = route.method.toUpperCase() as 'POST';
      const body = route.method === 'get' ? undefined : (bodies[named(route)]?.(ids) ?? {});
      const { status, text } = await plain.call(method, pathFor(route, ids), body);
      // What touches many answers how many: none.
      const isNothing = status === 200 && isEmpty(JSON.parse(text));
      expect(isNothing || status === 403 || status === 404, `${named(route)} ${String(status)} ${text}`).toBe(
        true,
      );
    }

    expect(await contentOf(app)).toBe(before);
  });
});

const isEmpty = (answer: unknown): boolean =>
  typeof answer === 'object' &&
  answer !== null &&
  (('done' in answer && answer.done === 0) ||
    ('items' in answer && Array.isArray(answer.items) && answer.items.length === 0) ||
    'openKeys' in answer);

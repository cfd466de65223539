import type { Answer, HttpClient } from '../../../../test/support/http-client.ts';
import type { Person } from '../../../../test/support/given.ts';
import type { TestApp } from '../../../../test/support/test-app.ts';

/** A page as a reader sees it. */
export const words = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

export const codeOf = (answer: Answer): string => String((answer.json() as { code: unknown }).code);
export const pathOf = (answer: Answer): string => new URL(answer.url).pathname;

export async function ownerApi(app: TestApp): Promise<HttpClient> {
  return app.api(await app.given.owner());
}

/** A group, made by the owner. */
export async function groupOf(app: TestApp, name: string): Promise<string> {
  const api = await ownerApi(app);
  const { items } = (await api.call('GET', '/api/v1/entities')).json() as { items: { id: string }[] };
  const answer = await api.call('POST', '/api/v1/groups', { name, entityId: items[0]?.id });
  return (answer.json() as { id: string }).id;
}

export async function groupsOf(app: TestApp, email: string): Promise<string[]> {
  const person = await app.house.domains.users.findByEmail(email);
  const answer = await (await ownerApi(app)).call('GET', `/api/v1/users/${person?.id ?? ''}`);
  return (answer.json() as { groups: { name: string }[] }).groups.map(({ name }) => name).sort();
}

export async function usersIn(app: TestApp): Promise<number> {
  return ((await (await ownerApi(app)).call('GET', '/api/v1/users')).json() as { total: number }).total;
}

/** What the log says that was done, oldest first. */
export async function audited(app: TestApp, action: string): Promise<Record<string, unknown>[]> {
  return app.db.knex('audit_entries').where({ action }).orderBy('id').select('*');
}

export async function uses(app: TestApp, keyId: string): Promise<number> {
  const row: { uses: unknown } = await app.db.knex('invite_key').where({ id: keyId }).first('uses');
  return Number(row.uses);
}

/** Who is signed in sees their account; anybody else is asked to sign in. */
export const isSignedIn = async (browser: HttpClient): Promise<boolean> =>
  pathOf(await browser.get('/account')) === '/account';

export async function revoke(app: TestApp, keyId: string, what = 'revoke'): Promise<Answer> {
  return (await ownerApi(app)).call('POST', `/api/v1/invitation-keys/${keyId}/${what}`);
}

export async function anonymise(app: TestApp, { id }: Pick<Person, 'id'>): Promise<void> {
  const { users, userAdmin } = app.house.domains;
  const actor = await users.actorOf((await app.given.owner()).id);
  if (actor === null) throw new Error('The owner is gone');
  await userAdmin.setStatus(actor, id, 'disabled');
  await userAdmin.anonymise(actor, id);
}

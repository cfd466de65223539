import { randomUUID } from 'node:crypto';
import { ROOT_ENTITY_ID } from '../../../src/identity/index.ts';
import { system } from '../../../src/shared/actor.ts';
import type { Answer, HttpClient } from '../../../test/support/http-client.ts';
import type { Person, PersonDraft } from '../../../test/support/given.ts';
import type { TestApp } from '../../../test/support/test-app.ts';

export const PASSWORD = 'four quiet words here';

let count = 0;

/** Somebody who has never been here. */
export const somebody = (draft: Partial<Newcomer> = {}): Newcomer => {
  count += 1;
  return {
    email: `newcomer${String(count)}@acme.test`,
    name: `Jo Martin ${String(count)}`,
    password: PASSWORD,
    redeemId: randomUUID(),
    ...draft,
  };
};

export interface Newcomer {
  email: string;
  name: string;
  password: string;
  redeemId: string;
}

/** As a program joins. */
export const joinByApi = (
  app: TestApp,
  key: string,
  newcomer: Newcomer,
  more: object = {},
): Promise<Answer> => app.guest().call('POST', '/api/v1/join', { key, ...newcomer, ...more });

/** As a person joins: the link, the form, what comes after. */
export async function joinByBrowser(
  browser: HttpClient,
  key: string,
  newcomer: Partial<Newcomer> = {},
): Promise<Answer> {
  const { email, name, password } = somebody(newcomer);
  return browser.submit(`/join/${key}`, { email, name, password }, { action: '/join' });
}

/** Somebody with an account in another part of the house: a key of the top gives them something new. */
export async function somebodyElsewhere(app: TestApp, draft: PersonDraft = {}): Promise<Person> {
  const place = { name: 'Lyon', parentId: ROOT_ENTITY_ID };
  const { id } = await app.house.domains.entityAdmin.create(system, place);
  return app.given.user({ entityId: id, ...draft });
}

export async function keyOf(app: TestApp, id: string): Promise<Record<string, unknown>> {
  return (
    await app.api(await app.given.owner()).call('GET', `/api/v1/invitation-keys/${id}`)
  ).json() as Record<string, unknown>;
}

export async function redemptionsOf(
  app: TestApp,
  id: string,
): Promise<{ total: number; items: Record<string, unknown>[] }> {
  const answer = await app
    .api(await app.given.owner())
    .call('GET', `/api/v1/invitation-keys/${id}/redemptions?perPage=100`);
  return answer.json() as { total: number; items: Record<string, unknown>[] };
}

export const statusesOf = (answers: readonly Answer[]): Record<string, number> => {
  const counted: Record<string, number> = {};
  for (const { status } of answers) counted[String(status)] = (counted[String(status)] ?? 0) + 1;
  return counted;
};

import { z } from 'zod';
import { defineSetting } from '../../../../src/settings/index.ts';
import { system } from '../../../../src/shared/actor.ts';
import type { Answer, HttpClient } from '../../../../test/support/http-client.ts';
import type { Person } from '../../../../test/support/given.ts';
import { days } from '../../../../test/support/clock.ts';
import type { TestApp } from '../../../../test/support/test-app.ts';

export const KEYS = '/api/v1/invitation-keys';

export const mint = (api: HttpClient, draft: object = {}): Promise<Answer> => api.call('POST', KEYS, draft);

/** A setting of the plugin, as its page would change it. */
export async function pluginSetting(
  app: TestApp,
  name: string,
  value: boolean | number | string,
): Promise<void> {
  const schema = z.union([z.boolean(), z.number(), z.string(), z.null()]);
  await app.given.setting(defineSetting({ id: `registration-key.${name}`, schema, default: null }), value);
}

/** Somebody who may invite within the quota, and has been here long enough. */
export async function member(app: TestApp): Promise<{ person: Person; api: HttpClient }> {
  await pluginSetting(app, 'peopleMayInvite', true);
  const person = await app.given.user();
  app.clock.advance(days(5));
  return { person, api: app.api(person) };
}

export async function total(app: TestApp): Promise<number> {
  const answer = await app.api(await app.given.owner()).call('GET', KEYS);
  return (answer.json() as { total: number }).total;
}

export async function rootEntity(app: TestApp): Promise<string> {
  const [root] = await app.house.domains.memberships.entities();
  return root?.id ?? '';
}

export async function entityBelowRoot(app: TestApp, name: string): Promise<string> {
  const { id } = await app.house.domains.entityAdmin.create(system, {
    name,
    parentId: await rootEntity(app),
  });
  return id;
}

export async function groupIn(app: TestApp, name: string, entityId: string): Promise<string> {
  return (await app.house.domains.groupAdmin.create(system, { name, entityId })).id;
}

export const fieldsOf = (answer: Answer): string[] =>
  (answer.json() as { errors?: { field: string }[] }).errors?.map(({ field }) => field) ?? [];

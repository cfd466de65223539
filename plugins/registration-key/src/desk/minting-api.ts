import { empty, json, route, z, type ApiFacts, type Host, type Route } from 'latchkey/plugin-api';
import { MOST_AT_ONCE, type BatchService } from '../keys/batch-service.ts';
import { deadKinds, MOST_AT_A_TIME, type KeyBulk } from '../keys/key-bulk.ts';
import { draftFrom, keyJson, keySchema, mintBody, shownKeySchema } from './key-json.ts';
import type { KeyService } from '../keys/key-service.ts';
import type { MemberQuota } from '../keys/member-quota.ts';
import type { PresetBook } from '../keys/preset-book.ts';
import type { Preset } from '../keys/preset-repository.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  presets: PresetBook;
  batches: BatchService;
  bulk: KeyBulk;
  quota: MemberQuota;
}

const ROOT = '/api/v1/invitation-keys';
const tag = 'Invitation keys';
const idParams = z.object({ id: z.string().max(40) });
const idsBody = z.strictObject({ ids: z.array(z.string().max(40)).min(1).max(MOST_AT_A_TIME) });
const bulkSchema = z.object({
  done: z.int(),
  skipped: z.array(z.object({ id: z.string(), code: z.string() })),
});
const presetSchema = z.object({
  id: z.string(),
  name: z.string(),
  entity: z.string(),
  lifeMs: z.int().nullable(),
  settings: z.record(z.string(), z.unknown()),
  createdAt: z.string(),
  createdBy: z.string(),
});
const allowanceSchema = z.object({
  openKeys: z.int(),
  open: z.int(),
  perDay: z.int(),
  madeToday: z.int(),
  uses: z.int(),
  days: z.int(),
  waitsUntil: z.string().nullable(),
  groups: z.array(z.string()),
});

const facts = (summary: string, scope: 'read' | 'write', schema: z.ZodType, status = 200): ApiFacts => ({
  summary,
  tag,
  scope: `invitation-keys:${scope}`,
  responses: { [status]: { description: summary, schema } },
});

/** Many keys at once, presets, bulk actions, the second yes and the quota, for programs. */
export function mintingApi({ host, keys, presets, batches, bulk, quota }: Deps): Route[] {
  return [
    route({
      method: 'post',
      path: `${ROOT}/batch`,
      access: 'signed-in',
      body: mintBody.extend({ count: z.int() }),
      api: facts(
        `Make up to ${String(MOST_AT_ONCE)} keys with the same settings, all or none; their texts are in this answer only`,
        'write',
        z.object({ batch: z.string(), items: z.array(shownKeySchema) }),
        201,
      ),
      handler: async ({ actor, body: { count, ...draft } }) => {
        const { batch, made } = await batches.mint(actor, draftFrom(draft), count);
        const items = await keyJson(
          host,
          made.map(({ key }) => key),
        );
        const shown = items.map((item, at) => ({ ...item, key: made[at]?.text, url: made[at]?.url }));
        return json({ batch: batch.id, items: shown }, { status: 201 });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/bulk-revoke`,
      access: 'signed-in',
      body: idsBody,
      api: facts('Close several keys; those that cannot be closed are named', 'write', bulkSchema),
      handler: async ({ actor, body }) => json(await bulk.revoke(actor, body.ids)),
    }),
    route({
      method: 'post',
      path: `${ROOT}/bulk-extend`,
      access: 'signed-in',
      body: idsBody.extend({ days: z.int() }),
      api: facts(
        'Move the end of several keys by so many days, from today where they are over',
        'write',
        bulkSchema,
      ),
      handler: async ({ actor, body }) => json(await bulk.extend(actor, body.ids, body.days)),
    }),
    route({
      method: 'post',
      path: `${ROOT}/purge`,
      access: 'signed-in',
      body: z.strictObject({ what: z.array(z.enum(deadKinds)).min(1) }),
      api: facts(
        'Clear away dead keys; those with a history leave the lists and keep it',
        'write',
        bulkSchema.extend({ left: z.boolean() }),
      ),
      handler: async ({ actor, body }) => json(await bulk.purge(actor, body.what)),
    }),
    route({
      method: 'get',
      path: `${ROOT}/presets`,
      access: 'signed-in',
      api: facts('Presets that keys can be made from', 'read', z.object({ items: z.array(presetSchema) })),
      handler: async ({ actor }) => json({ items: (await presets.list(actor)).map(presetJson) }),
    }),
    route({
      method: 'post',
      path: `${ROOT}/presets`,
      access: 'signed-in',
      body: z.strictObject({ key: z.string().max(40), name: z.string().max(200) }),
      api: facts('Keep the settings of a key as a preset', 'write', presetSchema, 201),
      handler: async ({ actor, body }) =>
        json(presetJson(await presets.keep(actor, body.key, body.name)), { status: 201 }),
    }),
    route({
      method: 'patch',
      path: `${ROOT}/presets/:id`,
      access: 'signed-in',
      params: idParams,
      body: z.strictObject({ name: z.string().max(200) }),
      api: facts('Give a preset another name', 'write', presetSchema),
      handler: async ({ actor, params, body }) =>
        json(presetJson(await presets.rename(actor, params.id, body.name))),
    }),
    route({
      method: 'delete',
      path: `${ROOT}/presets/:id`,
      access: 'signed-in',
      params: idParams,
      api: {
        summary: 'Remove a preset; the keys made from it stay',
        tag,
        scope: 'invitation-keys:write',
        responses: { 204: { description: 'Gone' } },
      },
      handler: async ({ actor, params }) => {
        await presets.remove(actor, params.id);
        return empty();
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/allowance`,
      access: { right: 'registration-key.invite' },
      api: facts('How much this person may still invite', 'read', allowanceSchema),
      handler: async ({ actor }) => {
        const { waitsUntil, groups, accountDays: _accountDays, ...rest } = await quota.allowanceOf(actor);
        return json({
          ...rest,
          waitsUntil: waitsUntil === null ? null : new Date(waitsUntil).toISOString(),
          groups: groups.map(({ id }) => id),
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/agree`,
      access: 'signed-in',
      params: idParams,
      body: z.strictObject({ version: z.int() }),
      api: facts(
        'Agree, as a second administrator, to a key that makes people of the staff',
        'write',
        keySchema,
      ),
      handler: async ({ actor, params, body }) =>
        json((await keyJson(host, [await keys.agree(actor, params.id, body.version)]))[0]),
    }),
  ];
}

const presetJson = (preset: Preset): z.infer<typeof presetSchema> => ({
  id: preset.id,
  name: preset.name,
  entity: preset.entityId,
  lifeMs: preset.lifeMs,
  settings: { ...preset.draft },
  createdAt: new Date(preset.createdAt).toISOString(),
  createdBy: preset.madeByName,
});

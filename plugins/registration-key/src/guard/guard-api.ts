import { json, route, z, type ApiFacts, type Host, type Route } from 'latchkey/plugin-api';
import type { KeyService } from '../keys/key-service.ts';
import type { TreeNode, TreeService } from '../tree/tree-service.ts';
import type { Breaker } from './breaker.ts';
import type { Evidence } from './evidence.ts';
import { historyKinds } from './guard-presenter.ts';
import { undoActions, type Undo } from './undo-repository.ts';
import type { UndoService } from './undo-service.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  evidence: Evidence;
  breaker: Breaker;
  undo: UndoService;
  tree: TreeService;
}

const ROOT = '/api/v1/invitation-keys';
const idParams = z.object({ id: z.string().max(40) });
const historyQuery = z.object({
  kind: z.enum(historyKinds).optional(),
  before: z.string().max(40).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
});
const happening = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  kind: z.string(),
  actorId: z.string().nullable(),
  actor: z.string(),
  node: z.string().nullable(),
  network: z.string(),
  before: z.record(z.string(), z.unknown()).nullable(),
  after: z.record(z.string(), z.unknown()).nullable(),
});
const undoBody = z.strictObject({
  since: z.iso.datetime({ offset: true }),
  action: z.enum(undoActions),
  withDescendants: z.boolean().default(false),
  copyId: z.string().max(40).nullable().default(null),
});
const undoSchema = z.object({
  id: z.string().nullable(),
  state: z.string(),
  action: z.string(),
  since: z.string(),
  reversibleUntil: z.string().nullable(),
  people: z.array(z.object({ userId: z.string(), name: z.string(), state: z.string() })).optional(),
  counts: z.record(z.string(), z.int()).optional(),
});
const resumeBody = z.strictObject({ raise: z.boolean().default(false) });
const treeNode = z.object({ userId: z.string(), name: z.string(), invited: z.int() });
const treeSchema = treeNode.extend({
  above: z.array(z.object({ keyId: z.string(), seat: z.int(), inviterId: z.string().nullable() })),
  children: z.array(treeNode.extend({ children: z.array(z.unknown()) })),
});

const facts = (summary: string, scope: 'read' | 'write', schema: z.ZodType, status = 200): ApiFacts => ({
  summary,
  tag: 'Invitation keys',
  scope: `invitation-keys:${scope}`,
  responses: { [status]: { description: summary, schema } },
});

/** Evidence, leaks and the tree, for programs. */
export function guardApi({ keys, evidence, breaker, undo, tree }: Deps): Route[] {
  return [
    route({
      method: 'get',
      path: `${ROOT}/:id/history`,
      access: 'signed-in',
      params: idParams,
      query: historyQuery,
      api: facts(
        'What happened to a key, newest first',
        'read',
        z.object({ items: z.array(happening), next: z.string().nullable() }),
      ),
      handler: async ({ actor, params, query }) => {
        const key = await keys.get(actor, params.id);
        const { items, next } = await evidence.history(key, query);
        return json({
          items: items.map(({ actorName, at, ...one }) => ({
            ...one,
            actor: actorName,
            at: new Date(at).toISOString(),
          })),
          next,
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/guard/resume`,
      access: 'signed-in',
      params: idParams,
      body: resumeBody,
      api: facts(
        'Let people in again after the breaker paused a key',
        'write',
        z.object({ resumed: z.boolean() }),
      ),
      handler: async ({ actor, params, body }) => {
        await breaker.resume(actor, params.id, body);
        return json({ resumed: true });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/undo`,
      access: 'signed-in',
      params: idParams,
      body: undoBody,
      api: facts(
        'Undo a leak: take back what everybody got who came after a moment',
        'write',
        undoSchema,
        201,
      ),
      handler: async ({ actor, params, body: { since, ...query } }) => {
        const started = await undo.start(actor, params.id, { ...query, since: Date.parse(since) });
        return json(undoJson(started), { status: 201 });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/undo/preview`,
      access: 'signed-in',
      params: idParams,
      body: undoBody,
      api: facts('Whom undoing a leak would touch; changes nothing', 'read', undoSchema),
      handler: async ({ actor, params, body: { since, action, ...query } }) => {
        const { people } = await undo.preview(actor, params.id, { ...query, since: Date.parse(since) });
        return json({
          id: null,
          state: 'preview',
          action,
          since,
          reversibleUntil: null,
          people: people.map(({ person }) => ({ userId: person.id, name: person.name, state: 'waiting' })),
        });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/undo/:id`,
      access: 'signed-in',
      params: idParams,
      api: facts('How undoing a leak goes on', 'read', undoSchema),
      handler: async ({ actor, params }) => {
        const { undo: one, counts, people } = await undo.view(actor, params.id);
        return json({
          ...undoJson(one),
          counts,
          people: people.map(({ row, person }) => ({
            userId: row.userId,
            name: person?.name ?? '',
            state: row.state,
          })),
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/undo/:id/reverse`,
      access: 'signed-in',
      params: idParams,
      api: facts('Turn back the undoing of a leak', 'write', undoSchema),
      handler: async ({ actor, params }) => json(undoJson(await undo.reverse(actor, params.id))),
    }),
    route({
      method: 'get',
      path: `${ROOT}/tree/:id`,
      access: { right: 'registration-key.read' },
      params: idParams,
      api: facts('Who brought this person, and whom they brought', 'read', treeSchema),
      handler: async ({ actor, params }) => {
        const { root, above } = await tree.around(actor, params.id);
        return json({
          ...nodeJson(root),
          above: above.map(({ branch: { keyId, seat, inviterId } }) => ({ keyId, seat, inviterId })),
        });
      },
    }),
  ];
}

const undoJson = ({ id, state, action, since, reversibleUntil }: Undo): z.infer<typeof undoSchema> => ({
  id,
  state,
  action,
  since: new Date(since).toISOString(),
  reversibleUntil: new Date(reversibleUntil).toISOString(),
});

interface NodeJson {
  userId: string;
  name: string;
  invited: number;
  children: NodeJson[];
}

const nodeJson = ({ person, invited, children }: TreeNode): NodeJson => ({
  userId: person.id,
  name: person.name,
  invited,
  children: children.map(nodeJson),
});

import {
  empty,
  json,
  route,
  z,
  type ApiFacts,
  type Host,
  type Incoming,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { mintBody, draftFrom } from '../desk/key-json.ts';
import type { KeyService } from '../keys/key-service.ts';
import type { RosterFacts, RosterService } from '../roster/roster-service.ts';
import type { AgainService } from './again-service.ts';
import { listInvitees } from './invitee-repository.ts';
import type { MailingService } from './mailing-service.ts';
import {
  inviteeJson,
  inviteeSchema,
  lineJson,
  lineSchema,
  rosterSchema,
  roundJson,
  roundSchema,
} from './reach-json.ts';
import { verdicts } from './round.ts';
import type { RoundService } from './round-service.ts';

interface Deps {
  host: Host;
  rounds: RoundService;
  again: AgainService;
  rosters: RosterService;
  keys: KeyService;
  mailings: MailingService;
}

const KEYS = '/api/v1/invitation-keys';
const ROUNDS = `${KEYS}/rounds`;
const tag = 'Invitation rounds';
const idParams = z.object({ id: z.string().max(40) });
const pageQuery = z.object({
  page: z.coerce.number().int().min(1).max(100_000).default(1),
  perPage: z.coerce.number().int().min(1).max(100).default(25),
});
const pageOf = (items: z.ZodType): z.ZodType =>
  z.object({ items: z.array(items), page: z.int(), perPage: z.int(), total: z.int() });

const message = z.string().trim().max(1000, 'round.message_too_long').optional();
const openBody = z.strictObject({
  /** A pasted list or the text of a table; Discourse's as it is. */
  people: z.string().min(1).max(900_000),
  source: z.string().max(160).optional(),
  keyId: z.string().max(40).optional(),
  numbers: z.boolean().optional(),
});
const correctBody = z.strictObject({
  corrections: z
    .array(
      z.strictObject({
        lineId: z.string().max(40),
        email: z.string().max(320),
        leaveOut: z.boolean().optional(),
      }),
    )
    .max(200),
});
const { email: _email, customKey: _customKey, showOnce: _showOnce, ...draftShape } = mintBody.shape;
const startBody = z.strictObject({
  kind: z.enum(['shared', 'personal', 'roster']),
  message,
  locale: z.enum(['en', 'fr']).nullable().optional(),
  key: z.strictObject(draftShape).optional(),
  groupsFromList: z.boolean().optional(),
  withAccounts: z.boolean().optional(),
  withInvited: z.boolean().optional(),
  mails: z.boolean().optional(),
  keepsAddresses: z.boolean().optional(),
});
const messageBody = z.strictObject({ message });
const sendBody = z.strictObject({
  emails: z.array(z.string().max(320)).min(1).max(50),
  message,
  locale: z.enum(['en', 'fr']).nullable().optional(),
});
const removeBody = z.strictObject({ who: z.string().max(320) });

const facts = (summary: string, scope: 'read' | 'write', schema: z.ZodType, status = 200): ApiFacts => ({
  summary,
  tag,
  scope: `invitation-keys:${scope}`,
  responses: { [status]: { description: summary, schema } },
});

/** `/api/v1/invitation-keys/rounds`, who a key was mailed to, and its list. */
export function reachApi({ host, rounds, again, rosters, keys, mailings }: Deps): Route[] {
  const one = async ({ actor }: Pick<Incoming, 'actor'>, id: string, status = 200): Promise<Reply> =>
    json(roundJson(await rounds.get(actor, id)), { status });

  const action = (name: 'pause' | 'resume' | 'stop', summary: string): Route =>
    route({
      method: 'post',
      path: `${ROUNDS}/:id/${name}`,
      access: 'signed-in',
      params: idParams,
      api: facts(summary, 'write', roundSchema),
      handler: async (incoming) => {
        await rounds[name](incoming.actor, incoming.params.id);
        return one(incoming, incoming.params.id);
      },
    });

  return [
    route({
      method: 'post',
      path: ROUNDS,
      access: 'signed-in',
      body: openBody,
      api: facts('Read a list of people and sort it; nobody is written to', 'write', roundSchema, 201),
      handler: async (incoming) => {
        const { people, source = '', keyId, numbers = false } = incoming.body;
        const round = await rounds.open(incoming.actor, { text: people, source, keyId, byNumber: numbers });
        return one(incoming, round.id, 201);
      },
    }),
    route({
      method: 'get',
      path: ROUNDS,
      access: { right: 'registration-key.read' },
      query: pageQuery,
      api: facts('Rounds, newest first', 'read', pageOf(roundSchema)),
      handler: async ({ actor, query }) => {
        const found = await rounds.list(actor, {}, query);
        const items = await Promise.all(found.items.map(({ id }) => rounds.get(actor, id)));
        return json({ ...found, items: items.map(roundJson) });
      },
    }),
    route({
      method: 'get',
      path: `${ROUNDS}/:id`,
      access: 'signed-in',
      params: idParams,
      api: facts('One round, and how far it is', 'read', roundSchema),
      handler: (incoming) => one(incoming, incoming.params.id),
    }),
    route({
      method: 'get',
      path: `${ROUNDS}/:id/lines`,
      access: 'signed-in',
      params: idParams,
      query: pageQuery.extend({ verdict: z.enum(verdicts).optional() }),
      api: facts('The lines of a list, with what was found', 'read', pageOf(lineSchema)),
      handler: async ({ actor, params, query: { verdict, ...page } }) => {
        const filter = { roundId: params.id, ...(verdict === undefined ? {} : { verdicts: [verdict] }) };
        const found = await rounds.lines(actor, filter, page);
        return json({ ...found, items: found.items.map(lineJson) });
      },
    }),
    route({
      method: 'post',
      path: `${ROUNDS}/:id/correct`,
      access: 'signed-in',
      params: idParams,
      body: correctBody,
      api: facts('Correct lines of a list', 'write', roundSchema),
      handler: async (incoming) => {
        const { actor, params, body } = incoming;
        const corrections = body.corrections.map(({ leaveOut = false, ...rest }) => ({ ...rest, leaveOut }));
        await rounds.correct(actor, params.id, corrections);
        return one(incoming, params.id);
      },
    }),
    route({
      method: 'delete',
      path: `${ROUNDS}/:id`,
      access: 'signed-in',
      params: idParams,
      api: {
        summary: 'Throw a list away before it is sent',
        tag,
        scope: 'invitation-keys:write',
        responses: { 204: { description: 'Gone' } },
      },
      handler: async ({ actor, params }) => {
        await rounds.discard(actor, params.id);
        return empty();
      },
    }),
    route({
      method: 'post',
      path: `${ROUNDS}/:id/start`,
      access: 'signed-in',
      params: idParams,
      body: startBody,
      api: facts('Invite the people on a list', 'write', roundSchema),
      handler: async (incoming) => {
        const { actor, params, body } = incoming;
        const draft = body.key === undefined ? {} : draftFrom(body.key);
        await rounds.start(actor, params.id, {
          kind: body.kind,
          message: body.message ?? '',
          locale: body.locale ?? null,
          terms: {
            draft: body.kind === 'personal' ? { ...draft, maxUses: 1 } : draft,
            groupsFromList: (body.groupsFromList ?? true) && body.kind === 'personal',
            withAccounts: body.withAccounts ?? false,
            withInvited: body.withInvited ?? false,
            mails: body.mails ?? body.kind !== 'roster',
            keepsAddresses: body.keepsAddresses ?? false,
          },
        });
        return one(incoming, params.id);
      },
    }),
    action('pause', 'Write to nobody for now'),
    action('resume', 'Go on'),
    action('stop', 'Write to nobody else'),
    route({
      method: 'post',
      path: `${ROUNDS}/:id/again`,
      access: 'signed-in',
      params: idParams,
      body: messageBody,
      api: facts(
        'Write again to those of a round who have not joined; once a day',
        'write',
        roundSchema,
        201,
      ),
      handler: async (incoming) => {
        const { actor, params, body } = incoming;
        return one(incoming, (await again.toAll(actor, { roundId: params.id }, messageOf(body))).id, 201);
      },
    }),
    route({
      method: 'get',
      path: `${KEYS}/:id/invited`,
      access: 'signed-in',
      params: idParams,
      query: pageQuery.extend({ joined: z.enum(['true', 'false']).optional() }),
      api: facts('Who a key was mailed to, and what became of it', 'read', pageOf(inviteeSchema)),
      handler: async ({ actor, params, query: { joined, ...page } }) => {
        const key = await keys.get(actor, params.id);
        const filter = { keyId: key.id, ...(joined === undefined ? {} : { joined: joined === 'true' }) };
        const found = await listInvitees(host.db, filter, page);
        return json({ ...found, items: found.items.map(inviteeJson) });
      },
    }),
    route({
      method: 'post',
      path: `${KEYS}/:id/invited`,
      access: 'signed-in',
      params: idParams,
      body: sendBody,
      api: facts('Mail a key to one more person, or a few', 'write', z.object({ sent: z.int() }), 201),
      handler: async ({ actor, params, body: { emails, locale = null, ...rest } }) => {
        const wanted = { addresses: emails.join('\n'), locale, message: rest.message ?? '' };
        return json({ sent: await mailings.send(actor, params.id, wanted) }, { status: 201 });
      },
    }),
    route({
      method: 'post',
      path: `${KEYS}/:id/invited/again`,
      access: 'signed-in',
      params: idParams,
      body: messageBody,
      api: facts('Write again to all who have not joined; once a day', 'write', roundSchema, 201),
      handler: async (incoming) => {
        const { actor, params, body } = incoming;
        return one(incoming, (await again.toAll(actor, { keyId: params.id }, messageOf(body))).id, 201);
      },
    }),
    route({
      method: 'post',
      path: `${KEYS}/:id/invited/:invitee/resend`,
      access: 'signed-in',
      params: idParams.extend({ invitee: z.string().max(40) }),
      body: messageBody,
      api: facts('Write to one person again; the first link goes on working', 'write', inviteeSchema),
      handler: async ({ actor, params, body }) =>
        json(inviteeJson(await again.resend(actor, params.invitee, messageOf(body)))),
    }),
    route({
      method: 'get',
      path: `${KEYS}/:id/roster`,
      access: 'signed-in',
      params: idParams,
      api: facts('How many on the list of a key have joined', 'read', rosterSchema),
      handler: async ({ actor, params }) => json(rosterJson(await rosters.get(actor, params.id))),
    }),
    route({
      method: 'get',
      path: `${KEYS}/:id/roster/missing`,
      access: 'signed-in',
      params: idParams,
      query: pageQuery,
      api: facts(
        'Who has not joined yet, where their addresses were kept',
        'read',
        pageOf(z.object({ id: z.string(), address: z.string() })),
      ),
      handler: async ({ actor, params, query }) => json(await rosters.missing(actor, params.id, query)),
    }),
    route({
      method: 'post',
      path: `${KEYS}/:id/roster/remove`,
      access: 'signed-in',
      params: idParams,
      body: removeBody,
      api: facts('Take somebody off the list who has not joined', 'write', rosterSchema),
      handler: async ({ actor, params, body }) => {
        await rosters.remove(actor, params.id, body.who);
        return json(rosterJson(await rosters.get(actor, params.id)));
      },
    }),
    route({
      method: 'post',
      path: `${KEYS}/:id/roster/nudge`,
      access: 'signed-in',
      params: idParams,
      body: messageBody,
      api: facts('Write to those on the list who have not joined; once a day', 'write', roundSchema, 201),
      handler: async (incoming) => {
        const { actor, params, body } = incoming;
        return one(incoming, (await again.nudge(actor, params.id, messageOf(body))).id, 201);
      },
    }),
  ];
}

const messageOf = ({ message: said }: { message?: string | undefined }): { message: string } => ({
  message: said ?? '',
});

const rosterJson = ({ key, roster, counts }: RosterFacts): z.infer<typeof rosterSchema> => ({
  keyId: key.id,
  of: roster.kind,
  keepsAddresses: roster.keepsAddresses,
  ...counts,
});

import {
  column,
  countUpTo,
  defineTable,
  readPage,
  type Page,
  type PageRequest,
  type Queryable,
  type Tx,
} from 'latchkey/plugin-api';
import { requestStates, type AccessRequest, type RequestState } from './access-request.ts';

const { instant, nullable, oneOf, text } = column;

const requests = defineTable('invite_request', {
  id: text,
  keyId: text,
  entityId: text,
  state: oneOf(...requestStates),
  reason: text,
  name: text,
  email: text,
  message: text,
  locale: text,
  at: instant,
  decidedAt: nullable(instant),
  decidedBy: nullable(text),
  decidedByName: text,
  note: text,
  childId: nullable(text),
  network: text,
});

type Row = Record<string, unknown>;
type Query = ReturnType<Queryable['knex']['queryBuilder']>;

export interface RequestFilter {
  entities: 'all' | readonly string[];
  state?: RequestState | undefined;
  keyId?: string | undefined;
}

export async function insertRequest(tx: Tx, request: AccessRequest, openSlot: Buffer): Promise<void> {
  await tx.knex(requests.name).insert({ ...requests.encode(request), open_slot: openSlot });
}

export async function findRequest(db: Queryable, id: string): Promise<AccessRequest | null> {
  const row = (await db.knex(requests.name).select(requests.columns).where({ id }).first()) as
    Row | undefined;
  return row ? requests.decode(row) : null;
}

/** Who waits longest comes first; what is settled, newest first. */
export async function listRequests(
  db: Queryable,
  filter: RequestFilter,
  page: PageRequest,
): Promise<Page<AccessRequest>> {
  const order = filter.state === 'open' ? 'asc' : 'desc';
  const inTurn = [
    { column: 'at', order },
    { column: 'id', order },
  ] as const;
  return readPage(db, restrict(db, filter), { table: requests, order: [...inTurn] }, page);
}

export const countRequests = (db: Queryable, filter: RequestFilter): Promise<number> =>
  countUpTo(db, restrict(db, filter));

type Answer = Pick<AccessRequest, 'state' | 'decidedBy' | 'decidedByName' | 'note' | 'childId'> & {
  decidedAt: number;
};

/** One answer: false when somebody else has given one. */
export async function settleRequest(tx: Tx, id: string, answer: Answer): Promise<boolean> {
  const settled = await tx
    .knex(requests.name)
    .where({ id, state: 'open' })
    .update({ ...requests.encode(answer), open_slot: null });
  return settled === 1;
}

export async function lapseBefore(tx: Tx, before: number, now: number): Promise<number> {
  return tx
    .knex(requests.name)
    .where({ state: 'open' })
    .where('at', '<', before)
    .update({ ...requests.encode({ state: 'lapsed', decidedAt: now }), open_slot: null });
}

/** That somebody asked stays; who it was does not. */
export async function forgetPeopleBefore(tx: Tx, before: number): Promise<number> {
  return tx
    .knex(requests.name)
    .whereNot({ state: 'open' })
    .whereNot({ email: '' })
    .where('decided_at', '<', before)
    .update(requests.encode({ name: '', email: '', message: '', note: '', network: '' }));
}

function restrict(db: Queryable, { entities, state, keyId }: RequestFilter): Query {
  const query: Query = db.knex(requests.name);
  if (entities !== 'all') query.whereIn('entity_id', [...entities]);
  if (state !== undefined) query.where({ state });
  if (keyId !== undefined) query.where({ key_id: keyId });
  return query;
}

import {
  column,
  defineTable,
  readPage,
  type Page,
  type PageRequest,
  type Queryable,
  type Tx,
} from 'latchkey/plugin-api';
import type { Round, RoundState, RoundTerms } from './round.ts';

const { instant, json, nullable, oneOf, text, whole } = column;

const rounds = defineTable('invite_round', {
  id: text,
  entityId: text,
  keyId: nullable(text),
  kind: oneOf('shared', 'personal', 'roster', 'again', 'nudge'),
  state: oneOf('draft', 'sending', 'paused', 'stopped', 'done'),
  label: text,
  source: text,
  format: oneOf('addresses', 'table', 'discourse', 'numbers'),
  unmappedGroups: json<string[]>(),
  message: text,
  locale: nullable(text),
  terms: json<RoundTerms>(),
  ownerId: nullable(text),
  ownerName: text,
  onceSlot: nullable(text),
  createdAt: instant,
  startedAt: nullable(instant),
  finishedAt: nullable(instant),
  leaseUntil: instant,
  fence: whole,
});

type Row = Record<string, unknown>;

export async function insertRound(tx: Tx, round: Round): Promise<void> {
  await tx.knex(rounds.name).insert(rounds.encode(round));
}

export async function findRound(db: Queryable, id: string): Promise<Round | null> {
  const row = (await db.knex(rounds.name).select(rounds.columns).where({ id }).first()) as Row | undefined;
  return row ? rounds.decode(row) : null;
}

export interface RoundFilter {
  entities: 'all' | readonly string[];
  keyId?: string;
}

export async function listRounds(
  db: Queryable,
  { entities, keyId }: RoundFilter,
  page: PageRequest,
): Promise<Page<Round>> {
  const wanted = db.knex(rounds.name);
  if (entities !== 'all') wanted.whereIn('entity_id', [...entities]);
  if (keyId !== undefined) wanted.where({ key_id: keyId });
  return readPage(db, wanted, { table: rounds, order: newestFirst }, page);
}

const newestFirst: { column: string; order: 'desc' }[] = [
  { column: 'created_at', order: 'desc' },
  { column: 'id', order: 'desc' },
];

/** Rounds that are under way and in nobody's hands. */
export async function listIdleRounds(db: Queryable, now: number, limit: number): Promise<string[]> {
  const rows = await db
    .knex(rounds.name)
    .where({ state: 'sending' })
    .where('lease_until', '<=', now)
    .orderBy('created_at')
    .limit(limit)
    .select<{ id: string }[]>('id');
  return rows.map(({ id }) => id);
}

/** From one state to another, once, whoever else tries. Whoever holds the round loses it. */
export async function moveRound(
  tx: Tx,
  id: string,
  from: readonly RoundState[],
  to: Partial<
    Pick<
      Round,
      'state' | 'kind' | 'keyId' | 'label' | 'message' | 'locale' | 'terms' | 'startedAt' | 'finishedAt'
    >
  >,
): Promise<boolean> {
  const moved = await tx
    .knex(rounds.name)
    .where({ id })
    .whereIn('state', [...from])
    .update({ ...rounds.encode({ ...to, leaseUntil: 0 }), fence: tx.knex.raw('fence + 1') });
  return moved === 1;
}

/** Takes a round in hand; answers its fence, or null when somebody else has it. */
export async function takeRound(
  tx: Tx,
  id: string,
  { now, leaseMs }: { now: number; leaseMs: number },
): Promise<number | null> {
  const taken = await tx
    .knex(rounds.name)
    .where({ id, state: 'sending' })
    .where('lease_until', '<=', now)
    .update({ lease_until: now + leaseMs, fence: tx.knex.raw('fence + 1') });
  if (taken !== 1) return null;
  const row = await tx.knex(rounds.name).where({ id }).first<Row>('fence');
  return Number(row['fence']);
}

/** First statement of every portion: from the moment a pause is answered, nothing more is written. */
export async function holdRound(
  tx: Tx,
  id: string,
  { fence, until }: { fence: number; until: number },
): Promise<boolean> {
  // A clock that stands still writes what is there already, and MariaDB counts rows that matched.
  const held = await tx
    .knex(rounds.name)
    .where({ id, state: 'sending', fence })
    .update({ lease_until: until });
  return held === 1;
}

export async function letGoOfRound(tx: Tx, id: string, fence: number): Promise<void> {
  await tx.knex(rounds.name).where({ id, fence }).update({ lease_until: 0 });
}

/** How many lines this maker has started since then, over all rounds. */
export async function countStarted(db: Queryable, ownerId: string, since: number): Promise<number> {
  const row = (await db
    .knex('invite_round_line')
    .join('invite_round', 'invite_round.id', 'invite_round_line.round_id')
    .where('invite_round.owner_id', ownerId)
    .where('invite_round.started_at', '>', since)
    .whereNot('invite_round_line.state', 'skipped')
    .whereIn('invite_round_line.verdict', ['ready', 'has-account', 'invited'])
    .count({ count: '*' })
    .first()) as Row | undefined;
  return Number(row?.['count'] ?? 0);
}

/** Lists that nobody sent are forgotten, and so are the lines of rounds long over. Answers how many rounds it swept. */
export async function sweepRounds(
  tx: Tx,
  { draftsBefore, linesBefore, limit }: { draftsBefore: number; linesBefore: number; limit: number },
): Promise<number> {
  const drafts = await tx
    .knex(rounds.name)
    .where({ state: 'draft' })
    .where('created_at', '<', draftsBefore)
    .limit(limit)
    .select<{ id: string }[]>('id');
  const old = await tx
    .knex(rounds.name)
    .whereIn('state', ['done', 'stopped'])
    .where('created_at', '<', linesBefore)
    .whereExists(
      tx
        .knex('invite_round_line')
        .select(tx.knex.raw('1'))
        .whereRaw('invite_round_line.round_id = invite_round.id'),
    )
    .limit(limit)
    .select<{ id: string }[]>('id');
  const swept = [...drafts, ...old].map(({ id }) => id);
  if (swept.length === 0) return 0;
  await tx.knex('invite_round_line').whereIn('round_id', swept).delete();
  await tx
    .knex(rounds.name)
    .whereIn(
      'id',
      drafts.map(({ id }) => id),
    )
    .delete();
  return swept.length;
}

/** A list that is thrown away before anything was sent. */
export async function deleteDraft(tx: Tx, id: string): Promise<boolean> {
  const mine = await tx.knex(rounds.name).where({ id, state: 'draft' }).update({ lease_until: 0 });
  if (mine !== 1) return false;
  await tx.knex('invite_round_line').where({ round_id: id }).delete();
  await tx.knex(rounds.name).where({ id }).delete();
  return true;
}

import {
  column,
  defineTable,
  offsetOf,
  type Page,
  type PageRequest,
  type Queryable,
  type Tx,
} from 'latchkey/plugin-api';
import { inviteesWith, type InviteeFilter } from './invitee-repository.ts';
import { verdicts, type Line, type LineState, type Verdict, type VerdictCounts } from './round.ts';

const { instant, json, nullable, oneOf, text, whole } = column;

const lines = defineTable('invite_round_line', {
  id: text,
  roundId: text,
  position: whole,
  line: whole,
  written: text,
  email: text,
  emailNorm: nullable(text),
  name: text,
  locale: nullable(text),
  staffNumber: nullable(text),
  groupIds: json<string[]>(),
  verdict: oneOf(...verdicts),
  reason: nullable(text),
  reasonFacts: nullable(json<Record<string, string | number>>()),
  state: oneOf('waiting', 'done', 'skipped'),
  problem: nullable(text),
  keyId: nullable(text),
  inviteeId: nullable(text),
  settledAt: nullable(instant),
});

type Row = Record<string, unknown>;

/** Few enough for one statement on either engine. */
const AT_ONCE = 100;

export async function insertLines(tx: Tx, wanted: readonly Line[]): Promise<void> {
  for (let from = 0; from < wanted.length; from += AT_ONCE)
    await tx.knex(lines.name).insert(wanted.slice(from, from + AT_ONCE).map((line) => lines.encode(line)));
}

export interface LineFilter {
  roundId: string;
  verdicts?: readonly Verdict[];
  state?: LineState;
  /** Of those who were written to, by what became of the mail. */
  heard?: Pick<InviteeFilter, 'delivery' | 'joined'>;
}

export async function listLines(db: Queryable, filter: LineFilter, page: PageRequest): Promise<Page<Line>> {
  const rows = (await restrict(db, filter)
    .select(lines.columns)
    .orderBy('position')
    .limit(page.perPage)
    .offset(offsetOf(page))) as Row[];
  const counted = (await restrict(db, filter).count({ count: '*' }).first()) as Row | undefined;
  return { items: rows.map(lines.decode), ...page, total: Number(counted?.['count'] ?? 0) };
}

/** The next in turn after a place in the list. */
export async function nextLines(
  db: Queryable,
  filter: LineFilter & { after: number },
  limit: number,
): Promise<Line[]> {
  const rows = (await restrict(db, filter)
    .select(lines.columns)
    .where('position', '>', filter.after)
    .orderBy('position')
    .limit(limit)) as Row[];
  return rows.map(lines.decode);
}

type Query = ReturnType<Queryable['knex']['queryBuilder']>;

function restrict(db: Queryable, { roundId, verdicts: wanted, state, heard }: LineFilter): Query {
  const query: Query = db.knex(lines.name);
  query.where({ round_id: roundId });
  if (wanted) query.whereIn('verdict', [...wanted]);
  if (state !== undefined) query.where({ state });
  if (heard)
    query.whereExists(inviteesWith(db, heard).whereRaw('invite_invitee.id = invite_round_line.invitee_id'));
  return query;
}

export async function countVerdicts(db: Queryable, roundId: string): Promise<VerdictCounts> {
  const rows = await db
    .knex(lines.name)
    .where({ round_id: roundId })
    .groupBy('verdict')
    .select<{ verdict: Verdict; count: unknown }[]>('verdict', db.knex.raw('count(*) as count'));
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as VerdictCounts;
  for (const { verdict, count } of rows) counts[verdict] = Number(count);
  return counts;
}

/** How far a round is, among the lines that are for sending. */
export async function countStates(
  db: Queryable,
  roundId: string,
  chosen: readonly Verdict[],
): Promise<Record<LineState, number>> {
  const rows = await db
    .knex(lines.name)
    .where({ round_id: roundId })
    .whereIn('verdict', [...chosen])
    .groupBy('state')
    .select<{ state: LineState; count: unknown }[]>('state', db.knex.raw('count(*) as count'));
  const counts = { waiting: 0, done: 0, skipped: 0 };
  for (const { state, count } of rows) counts[state] = Number(count);
  return counts;
}

export async function findLines(db: Queryable, roundId: string, ids: readonly string[]): Promise<Line[]> {
  if (ids.length === 0) return [];
  const rows = (await db
    .knex(lines.name)
    .select(lines.columns)
    .where({ round_id: roundId })
    .whereIn('id', [...ids])
    .orderBy('position')) as Row[];
  return rows.map(lines.decode);
}

/** Other lines of the round with one of these addresses, before they are judged again. */
export async function findAddresses(
  db: Queryable,
  roundId: string,
  emailNorms: readonly string[],
): Promise<{ emailNorm: string; line: number; id: string }[]> {
  if (emailNorms.length === 0) return [];
  const rows = await db
    .knex(lines.name)
    .where({ round_id: roundId })
    .whereIn('email_norm', [...emailNorms])
    .whereNotIn('verdict', ['malformed', 'refused', 'left-out', 'duplicate'])
    .select<Row[]>('email_norm', 'line', 'id');
  return rows.map((row) => ({
    emailNorm: String(row['email_norm']),
    line: Number(row['line']),
    id: String(row['id']),
  }));
}

/** A line says something else now, as long as nothing was done for it. */
export async function rewriteLine(
  tx: Tx,
  id: string,
  changed: Partial<Pick<Line, 'email' | 'emailNorm' | 'name' | 'verdict' | 'reason' | 'reasonFacts'>>,
): Promise<boolean> {
  const written = await tx
    .knex(lines.name)
    .where({ id, state: 'waiting' })
    .update(lines.encode({ ...changed }));
  return written === 1;
}

/** Once, whoever else tries. */
export async function settleLine(
  tx: Tx,
  id: string,
  done: Pick<Line, 'state' | 'problem' | 'keyId' | 'inviteeId' | 'settledAt'>,
): Promise<boolean> {
  const settled = await tx.knex(lines.name).where({ id, state: 'waiting' }).update(lines.encode(done));
  return settled === 1;
}

export async function noteInvitee(tx: Tx, id: string, inviteeId: string): Promise<void> {
  await tx.knex(lines.name).where({ id }).update(lines.encode({ inviteeId }));
}

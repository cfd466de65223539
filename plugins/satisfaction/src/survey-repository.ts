import {
  column,
  defineTable,
  offsetOf,
  type Page,
  type PageRequest,
  type Queryable,
  type Tx,
} from 'latchkey/plugin-api';
import { states, type Answered, type Distribution, type Rating, type Survey } from './survey.ts';

const surveys = defineTable('satisfaction_survey', {
  id: column.text,
  ticketId: column.text,
  ticketNumber: column.whole,
  ticketTitle: column.text,
  entityId: column.text,
  requesterId: column.text,
  state: column.oneOf(...states),
  dueAt: column.instant,
  askedAt: column.nullable(column.instant),
  endsAt: column.nullable(column.instant),
  tokenMac: column.nullable(column.bytes),
  rating: column.nullable(column.whole),
  comment: column.text,
  answeredAt: column.nullable(column.instant),
});

/** Entities whose answers somebody may read. */
export type Scope = 'all' | readonly string[];

type Row = Record<string, unknown>;

const surveyFrom = (row: Row): Survey => surveys.decode(row) as Survey;
const isAnswered = (survey: Survey): survey is Answered =>
  survey.rating !== null && survey.answeredAt !== null;

/** A ticket that was asked about once is not asked about again. */
export async function insertSurvey(tx: Tx, survey: Survey): Promise<void> {
  await tx.knex(surveys.name).insert(surveys.encode(survey)).onConflict('ticket_id').ignore();
}

export async function dropWaiting(tx: Tx, ticketId: string): Promise<void> {
  await tx.knex(surveys.name).where({ ticket_id: ticketId, state: 'waiting' }).delete();
}

export async function listDue(db: Queryable, now: number, limit: number): Promise<Survey[]> {
  const rows = await db
    .knex(surveys.name)
    .where({ state: 'waiting' })
    .where('due_at', '<=', now)
    .orderBy('due_at')
    .limit(limit);
  return rows.map(surveyFrom);
}

/** False when somebody else was faster, or the ticket is open again. */
export async function markAsked(
  tx: Tx,
  id: string,
  { tokenMac, askedAt, endsAt }: { tokenMac: Buffer; askedAt: number; endsAt: number },
): Promise<boolean> {
  const changed = await tx
    .knex(surveys.name)
    .where({ id, state: 'waiting' })
    .update({ state: 'asked', token_mac: tokenMac, asked_at: askedAt, ends_at: endsAt });
  return changed === 1;
}

export async function markSkipped(tx: Tx, id: string): Promise<void> {
  await tx.knex(surveys.name).where({ id, state: 'waiting' }).update({ state: 'skipped' });
}

export async function findByToken(db: Queryable, macs: readonly Buffer[]): Promise<Survey | null> {
  const row = await db
    .knex(surveys.name)
    .whereIn('token_mac', [...macs])
    .first<Row | undefined>();
  return row ? surveyFrom(row) : null;
}

/** The first answer counts; false when there is one, or it comes too late. */
export async function markAnswered(
  tx: Tx,
  id: string,
  { rating, comment, at }: { rating: Rating; comment: string; at: number },
): Promise<boolean> {
  const changed = await tx
    .knex(surveys.name)
    .where({ id, state: 'asked' })
    .where('ends_at', '>', at)
    .update({ state: 'answered', rating, comment, answered_at: at });
  return changed === 1;
}

export async function answerOf(db: Queryable, ticketId: string): Promise<Answered | null> {
  const row = await db
    .knex(surveys.name)
    .where({ ticket_id: ticketId, state: 'answered' })
    .first<Row | undefined>();
  const survey = row && surveyFrom(row);
  return survey && isAnswered(survey) ? survey : null;
}

export async function ticketsRated(db: Queryable, rating: Rating, limit: number): Promise<string[]> {
  const rows = await db
    .knex(surveys.name)
    .select<{ ticket_id: string }[]>('ticket_id')
    .where({ rating })
    .orderBy('answered_at', 'desc')
    .limit(limit);
  return rows.map(({ ticket_id: id }) => id);
}

export interface AnswerFilter {
  scope: Scope;
  rating: Rating | null;
}

export async function listAnswers(
  db: Queryable,
  { scope, rating }: AnswerFilter,
  page: PageRequest,
): Promise<Page<Answered>> {
  const matching = (query: Narrowing): void => {
    within(scope)(query);
    query.where({ state: 'answered', ...(rating === null ? {} : { rating }) });
  };
  const [counted, rows] = await Promise.all([
    db.knex(surveys.name).where(matching).count<{ total: number | string }[]>({ total: '*' }),
    db
      .knex(surveys.name)
      .where(matching)
      .orderBy('answered_at', 'desc')
      .orderBy('id', 'desc')
      .limit(page.perPage)
      .offset(offsetOf(page)),
  ]);
  const items = rows.map(surveyFrom).filter(isAnswered);
  return { items, total: Number(counted[0]?.total ?? 0), page: page.page, perPage: page.perPage };
}

export async function countByRating(db: Queryable, scope: Scope, from: number): Promise<Distribution> {
  const rows: { rating: number; total: number | string }[] = await db
    .knex(surveys.name)
    .where(within(scope))
    .where('answered_at', '>=', from)
    .groupBy('rating')
    .select('rating')
    .count({ total: '*' });
  const counts = new Map(rows.map(({ rating, total }) => [rating, Number(total)]));
  return {
    1: counts.get(1) ?? 0,
    2: counts.get(2) ?? 0,
    3: counts.get(3) ?? 0,
    4: counts.get(4) ?? 0,
    5: counts.get(5) ?? 0,
  };
}

export async function countAsked(db: Queryable, scope: Scope, from: number): Promise<number> {
  const rows: { total: number | string }[] = await db
    .knex(surveys.name)
    .where(within(scope))
    .where('asked_at', '>=', from)
    .count({ total: '*' });
  return Number(rows[0]?.total ?? 0);
}

const WEEK_MS = 7 * 86_400_000;

/** The average of each week since `from`, by how many weeks have passed; weeks without answers are left out. */
export async function averageByWeek(db: Queryable, scope: Scope, from: number): Promise<Map<number, number>> {
  const week = db.knex.raw('FLOOR((answered_at - ?) / ?)', [from, WEEK_MS]);
  const rows: { week: number | string; average: number | string }[] = await db
    .knex(surveys.name)
    .where(within(scope))
    .where('answered_at', '>=', from)
    .select({ week })
    .avg({ average: 'rating' })
    .groupBy('week');
  return new Map(rows.map((row) => [Number(row.week), Number(row.average)]));
}

/** Of a query that is being made. */
interface Narrowing {
  where(conditions: object): unknown;
  whereIn(name: string, values: readonly string[]): unknown;
}

const within =
  (scope: Scope) =>
  (query: Narrowing): void => {
    if (scope !== 'all') query.whereIn('entity_id', [...scope]);
  };

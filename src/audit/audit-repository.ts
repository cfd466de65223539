import type { Knex } from 'knex';
import type { Queryable, Tx } from '../db/database.ts';
import { insertRows } from '../db/statements.ts';
import { defineTable, instant, json, nullable, oneOf, text } from '../db/table.ts';
import { readPage } from '../db/pages.ts';
import type { Page, PageRequest } from '../shared/page.ts';
import type { AuditFilter, AuditRecord, HistoryRange } from './audit-entry.ts';

const entries = defineTable('audit_entries', {
  id: text,
  at: instant,
  actorKind: oneOf('user', 'guest', 'system', 'cli'),
  actorId: nullable(text),
  actorName: text,
  action: text,
  subjectType: text,
  subjectId: text,
  subjectLabel: text,
  entityId: nullable(text),
  stateBefore: nullable(json<Record<string, unknown>>()),
  stateAfter: nullable(json<Record<string, unknown>>()),
  network: nullable(text),
  node: nullable(text),
});

type EntryRow = ReturnType<typeof entries.decode>;

const asRecord = ({ stateBefore, stateAfter, ...rest }: EntryRow): AuditRecord => ({
  ...rest,
  before: stateBefore,
  after: stateAfter,
});

export async function insertEntries(tx: Tx, records: readonly AuditRecord[]): Promise<void> {
  const rows = records.map(({ before, after, ...rest }) =>
    entries.encode({ ...rest, stateBefore: before, stateAfter: after }),
  );
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    await insertRows(tx, entries.name, rows.slice(at, at + ROWS_AT_ONCE));
  }
}

const ROWS_AT_ONCE = 200;

export async function listHistory(
  db: Queryable,
  subject: { type: string; id: string },
  { limit, before, actions }: HistoryRange,
): Promise<AuditRecord[]> {
  const found = db
    .knex(entries.name)
    .where({ subject_type: subject.type, subject_id: subject.id })
    .orderBy('id', 'desc')
    .limit(limit);
  if (before !== undefined) void found.where('id', '<', before);
  if (actions) void found.whereIn('action', [...actions]);
  const rows = (await found) as Record<string, unknown>[];
  return rows.map((row) => asRecord(entries.decode(row)));
}

/** Newest first; only of these entities, unless all may be seen. */
export async function listEntries(
  db: Queryable,
  filter: AuditFilter & { entities: 'all' | readonly string[] },
  page: PageRequest,
): Promise<Page<AuditRecord>> {
  const found = db.knex(entries.name).modify(matching, filter);
  const read = await readPage(db, found, { table: entries, order: [{ column: 'id', order: 'desc' }] }, page);
  return { ...read, items: read.items.map(asRecord) };
}

function matching(
  query: Knex.QueryBuilder,
  filter: AuditFilter & { entities: 'all' | readonly string[] },
): void {
  if (filter.action) void query.where('action', 'like', `${escapeLike(filter.action)}%`);
  if (filter.actor) void query.where('actor_name', 'like', `${escapeLike(filter.actor)}%`);
  if (filter.subject) void query.where('subject_label', 'like', `${escapeLike(filter.subject)}%`);
  if (filter.subjectId) void query.where('subject_id', filter.subjectId);
  if (filter.entities !== 'all') void query.whereIn('entity_id', filter.entities);
}

/** `%` and `_` mean themselves in what people type; SQLite has no escape character unless told, so they are left out. */
const escapeLike = (typed: string): string => typed.replace(/[%_\\]/g, '');

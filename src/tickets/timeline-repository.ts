import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, json, nullable, oneOf, text, whole } from '../db/table.ts';
import { newId } from '../shared/ids.ts';
import type { FieldChange } from './ticket.ts';
import type { SolutionState, TimelineEntry } from './timeline.ts';

const entries = defineTable('timeline_entries', {
  id: text,
  ticketId: text,
  entityId: text,
  ticketVersion: whole,
  kind: oneOf('follow-up', 'solution', 'change'),
  visibility: oneOf('public', 'private'),
  authorId: nullable(text),
  authorName: text,
  body: text,
  state: nullable(oneOf('proposed', 'accepted', 'refused')),
  changes: nullable(json<FieldChange[]>()),
  writtenAt: instant,
});

const MOST_ENTRIES = 2_000;

/** Versions order what happened; of what happened together, the words come before the facts. */
const inOrder = [{ column: 'ticket_version' }, { column: 'kind', order: 'desc' as const }, { column: 'id' }];

/** Oldest first. */
export async function listEntries(
  db: Queryable,
  ticketId: string,
  { withPrivate }: { withPrivate: boolean },
): Promise<TimelineEntry[]> {
  const all = db.knex(entries.name).where({ ticket_id: ticketId });
  const seen = withPrivate ? all : all.where({ visibility: 'public' });
  const rows = await seen.orderBy(inOrder).limit(MOST_ENTRIES);
  return rows.map(entries.decode);
}

/** Takes a transaction, not a database: nothing is ever said on its own. */
export async function insertEntry(tx: Tx, said: Omit<TimelineEntry, 'id'>): Promise<TimelineEntry> {
  const entry = { id: newId(), ...said };
  await tx.knex(entries.name).insert(entries.encode(entry));
  return entry;
}

export async function judgeProposals(tx: Tx, ticketId: string, verdict: SolutionState): Promise<void> {
  await tx
    .knex(entries.name)
    .where({ ticket_id: ticketId, kind: 'solution', state: 'proposed' })
    .update({ state: verdict });
}

export async function findEntry(db: Queryable, id: string): Promise<TimelineEntry | null> {
  const row = (await db.knex(entries.name).where({ id }).first()) as Record<string, unknown> | undefined;
  return row ? entries.decode(row) : null;
}

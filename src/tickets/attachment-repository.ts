import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, instant, nullable, text, whole } from '../db/table.ts';
import type { Attachment } from './attachment.ts';

const attachments = defineTable('attachments', {
  id: text,
  ticketId: nullable(text),
  entryId: nullable(text),
  uploaderId: nullable(text),
  name: text,
  mediaType: text,
  size: whole,
  width: nullable(whole),
  height: nullable(whole),
  storageKey: text,
  createdAt: instant,
});

export async function findAttachment(db: Queryable, id: string): Promise<Attachment | null> {
  const row = (await db.knex(attachments.name).where({ id }).first()) as Record<string, unknown> | undefined;
  return row ? attachments.decode(row) : null;
}

export async function listAttachments(db: Queryable, ticketId: string): Promise<Attachment[]> {
  return (await db.knex(attachments.name).where({ ticket_id: ticketId }).orderBy('id')).map(
    attachments.decode,
  );
}

/** Of these ids, what this person has uploaded and not sent yet. */
export async function listDrafts(
  db: Queryable,
  uploaderId: string,
  ids: readonly string[],
): Promise<Attachment[]> {
  if (ids.length === 0) return [];
  const mine = db.knex(attachments.name).where({ uploader_id: uploaderId }).whereNull('ticket_id');
  return (await mine.whereIn('id', [...ids]).orderBy('id')).map(attachments.decode);
}

export async function countDrafts(
  db: Queryable,
  uploaderId: string,
): Promise<{ files: number; bytes: number }> {
  const row = (await db
    .knex(attachments.name)
    .where({ uploader_id: uploaderId })
    .whereNull('ticket_id')
    .count({ files: '*' })
    .sum({ bytes: 'size' })
    .first()) as { files: number | string; bytes: number | string | null };
  return { files: Number(row.files), bytes: Number(row.bytes ?? 0) };
}

export async function insertAttachment(tx: Tx, attachment: Attachment): Promise<void> {
  await tx.knex(attachments.name).insert(attachments.encode(attachment));
}

/** Gives uploaded files to a ticket: only the uploader's own, and each only once. */
export async function claimDrafts(
  tx: Tx,
  ids: readonly string[],
  to: { ticketId: string; entryId: string | null; uploaderId: string },
): Promise<Attachment[]> {
  if (ids.length === 0) return [];
  await tx
    .knex(attachments.name)
    .where({ uploader_id: to.uploaderId })
    .whereNull('ticket_id')
    .whereIn('id', [...ids])
    .update({ ticket_id: to.ticketId, entry_id: to.entryId });
  const claimed = tx.knex(attachments.name).where({ ticket_id: to.ticketId, uploader_id: to.uploaderId });
  return (await claimed.whereIn('id', [...ids]).orderBy('id')).map(attachments.decode);
}

export async function listStaleDrafts(
  db: Queryable,
  { before, limit }: { before: number; limit: number },
): Promise<Attachment[]> {
  const rows = db.knex(attachments.name).whereNull('ticket_id').where('created_at', '<', before);
  return (await rows.orderBy('id').limit(limit)).map(attachments.decode);
}

/** False when it was sent meanwhile. */
export async function deleteDraft(tx: Tx, id: string): Promise<boolean> {
  return (await tx.knex(attachments.name).where({ id }).whereNull('ticket_id').delete()) === 1;
}

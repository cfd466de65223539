import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, flag, instant, json, nullable, text } from '../db/table.ts';
import { newId } from '../shared/ids.ts';
import { countUpTo, readPage } from '../db/pages.ts';
import type { Page, PageRequest } from '../shared/page.ts';
import type { Notification, NotificationParams, Preference } from './notification.ts';

const notifications = defineTable('notification', {
  id: text,
  userId: text,
  kind: text,
  entityId: nullable(text),
  subjectType: text,
  subjectId: text,
  link: text,
  params: json<NotificationParams>(),
  createdAt: instant,
  readAt: nullable(instant),
});
const preferences = defineTable('notification_preference', {
  userId: text,
  kind: text,
  bell: flag,
  mail: flag,
});

export async function insertNotifications(
  tx: Tx,
  all: readonly Omit<Notification, 'id' | 'readAt'>[],
): Promise<void> {
  if (all.length === 0) return;
  await tx
    .knex(notifications.name)
    .insert(all.map((one) => notifications.encode({ id: newId(), readAt: null, ...one })));
}

export interface NotificationFilter {
  userId: string;
  unreadOnly: boolean;
}

export async function listNotifications(
  db: Queryable,
  { userId, unreadOnly }: NotificationFilter,
  page: PageRequest,
): Promise<Page<Notification>> {
  const wanted = db.knex(notifications.name).where({ user_id: userId });
  if (unreadOnly) void wanted.where({ read_at: null });
  return readPage(db, wanted, { table: notifications, order: [{ column: 'id', order: 'desc' }] }, page);
}

export const countUnread = (db: Queryable, userId: string, limit: number): Promise<number> =>
  countUpTo(db, db.knex(notifications.name).where({ user_id: userId, read_at: null }), limit);

export async function findNotification(
  db: Queryable,
  { id, userId }: { id: string; userId: string },
): Promise<Notification | null> {
  const row = (await db.knex(notifications.name).where({ id, user_id: userId }).first()) as
    Record<string, unknown> | undefined;
  return row ? notifications.decode(row) : null;
}

export const markRead = (
  tx: Tx,
  { id, userId, at }: { id: string; userId: string; at: number },
): Promise<number> =>
  tx.knex(notifications.name).where({ id, user_id: userId, read_at: null }).update({ read_at: at });

export const markAllRead = (tx: Tx, { userId, at }: { userId: string; at: number }): Promise<number> =>
  tx.knex(notifications.name).where({ user_id: userId, read_at: null }).update({ read_at: at });

export const markSubjectRead = (
  tx: Tx,
  { userId, subject, at }: { userId: string; subject: { type: string; id: string }; at: number },
): Promise<number> =>
  tx
    .knex(notifications.name)
    .where({ user_id: userId, read_at: null, subject_type: subject.type, subject_id: subject.id })
    .update({ read_at: at });

/** What each of these people chose for one kind; those who chose nothing are left out. */
export async function preferencesFor(
  db: Queryable,
  { kind, userIds }: { kind: string; userIds: readonly string[] },
): Promise<Map<string, Preference>> {
  const rows = (await db
    .knex(preferences.name)
    .where({ kind })
    .whereIn('user_id', [...userIds])) as Record<string, unknown>[];
  return new Map(rows.map(preferences.decode).map((chosen) => [chosen.userId, chosen]));
}

export async function preferencesOf(db: Queryable, userId: string): Promise<Map<string, Preference>> {
  const rows = (await db.knex(preferences.name).where({ user_id: userId })) as Record<string, unknown>[];
  return new Map(rows.map(preferences.decode).map((chosen) => [chosen.kind, chosen]));
}

export async function savePreferences(tx: Tx, userId: string, chosen: readonly Preference[]): Promise<void> {
  if (chosen.length === 0) return;
  const rows = chosen.map(({ kind, bell, mail }) => preferences.encode({ userId, kind, bell, mail }));
  await tx.knex(preferences.name).insert(rows).onConflict(['user_id', 'kind']).merge(['bell', 'mail']);
}

export async function sweepNotifications(
  tx: Tx,
  { readBefore, before }: { readBefore: number; before: number },
): Promise<void> {
  await tx.knex(notifications.name).whereNotNull('read_at').where('created_at', '<', readBefore).delete();
  await tx.knex(notifications.name).where('created_at', '<', before).delete();
}

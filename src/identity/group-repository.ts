import type { Queryable, Tx } from '../db/database.ts';
import { defineTable, flag, instant, text, whole } from '../db/table.ts';
import type { Group, GroupMember } from './group.ts';

const groups = defineTable('user_groups', {
  id: text,
  entityId: text,
  name: text,
  version: whole,
  createdAt: instant,
});
const members = defineTable('group_members', { groupId: text, userId: text, isManager: flag });

type Row = Record<string, unknown>;

export async function listGroups(db: Queryable): Promise<Group[]> {
  return ((await db.knex(groups.name).select(groups.columns).orderBy(['name', 'id'])) as Row[]).map(
    groups.decode,
  );
}

export async function findGroup(db: Queryable, id: string): Promise<Group | null> {
  const row = (await db.knex(groups.name).first(groups.columns).where({ id })) as Row | undefined;
  return row ? groups.decode(row) : null;
}

export async function insertGroup(tx: Tx, group: Group): Promise<void> {
  await tx.knex(groups.name).insert(groups.encode(group));
}

export async function updateGroup(
  tx: Tx,
  { id, version }: { id: string; version: number },
  name: string,
): Promise<boolean> {
  return (
    (await tx
      .knex(groups.name)
      .where({ id, version })
      .update({ name, version: version + 1 })) === 1
  );
}

/** Fails where something still points at the group: history is never cut off. */
export async function deleteGroup(tx: Tx, id: string): Promise<boolean> {
  await tx.knex(members.name).where({ group_id: id }).delete();
  return (await tx.knex(groups.name).where({ id }).delete()) === 1;
}

export async function listMembers(db: Queryable, groupId: string): Promise<GroupMember[]> {
  const rows = (await db.knex(members.name).select(members.columns).where({ group_id: groupId })) as Row[];
  return rows.map(members.decode);
}

/** How many are in each group, by its id. */
export async function countMembers(db: Queryable): Promise<Map<string, number>> {
  const rows = (await db
    .knex(members.name)
    .select('group_id', db.knex.raw('COUNT(*) AS total'))
    .groupBy('group_id')
    .orderBy('group_id')) as { group_id: string; total: unknown }[];
  return new Map(rows.map((row) => [row.group_id, Number(row.total)]));
}

export async function listGroupsOf(
  db: Queryable,
  userId: string,
): Promise<(Group & { isManager: boolean })[]> {
  const rows = (await db
    .knex(groups.name)
    .select([...groups.columns, 'group_members.is_manager'])
    .join(members.name, 'group_members.group_id', 'user_groups.id')
    .where('group_members.user_id', userId)
    .orderBy('user_groups.name')) as Row[];
  return rows.map((row) => ({ ...groups.decode(row), isManager: Number(row['is_manager']) === 1 }));
}

/** Somebody who is in it already stays as they are. */
export async function insertMember(tx: Tx, member: GroupMember, now: number): Promise<boolean> {
  const known: unknown = await tx
    .knex(members.name)
    .where({ group_id: member.groupId, user_id: member.userId })
    .first('user_id');
  if (known !== undefined) return false;
  await tx
    .knex(members.name)
    .insert({ ...members.encode(member), created_at: now })
    .onConflict(['group_id', 'user_id'])
    .ignore();
  return true;
}

export async function setManager(tx: Tx, { groupId, userId, isManager }: GroupMember): Promise<boolean> {
  const changed = await tx
    .knex(members.name)
    .where({ group_id: groupId, user_id: userId })
    .update({ is_manager: isManager ? 1 : 0 });
  return changed === 1;
}

export async function deleteMember(
  tx: Tx,
  { groupId, userId }: { groupId: string; userId: string },
): Promise<boolean> {
  return (await tx.knex(members.name).where({ group_id: groupId, user_id: userId }).delete()) === 1;
}

export async function deleteMembershipsOf(tx: Tx, userId: string): Promise<void> {
  await tx.knex(members.name).where({ user_id: userId }).delete();
}

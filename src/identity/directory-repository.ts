import type { Queryable, Tx } from '../db/database.ts';
import { insertRows } from '../db/statements.ts';
import { defineTable, flag, instant, json, nullable, oneOf, text, whole } from '../db/table.ts';
import { bumpVersion, readVersion } from '../db/versions.ts';
import type { Entity } from './entity.ts';
import type { Grant } from './grant.ts';
import type { Profile } from './profile.ts';

type Row = Record<string, unknown>;

const DIRECTORY = 'directory';

const entities = defineTable('entities', {
  id: text,
  number: whole,
  parentId: nullable(text),
  name: text,
  path: text,
  version: whole,
  createdAt: instant,
});

const profiles = defineTable('profiles', {
  id: text,
  profileKey: nullable(text),
  name: text,
  kind: oneOf('portal', 'staff'),
  rights: json<string[]>(),
  version: whole,
  createdAt: instant,
});

const grants = defineTable('grants', {
  id: text,
  userId: text,
  profileId: text,
  entityId: text,
  isRecursive: flag,
  createdAt: instant,
  createdBy: nullable(text),
});

type ProfileRow = ReturnType<typeof profiles.decode>;

const asProfile = ({ profileKey, ...rest }: ProfileRow): Profile => ({ ...rest, key: profileKey });
const asProfileRow = ({ key, rights, ...rest }: Profile): ProfileRow => ({
  ...rest,
  rights: [...rights],
  profileKey: key,
});

/** What every copy of the directory in memory is judged by. */
export const readDirectoryVersion = (db: Queryable): Promise<number> => readVersion(db, DIRECTORY);

/** In the transaction of the change itself: nobody sees the one without the other. */
export async function raiseDirectoryVersion(tx: Tx): Promise<void> {
  raises += 1;
  tx.onCommit(() => void (raises += 1));
  await bumpVersion(tx, DIRECTORY);
}

let raises = 0;

/** Stands still as long as nobody in this process has changed the directory, or is about to. */
export const directoryRaises = (): number => raises;

export async function listEntities(db: Queryable): Promise<Entity[]> {
  const rows = (await db.knex(entities.name).select(entities.columns).orderBy('id')) as Row[];
  return rows.map(entities.decode);
}

export async function insertEntity(tx: Tx, entity: Entity): Promise<void> {
  await tx.knex(entities.name).insert(entities.encode(entity));
}

export async function renameEntity(
  tx: Tx,
  { id, version }: { id: string; version: number },
  name: string,
): Promise<boolean> {
  return (
    (await tx
      .knex(entities.name)
      .where({ id, version })
      .update({ name, version: version + 1 })) === 1
  );
}

export async function moveEntity(
  tx: Tx,
  { id, version }: { id: string; version: number },
  to: { parentId: string; path: string },
): Promise<boolean> {
  const changed = await tx
    .knex(entities.name)
    .where({ id, version })
    .update({ ...entities.encode(to), version: version + 1 });
  return changed === 1;
}

export async function setEntityPath(tx: Tx, id: string, path: string): Promise<void> {
  await tx.knex(entities.name).where({ id }).update({ path });
}

export async function deleteEntity(tx: Tx, id: string): Promise<boolean> {
  return (await tx.knex(entities.name).where({ id }).delete()) === 1;
}

export async function listProfiles(db: Queryable): Promise<Profile[]> {
  const rows = (await db.knex(profiles.name).select(profiles.columns).orderBy(['id'])) as Row[];
  return rows.map((row) => asProfile(profiles.decode(row)));
}

export async function insertProfile(tx: Tx, profile: Profile): Promise<void> {
  await tx.knex(profiles.name).insert(profiles.encode(asProfileRow(profile)));
}

export async function updateProfile(
  tx: Tx,
  { id, version }: { id: string; version: number },
  facts: Pick<Profile, 'name' | 'kind' | 'rights'>,
): Promise<boolean> {
  const changed = await tx
    .knex(profiles.name)
    .where({ id, version })
    .whereNull('profile_key')
    .update({ ...profiles.encode({ ...facts, rights: [...facts.rights] }), version: version + 1 });
  return changed === 1;
}

export async function deleteProfile(tx: Tx, id: string): Promise<boolean> {
  return (await tx.knex(profiles.name).where({ id }).whereNull('profile_key').delete()) === 1;
}

export async function listGrantsOf(db: Queryable, userId: string): Promise<Grant[]> {
  const rows = (await db
    .knex(grants.name)
    .select(grants.columns)
    .where({ user_id: userId })
    .orderBy('id')) as Row[];
  return rows.map(grants.decode);
}

export async function findGrant(db: Queryable, id: string): Promise<Grant | null> {
  const row = (await db.knex(grants.name).first(grants.columns).where({ id })) as Row | undefined;
  return row ? grants.decode(row) : null;
}

/** Of people who can sign in. */
export async function listGrantsOfProfiles(db: Queryable, profileIds: readonly string[]): Promise<Grant[]> {
  if (profileIds.length === 0) return [];
  const rows = (await db
    .knex(grants.name)
    .select(grants.columns)
    .join('users', 'users.id', 'grants.user_id')
    .where('users.status', 'active')
    .whereIn('profile_id', profileIds)) as Row[];
  return rows.map(grants.decode);
}

/** A grant that is there already is left, or widened to the entities below. */
export async function insertGrant(tx: Tx, grant: Grant): Promise<void> {
  const same = ['user_id', 'profile_id', 'entity_id'];
  const row = grants.encode(grant);
  if (grant.isRecursive) await tx.knex(grants.name).insert(row).onConflict(same).merge(['is_recursive']);
  else await insertRows(tx, grants.name, [row], { unless: same });
}

export async function deleteGrant(tx: Tx, id: string): Promise<boolean> {
  return (await tx.knex(grants.name).where({ id }).delete()) === 1;
}

export async function deleteGrantsOf(tx: Tx, userId: string): Promise<void> {
  await tx.knex(grants.name).where({ user_id: userId }).delete();
}

export async function isProfileInUse(db: Queryable, profileId: string): Promise<boolean> {
  return (await db.knex(grants.name).where({ profile_id: profileId }).first('id')) !== undefined;
}

/** How many active people hold a profile recursively on an entity; stops counting at two. */
export async function countHolders(
  db: Queryable,
  { profileId, entityId }: { profileId: string; entityId: string },
): Promise<number> {
  const rows = (await db
    .knex(grants.name)
    .select('grants.id')
    .join('users', 'users.id', 'grants.user_id')
    .where({ 'grants.profile_id': profileId, 'grants.entity_id': entityId, 'users.status': 'active' })
    .limit(2)) as Row[];
  return rows.length;
}

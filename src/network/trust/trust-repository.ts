import type { Queryable, Tx } from '../../db/database.ts';
import { bytes, defineTable, instant, nullable, text, whole } from '../../db/table.ts';
import type { Documents } from './trusted-set.ts';

const hubs = defineTable('trust_hub', {
  id: text,
  url: text,
  seenAt: instant,
  confirmedAt: nullable(instant),
  confirmedBy: nullable(text),
  nextAt: instant,
  checkedAt: nullable(instant),
  failures: whole,
  problem: nullable(text),
  mark: instant,
  correction: whole,
});
const documents = defineTable('trust_document', {
  hub: text,
  role: text,
  version: whole,
  body: bytes,
  storedAt: instant,
});

type Row = Record<string, unknown>;
export type TrustedHub = ReturnType<typeof hubs.decode>;

/** Whom we believe at this address: who was confirmed, else who showed up last. */
export async function findHub(db: Queryable, url: string): Promise<TrustedHub | null> {
  const rows = (await db.knex(hubs.name).where({ url }).orderBy('seen_at', 'desc')) as Row[];
  const found = rows.map(hubs.decode);
  return found.find(({ confirmedAt }) => confirmedAt !== null) ?? found[0] ?? null;
}

/** Somebody who is not confirmed yet takes the place of whoever was not confirmed either. */
export async function putCandidate(tx: Tx, hub: TrustedHub): Promise<void> {
  await tx.knex(hubs.name).where({ url: hub.url, confirmed_at: null }).whereNot({ id: hub.id }).delete();
  await tx.knex(hubs.name).insert(hubs.encode(hub)).onConflict('id').ignore();
}

export async function updateHub(tx: Tx, id: string, seen: Partial<TrustedHub>): Promise<void> {
  await tx.knex(hubs.name).where({ id }).update(hubs.encode(seen));
}

/** Time only comes on: a node whose clock is behind does not turn it back. */
export async function raiseMark(tx: Tx, id: string, mark: number): Promise<void> {
  await tx.knex(hubs.name).where({ id }).where('mark', '<', mark).update({ mark });
}

/** One process of the cluster asks. */
export async function claimHub(
  tx: Tx,
  id: string,
  { now, until }: { now: number; until: number },
): Promise<boolean> {
  const claimed = await tx
    .knex(hubs.name)
    .where({ id })
    .where('next_at', '<=', now)
    .update(hubs.encode({ nextAt: until }));
  return claimed === 1;
}

export async function forgetHub(tx: Tx, id: string): Promise<void> {
  await tx.knex(documents.name).where({ hub: id }).delete();
  await tx.knex(hubs.name).where({ id }).delete();
}

/** Those that every walk needs; of the bins there may be hundreds. */
export async function readDocuments(db: Queryable, hub: string): Promise<Documents> {
  const rows = (await db
    .knex(documents.name)
    .where({ hub })
    .whereIn('role', ['root', 'timestamp', 'snapshot', 'targets'])) as Row[];
  return new Map(rows.map(documents.decode).map(({ role, body }) => [role, body]));
}

/** How far each of them had come, whatever became of its body. */
export async function highestVersions(db: Queryable, hub: string): Promise<Map<string, number>> {
  const rows = (await db.knex(documents.name).select('role', 'version').where({ hub })) as Row[];
  return new Map(rows.map(({ role, version }) => [String(role), Number(version)]));
}

export async function findBody(db: Queryable, hub: string, role: string): Promise<Buffer | null> {
  const row = (await db.knex(documents.name).where({ hub, role }).first()) as Row | undefined;
  return row ? documents.decode(row).body : null;
}

/** Newer ones take the place of older ones, never the other way round: another node may have come further meanwhile. */
export async function storeDocuments(
  tx: Tx,
  hub: string,
  { found, versions, now }: { found: Documents; versions: ReadonlyMap<string, number>; now: number },
): Promise<void> {
  for (const [role, body] of found) {
    const version = versions.get(role);
    if (version === undefined) continue;
    const row = documents.encode({ hub, role, version, body, storedAt: now });
    await tx.knex(documents.name).insert(row).onConflict(['hub', 'role']).ignore();
    await tx
      .knex(documents.name)
      .where({ hub, role })
      .where('version', '<=', version)
      .update(documents.encode({ version, body, storedAt: now }));
  }
}

/** After the keys of a role were replaced its numbers begin again (TUF 5.3.11). */
export async function dropDocuments(tx: Tx, hub: string, roles: readonly string[]): Promise<void> {
  await tx
    .knex(documents.name)
    .where({ hub })
    .whereIn('role', [...roles])
    .delete();
}

import {
  column,
  defineTable,
  type Mac,
  type Page,
  type PageRequest,
  type Queryable,
  type Sealed,
  type Tx,
  offsetOf,
} from 'latchkey/plugin-api';

const { bytes, flag, instant, nullable, oneOf, text, whole } = column;

const rosters = defineTable('invite_roster', {
  keyId: text,
  kind: oneOf('email', 'number'),
  keepsAddresses: flag,
  stamp: text,
  madeBy: nullable(text),
  madeByName: text,
  createdAt: instant,
  updatedAt: instant,
});

const entries = defineTable('invite_roster_entry', {
  id: text,
  keyId: text,
  entryMac: bytes,
  macKey: nullable(whole),
  redemptionId: nullable(text),
  redeemedAt: nullable(instant),
  sealedText: nullable(bytes),
  sealedNonce: nullable(bytes),
  sealedKey: nullable(whole),
  nudgedAt: nullable(instant),
  at: instant,
});

/** For whom a shared link works. */
export type Roster = ReturnType<typeof rosters.decode>;

export interface RosterEntry {
  id: string;
  redemptionId: string | null;
  redeemedAt: number | null;
  /** What it is about, where the administrator chose to keep it. */
  sealed: Sealed | null;
}

type Row = Record<string, unknown>;

export async function insertRoster(tx: Tx, roster: Roster): Promise<void> {
  await tx.knex(rosters.name).insert(rosters.encode(roster));
}

export async function findRoster(db: Queryable, keyId: string): Promise<Roster | null> {
  const row = (await db.knex(rosters.name).select(rosters.columns).where({ key_id: keyId }).first()) as
    Row | undefined;
  return row ? rosters.decode(row) : null;
}

export interface NewEntry {
  id: string;
  keyId: string;
  /** Under every key of the house, newest first: on the list is who is there under any. */
  macs: readonly Mac[];
  sealed: Sealed | null;
  at: number;
}

/** Whoever is on the list already stays as they are. Answers how many are new. */
export async function addEntries(tx: Tx, keyId: string, wanted: readonly NewEntry[]): Promise<number> {
  if (wanted.length === 0) return 0;
  const known = await tx
    .knex(entries.name)
    .where({ key_id: keyId })
    .whereIn(
      'entry_mac',
      wanted.flatMap(({ macs }) => macs.map(({ digest }) => digest)),
    )
    .select<Row[]>('entry_mac');
  const listed = new Set(known.map((row) => hex(row['entry_mac'])));
  const fresh = wanted.filter(({ macs }) => !macs.some(({ digest }) => listed.has(digest.toString('hex'))));
  if (fresh.length > 0)
    await tx.knex(entries.name).insert(
      fresh.map(({ id, macs: [newest], sealed, at }) =>
        entries.encode({
          id,
          keyId,
          ...macColumns(newest),
          redemptionId: null,
          redeemedAt: null,
          ...sealedColumns(sealed),
          nudgedAt: null,
          at,
        }),
      ),
    );
  return fresh.length;
}

const macColumns = (mac: Mac | undefined): { entryMac?: Buffer; macKey?: number } =>
  mac === undefined ? {} : { entryMac: mac.digest, macKey: mac.keyId };

const sealedColumns = (
  sealed: Sealed | null,
): { sealedText: Buffer | null; sealedNonce: Buffer | null; sealedKey: number | null } => ({
  sealedText: sealed?.ciphertext ?? null,
  sealedNonce: sealed?.nonce ?? null,
  sealedKey: sealed?.keyId ?? null,
});

const hex = (stored: unknown): string =>
  stored instanceof Uint8Array ? Buffer.from(stored).toString('hex') : '';

export async function findEntry(
  db: Queryable,
  keyId: string,
  macs: readonly Buffer[],
): Promise<RosterEntry | null> {
  const row = (await db
    .knex(entries.name)
    .select(entries.columns)
    .where({ key_id: keyId })
    .whereIn('entry_mac', [...macs])
    .first()) as Row | undefined;
  return row ? entryOf(row) : null;
}

export async function findEntryById(
  db: Queryable,
  id: string,
): Promise<(RosterEntry & { keyId: string }) | null> {
  const row = (await db.knex(entries.name).select(entries.columns).where({ id }).first()) as Row | undefined;
  return row ? { ...entryOf(row), keyId: entries.decode(row).keyId } : null;
}

/** The same entry under newer keys of the house. */
export async function resealEntry(
  tx: Tx,
  id: string,
  { mac, sealed }: { mac: Mac; sealed: Sealed },
): Promise<boolean> {
  const renewed = entries.encode({ ...macColumns(mac), ...sealedColumns(sealed) });
  return (await tx.knex(entries.name).where({ id }).update(renewed)) === 1;
}

/** Takes somebody's place on the list, once, in the transaction that takes the seat. Shown again, its digest is made with the newest key. */
export async function takeEntry(
  tx: Tx,
  keyId: string,
  macs: readonly Mac[],
  { redemptionId, now }: { redemptionId: string; now: number },
): Promise<boolean> {
  const taken = await tx
    .knex(entries.name)
    .where({ key_id: keyId })
    .whereIn(
      'entry_mac',
      macs.map(({ digest }) => digest),
    )
    .whereNull('redeemed_at')
    .update(entries.encode({ redeemedAt: now, redemptionId, ...macColumns(macs[0]) }));
  return taken === 1;
}

/** With a seat that comes back, the place on the list does. */
export async function freeEntry(tx: Tx, redemptionId: string): Promise<void> {
  await tx
    .knex(entries.name)
    .where({ redemption_id: redemptionId })
    .update({ redeemed_at: null, redemption_id: null });
}

/** Only while nobody has joined with it. */
export async function removeEntry(tx: Tx, keyId: string, macs: readonly Buffer[]): Promise<boolean> {
  const gone = await tx
    .knex(entries.name)
    .where({ key_id: keyId })
    .whereIn('entry_mac', [...macs])
    .whereNull('redeemed_at')
    .delete();
  return gone === 1;
}

export interface RosterCounts {
  total: number;
  joined: number;
  inProgress: number;
  missing: number;
}

export async function countEntries(db: Queryable, keyId: string): Promise<RosterCounts> {
  const rows = await db
    .knex(entries.name)
    .leftJoin('invite_redemption', 'invite_redemption.id', 'invite_roster_entry.redemption_id')
    .where('invite_roster_entry.key_id', keyId)
    .groupBy('invite_redemption.status')
    .select<{ status: string | null; count: unknown }[]>(
      'invite_redemption.status',
      db.knex.raw('count(*) as count'),
    );
  const counts: RosterCounts = { total: 0, joined: 0, inProgress: 0, missing: 0 };
  for (const { status, count } of rows) {
    counts.total += Number(count);
    if (status === null) counts.missing += Number(count);
    else if (status === 'active') counts.joined += Number(count);
    else counts.inProgress += Number(count);
  }
  return counts;
}

export async function listMissing(
  db: Queryable,
  keyId: string,
  page: PageRequest,
): Promise<Page<RosterEntry>> {
  const wanted = db.knex(entries.name).where({ key_id: keyId }).whereNull('redeemed_at');
  const rows = (await wanted
    .clone()
    .select(entries.columns)
    .orderBy('id')
    .limit(page.perPage)
    .offset(offsetOf(page))) as Row[];
  const counted = (await wanted.clone().count({ count: '*' }).first()) as Row | undefined;
  return { items: rows.map(entryOf), ...page, total: Number(counted?.['count'] ?? 0) };
}

/** One after another by id. */
export async function missingAfter(
  db: Queryable,
  keyId: string,
  after: string,
  limit: number,
): Promise<RosterEntry[]> {
  const rows = (await db
    .knex(entries.name)
    .select(entries.columns)
    .where({ key_id: keyId })
    .whereNull('redeemed_at')
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)) as Row[];
  return rows.map(entryOf);
}

function entryOf(row: Row): RosterEntry {
  const { id, redemptionId, redeemedAt, sealedText, sealedNonce, sealedKey } = entries.decode(row);
  const sealed =
    sealedText === null || sealedNonce === null || sealedKey === null
      ? null
      : { keyId: sealedKey, nonce: sealedNonce, ciphertext: sealedText };
  return { id, redemptionId, redeemedAt, sealed };
}

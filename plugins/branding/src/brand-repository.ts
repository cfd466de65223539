import { column, defineTable, type Queryable, type Tx } from 'latchkey/plugin-api';

const ONLY = 'house';

const brands = defineTable('branding_brand', {
  id: column.text,
  version: column.whole,
  /** Another with every change; stands in the addresses of logo and style sheet. */
  stamp: column.text,
  light: column.nullable(column.text),
  dark: column.nullable(column.text),
  logoType: column.nullable(column.text),
  logo: column.nullable(column.bytes),
  changedAt: column.instant,
});

export interface Look {
  stamp: string;
  light: string | null;
  dark: string | null;
  logoType: string | null;
  logo: Buffer | null;
}

export type KeptLook = Look & { version: number };

export async function findLook(db: Queryable): Promise<KeptLook | null> {
  const row = await db.knex(brands.name).where({ id: ONLY }).first<Record<string, unknown> | undefined>();
  return row ? brands.decode(row) : null;
}

export async function findStamp(db: Queryable): Promise<string | null> {
  const row = await db.knex(brands.name).where({ id: ONLY }).first<{ stamp: string } | undefined>('stamp');
  return row?.stamp ?? null;
}

/** False when somebody else has changed it since version `seen`; 0 is before anybody did. */
export async function keepLook(
  tx: Tx,
  look: Look,
  { seen, now }: { seen: number; now: number },
): Promise<boolean> {
  const row = brands.encode({ ...look, id: ONLY, version: seen + 1, changedAt: now });
  if (seen > 0) return (await tx.knex(brands.name).where({ id: ONLY, version: seen }).update(row)) === 1;
  await tx.knex(brands.name).insert(row).onConflict('id').ignore();
  return (await findStamp(tx)) === look.stamp;
}

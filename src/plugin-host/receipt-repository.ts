import { rowToLine, tableNames, withoutForeignKeys } from '../db/dump.ts';
import type { Database, Tx } from '../db/database.ts';
import { InvalidInputError } from '../shared/errors.ts';
import type { ExportedRow } from './exported-data.ts';

/** What is stored under a plugin's name. */
export interface Receipt {
  tables: { name: string; rows: number }[];
  settings: string[];
  jobs: string[];
}

/** Everything whose name begins as the plugin's does: tables with its prefix, settings and jobs with its id. */
export async function readReceipt(db: Database, id: string, tablePrefix: string): Promise<Receipt> {
  const names = (await tableNames(db)).filter((name) => name.startsWith(tablePrefix));
  const tables = await Promise.all(names.map(async (name) => ({ name, rows: await rowsIn(db, name) })));
  return { tables, settings: await idsOf(db, 'setting', id), jobs: await idsOf(db, 'job', id) };
}

async function rowsIn({ knex }: Database, table: string): Promise<number> {
  const row = await knex(table).count({ rows: '*' }).first<{ rows: number | string }>();
  return Number(row.rows);
}

async function idsOf({ knex }: Database, table: 'setting' | 'job', plugin: string): Promise<string[]> {
  const rows = await knex(table)
    .where('id', 'like', `${plugin}.%`)
    .orderBy('id')
    .select<{ id: string }[]>('id');
  return rows.map(({ id }) => id);
}

export async function deleteBelongings(tx: Tx, { settings, jobs }: Receipt): Promise<void> {
  await tx.knex('setting').whereIn('id', settings).delete();
  await tx.knex('job').whereIn('id', jobs).delete();
}

const ROWS_AT_A_TIME = 500;
const SETTINGS = 'setting';

/** Every row of these tables, a line each: `{"table": …, "row": …}`; and the settings, in the same way. */
export async function* linesOf(
  { knex }: Database,
  { tables, settings }: Pick<Receipt, 'tables' | 'settings'>,
): AsyncGenerator<string> {
  const kept = (await knex(SETTINGS).whereIn('id', settings)) as Record<string, unknown>[];
  for (const row of kept) yield `{"table":"${SETTINGS}","row":${rowToLine(row)}}\n`;
  for (const { name } of tables) {
    for (let offset = 0; ; offset += ROWS_AT_A_TIME) {
      const rows = (await knex(name).offset(offset).limit(ROWS_AT_A_TIME)) as Record<string, unknown>[];
      for (const row of rows) yield `{"table":${JSON.stringify(name)},"row":${rowToLine(row)}}\n`;
      if (rows.length < ROWS_AT_A_TIME) break;
    }
  }
}

/** Adds rows of this plugin's tables, and settings where they stand on nothing yet. Answers how many rows. */
export async function addExported(
  tx: Tx,
  rows: AsyncIterable<ExportedRow>,
  { id, tables }: { id: string; tables: readonly { name: string }[] },
): Promise<number> {
  const own = new Set(tables.map(({ name }) => name));
  let count = 0;
  await withoutForeignKeys(tx, async () => {
    for await (const { table, row } of rows) {
      const isSetting = table === SETTINGS && String(row['id']).startsWith(`${id}.`);
      if (!isSetting && !own.has(table))
        throw new InvalidInputError('plugin.export-of-another', { params: { plugin: id, table } });
      const adding = tx.knex(table).insert(row);
      await (isSetting ? adding.onConflict('id').merge() : adding);
      count += 1;
    }
  });
  return count;
}

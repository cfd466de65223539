import type { Migration } from '../db/migrations.ts';
import type { Manifest } from './manifest.ts';
import { withoutValues, writtenTables } from './written-tables.ts';

/** A plugin's schema is its own: the names begin with its prefix, so that one sees whose they are and may drop them all. */
export function assertOwnTables(
  manifest: Pick<Manifest, 'id' | 'tablePrefix' | 'migrations'>,
  migrations: readonly Migration[],
): void {
  const prefix = prefixOf(manifest);
  for (const migration of migrations) {
    const foreign = tablesOf(migration).find((table) => !table.startsWith(prefix));
    if (foreign === undefined) continue;
    const file = `${manifest.migrations}/${migration.name}.ts`;
    throw new Error(
      `${file}: The table ${foreign} does not begin with ${prefix}; a migration changes none but its own`,
    );
  }
}

export const prefixOf = ({ id, tablePrefix }: { id: string; tablePrefix?: string | undefined }): string =>
  tablePrefix ?? `${id.replaceAll('-', '_')}_`;

const tablesOf = ({ up, down }: Migration): string[] =>
  [...up, ...down].flatMap((step) => {
    if (typeof step === 'object' && 'searchIndexOn' in step) return [step.searchIndexOn];
    const statements = typeof step === 'string' ? [step] : Object.values(step);
    return statements.flatMap((one) => writtenTables(withoutValues(one)).map(({ table }) => table));
  });

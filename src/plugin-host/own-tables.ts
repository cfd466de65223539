import type { Migration } from '../db/migrations.ts';
import type { Manifest } from './manifest.ts';

const changes =
  /^\s*(?:create\s+(?:virtual\s+)?table(?:\s+if\s+not\s+exists)?|alter\s+table|drop\s+table(?:\s+if\s+exists)?|create\s+(?:unique\s+|fulltext\s+)?index\s+(?:if\s+not\s+exists\s+)?\w+\s+on)\s+[`"]?(\w+)/i;

/** A plugin's schema is its own: the names begin with its prefix, so that one sees whose they are and may drop them all. */
export function assertOwnTables(manifest: Manifest, migrations: readonly Migration[]): void {
  const prefix = prefixOf(manifest);
  const foreign = migrations.flatMap(tablesOf).find((table) => !table.startsWith(prefix));
  if (foreign !== undefined) throw new Error(`The table ${foreign} does not begin with ${prefix}`);
}

export const prefixOf = ({ id, tablePrefix }: { id: string; tablePrefix?: string | undefined }): string =>
  tablePrefix ?? `${id.replaceAll('-', '_')}_`;

const tablesOf = ({ up, down }: Migration): string[] =>
  [...up, ...down]
    .flatMap((step) => (typeof step === 'string' ? [step] : Object.values(step).map(String)))
    .map((statement) => changes.exec(statement)?.[1])
    .filter((table) => table !== undefined);

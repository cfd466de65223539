import type { Migration } from '../src/db/migrations.ts';

/** Which process wrote it: on a cluster the time alone does not say where something happened. */
export const migration: Migration = {
  name: '0010-audit-node',
  up: ['ALTER TABLE audit_entries ADD COLUMN node VARCHAR(64) NULL'],
  down: ['ALTER TABLE audit_entries DROP COLUMN node'],
};

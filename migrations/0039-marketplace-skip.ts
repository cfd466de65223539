import type { Migration } from '../src/db/migrations.ts';

/** Versions of plugins that an administrator has passed over; a newer one is offered again. */
export const migration: Migration = {
  name: '0039-marketplace-skip',
  up: [
    `CREATE TABLE IF NOT EXISTS marketplace_skip (
       plugin_id VARCHAR(48) NOT NULL, version VARCHAR(40) NOT NULL, skipped_by VARCHAR(200) NOT NULL,
       skipped_at {instant} NOT NULL, PRIMARY KEY (plugin_id))`,
  ],
  down: ['DROP TABLE IF EXISTS marketplace_skip'],
};

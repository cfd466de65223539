import type { Migration } from '../src/db/migrations.ts';

/** What this house thinks of plugins of its hub, and whether the hub has heard of it. */
export const migration: Migration = {
  name: '0033-ratings',
  up: [
    `CREATE TABLE IF NOT EXISTS marketplace_rating (
       plugin_id VARCHAR(48) NOT NULL, hub VARCHAR(300) NOT NULL, stars INTEGER NOT NULL, sentence VARCHAR(300) NOT NULL,
       said_by VARCHAR(200) NOT NULL, said_at {instant} NOT NULL, is_told {flag} NOT NULL, refusal VARCHAR(500),
       tries INTEGER NOT NULL, next_at {instant} NOT NULL, PRIMARY KEY (plugin_id))`,
  ],
  down: ['DROP TABLE IF EXISTS marketplace_rating'],
};

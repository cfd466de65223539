import type { Migration } from '../src/db/migrations.ts';

/** What is wanted of each plugin, and what each node made of it: two tables, so that a crash or a second node confuses nothing. */
export const migration: Migration = {
  name: '0007-plugins',
  up: [
    `CREATE TABLE IF NOT EXISTS plugin_state (
       id VARCHAR(48) NOT NULL PRIMARY KEY, desired VARCHAR(8) NOT NULL, version VARCHAR(40) NOT NULL,
       guards {text} NOT NULL, first_seen_at {instant} NOT NULL, changed_at {instant} NOT NULL, changed_by VARCHAR(200) NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS plugin_node (
       node VARCHAR(120) NOT NULL, plugin_id VARCHAR(48) NOT NULL, version VARCHAR(40) NOT NULL, state VARCHAR(16) NOT NULL,
       step VARCHAR(24), error {text}, changed_at {instant} NOT NULL, seen_at {instant} NOT NULL, PRIMARY KEY (node, plugin_id))`,
  ],
  down: ['DROP TABLE IF EXISTS plugin_node', 'DROP TABLE IF EXISTS plugin_state'],
};

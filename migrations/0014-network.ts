import type { Migration } from '../src/db/migrations.ts';

/** What this installation is to its hub, the key it was given, and what the hub last said of it. */
export const migration: Migration = {
  name: '0014-network',
  up: [
    `CREATE TABLE IF NOT EXISTS network_instance (
       place INTEGER NOT NULL PRIMARY KEY, uid VARCHAR(40) NOT NULL, made_at {instant} NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS network_key (
       place INTEGER NOT NULL PRIMARY KEY, hub VARCHAR(300) NOT NULL, mark VARCHAR(40) NOT NULL,
       box_text {bytes} NOT NULL, box_nonce {bytes} NOT NULL, box_key INTEGER NOT NULL, saved_at {instant} NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS network_check (
       about {digest} NOT NULL PRIMARY KEY, next_at {instant} NOT NULL, checked_at {instant}, failures INTEGER NOT NULL,
       failing_since {instant}, problem VARCHAR(8), answer {text}, answered_at {instant})`,
  ],
  down: [
    'DROP TABLE IF EXISTS network_check',
    'DROP TABLE IF EXISTS network_key',
    'DROP TABLE IF EXISTS network_instance',
  ],
};

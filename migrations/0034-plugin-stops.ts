import type { Migration } from '../src/db/migrations.ts';

/** Plugins that somebody else's word stopped, why, and who let them run all the same; and those that are being tried. */
export const migration: Migration = {
  name: '0034-plugin-stops',
  up: [
    `CREATE TABLE IF NOT EXISTS marketplace_stop (
       plugin_id VARCHAR(64) NOT NULL PRIMARY KEY, version VARCHAR(64) NOT NULL, cause VARCHAR(16) NOT NULL,
       reason VARCHAR(500) NOT NULL, stopped_at {instant} NOT NULL, allowed_at {instant}, allowed_by VARCHAR(200),
       allowed_because VARCHAR(500))`,
    `CREATE TABLE IF NOT EXISTS marketplace_trial (
       plugin_id VARCHAR(64) NOT NULL PRIMARY KEY, ends_at {instant} NOT NULL, entitled_at {instant})`,
  ],
  down: ['DROP TABLE IF EXISTS marketplace_trial', 'DROP TABLE IF EXISTS marketplace_stop'],
};

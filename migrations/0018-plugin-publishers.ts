import type { Migration } from '../src/db/migrations.ts';

/** Publishers whose signatures are believed, and what is known of who made each package. */
export const migration: Migration = {
  name: '0018-plugin-publishers',
  up: [
    `CREATE TABLE IF NOT EXISTS plugin_publisher (
       key_id VARCHAR(64) NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL, public_key {text} NOT NULL,
       added_at {instant} NOT NULL, added_by VARCHAR(200) NOT NULL)`,
    "ALTER TABLE plugin_release ADD COLUMN trust VARCHAR(16) NOT NULL DEFAULT 'vouched'",
    'ALTER TABLE plugin_release ADD COLUMN signed_by VARCHAR(120) NULL',
    'ALTER TABLE plugin_release ADD COLUMN accepted_by VARCHAR(200) NULL',
  ],
  down: [
    'ALTER TABLE plugin_release DROP COLUMN accepted_by',
    'ALTER TABLE plugin_release DROP COLUMN signed_by',
    'ALTER TABLE plugin_release DROP COLUMN trust',
    'DROP TABLE IF EXISTS plugin_publisher',
  ],
};

import type { Migration } from '../src/db/migrations.ts';

/** Installed packages: each version whole in the database, so that every node can fetch it, and one pointer to the version in use. */
export const migration: Migration = {
  name: '0013-plugin-releases',
  up: [
    'ALTER TABLE plugin_state ADD COLUMN chosen VARCHAR(40) NULL',
    'ALTER TABLE plugin_state ADD COLUMN previous VARCHAR(40) NULL',
    `CREATE TABLE IF NOT EXISTS plugin_release (
       plugin_id VARCHAR(48) NOT NULL, version VARCHAR(40) NOT NULL, sha256 CHAR(64) NOT NULL, size {number} NOT NULL,
       manifest {text} NOT NULL, added_at {instant} NOT NULL, added_by VARCHAR(200) NOT NULL, PRIMARY KEY (plugin_id, version))`,
    `CREATE TABLE IF NOT EXISTS plugin_release_part (
       plugin_id VARCHAR(48) NOT NULL, version VARCHAR(40) NOT NULL, part INTEGER NOT NULL, content {bytes} NOT NULL,
       PRIMARY KEY (plugin_id, version, part))`,
  ],
  down: [
    'DROP TABLE IF EXISTS plugin_release_part',
    'DROP TABLE IF EXISTS plugin_release',
    'ALTER TABLE plugin_state DROP COLUMN previous',
    'ALTER TABLE plugin_state DROP COLUMN chosen',
  ],
};

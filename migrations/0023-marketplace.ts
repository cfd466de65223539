import type { Migration } from '../src/db/migrations.ts';

/** What the hub has on offer, as it was last read; pages show this and never ask. And what is being brought in. */
export const migration: Migration = {
  name: '0023-marketplace',
  up: [
    `CREATE TABLE IF NOT EXISTS marketplace_reading (
       place INTEGER NOT NULL PRIMARY KEY, hub VARCHAR(300) NOT NULL, generation INTEGER NOT NULL, next_at {instant} NOT NULL,
       read_at {instant}, tried_at {instant}, failures INTEGER NOT NULL, failing_since {instant}, problem VARCHAR(20),
       total INTEGER NOT NULL, offers {text} NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS marketplace_plugin (
       id VARCHAR(64) NOT NULL PRIMARY KEY, generation INTEGER NOT NULL, sort_name VARCHAR(120) NOT NULL, is_free {flag} NOT NULL,
       downloads INTEGER NOT NULL, stars INTEGER NOT NULL, added_at {instant} NOT NULL, updated_at {instant} NOT NULL,
       search_text VARCHAR(2000) NOT NULL, item {text} NOT NULL)`,
    'CREATE INDEX marketplace_plugin_by_name ON marketplace_plugin (sort_name)',
    'CREATE INDEX marketplace_plugin_by_downloads ON marketplace_plugin (downloads)',
    'CREATE INDEX marketplace_plugin_by_stars ON marketplace_plugin (stars)',
    'CREATE INDEX marketplace_plugin_by_added ON marketplace_plugin (added_at)',
    'CREATE INDEX marketplace_plugin_by_updated ON marketplace_plugin (updated_at)',
    `CREATE TABLE IF NOT EXISTS marketplace_tag (
       tag VARCHAR(60) NOT NULL, plugin_id VARCHAR(64) NOT NULL, label VARCHAR(60) NOT NULL, PRIMARY KEY (tag, plugin_id),
       CONSTRAINT marketplace_tag_plugin FOREIGN KEY (plugin_id) REFERENCES marketplace_plugin (id) ON DELETE CASCADE)`,
    `CREATE TABLE IF NOT EXISTS marketplace_picture (
       sha256 VARCHAR(64) NOT NULL PRIMARY KEY, content {bytes} NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS marketplace_operation (
       id {id} NOT NULL PRIMARY KEY, plugin_id VARCHAR(64) NOT NULL, name VARCHAR(200) NOT NULL, version VARCHAR(40) NOT NULL,
       from_version VARCHAR(40), step VARCHAR(12) NOT NULL, got INTEGER NOT NULL, size INTEGER NOT NULL,
       problem VARCHAR(80), params {text} NOT NULL, started_at {instant} NOT NULL, beat_at {instant} NOT NULL,
       ended_at {instant}, started_by VARCHAR(120) NOT NULL)`,
    'CREATE INDEX marketplace_operation_by_plugin ON marketplace_operation (plugin_id, started_at)',
    `CREATE TABLE IF NOT EXISTS marketplace_told (
       plugin_id VARCHAR(64) NOT NULL, version VARCHAR(40) NOT NULL, told_at {instant} NOT NULL, PRIMARY KEY (plugin_id, version))`,
  ],
  down: [
    'DROP TABLE IF EXISTS marketplace_told',
    'DROP TABLE IF EXISTS marketplace_operation',
    'DROP TABLE IF EXISTS marketplace_picture',
    'DROP TABLE IF EXISTS marketplace_tag',
    'DROP TABLE IF EXISTS marketplace_plugin',
    'DROP TABLE IF EXISTS marketplace_reading',
  ],
};

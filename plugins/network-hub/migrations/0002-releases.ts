import type { Migration } from 'latchkey/plugin-api';

/** What publishers have published, in packages that are kept whole; the pictures shown with it, and how it is taken. */
export const migration: Migration = {
  name: '0002-releases',
  up: [
    `CREATE TABLE IF NOT EXISTS hub_release (
       id {id} NOT NULL PRIMARY KEY, plugin INTEGER NOT NULL, version VARCHAR(40) NOT NULL, channel VARCHAR(10) NOT NULL,
       sha256 VARCHAR(64) NOT NULL, size INTEGER NOT NULL, manifest {text} NOT NULL, notes {text} NOT NULL,
       latchkey VARCHAR(80) NOT NULL, compatibility VARCHAR(80), share INTEGER NOT NULL,
       withdrawn VARCHAR(12), reason VARCHAR(500), published_at {instant} NOT NULL, published_by VARCHAR(120) NOT NULL,
       CONSTRAINT hub_release_once UNIQUE (plugin, version),
       CONSTRAINT hub_release_plugin FOREIGN KEY (plugin) REFERENCES hub_plugin (number) ON DELETE CASCADE)`,
    'CREATE INDEX hub_release_by_digest ON hub_release (sha256)',
    `CREATE TABLE IF NOT EXISTS hub_release_part (
       release_id {id} NOT NULL, part INTEGER NOT NULL, content {bytes} NOT NULL, PRIMARY KEY (release_id, part),
       CONSTRAINT hub_release_part_release FOREIGN KEY (release_id) REFERENCES hub_release (id) ON DELETE CASCADE)`,
    `CREATE TABLE IF NOT EXISTS hub_picture (
       sha256 VARCHAR(64) NOT NULL PRIMARY KEY, content {bytes} NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS hub_download_day (
       plugin INTEGER NOT NULL, day VARCHAR(10) NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (plugin, day),
       CONSTRAINT hub_download_day_plugin FOREIGN KEY (plugin) REFERENCES hub_plugin (number) ON DELETE CASCADE)`,
    `CREATE TABLE IF NOT EXISTS hub_seen_day (
       day VARCHAR(10) NOT NULL, instance_id {id} NOT NULL, PRIMARY KEY (day, instance_id),
       CONSTRAINT hub_seen_day_instance FOREIGN KEY (instance_id) REFERENCES hub_instance (id) ON DELETE CASCADE)`,
    `CREATE TABLE IF NOT EXISTS hub_rating (
       plugin INTEGER NOT NULL, user_id {id} NOT NULL, stars INTEGER NOT NULL, said_at {instant} NOT NULL,
       PRIMARY KEY (plugin, user_id),
       CONSTRAINT hub_rating_plugin FOREIGN KEY (plugin) REFERENCES hub_plugin (number) ON DELETE CASCADE)`,
  ],
  down: [
    'DROP TABLE IF EXISTS hub_rating',
    'DROP TABLE IF EXISTS hub_seen_day',
    'DROP TABLE IF EXISTS hub_download_day',
    'DROP TABLE IF EXISTS hub_picture',
    'DROP TABLE IF EXISTS hub_release_part',
    'DROP TABLE IF EXISTS hub_release',
  ],
};

import type { Migration } from '../src/db/migrations.ts';

const NOTHING = 'SELECT 1';

/** What the catalogue is searched by: a row for each word of a plugin, and how many plugins have each tag, counted when it is read. */
export const migration: Migration = {
  name: '0036-marketplace-words',
  up: [
    `CREATE TABLE IF NOT EXISTS marketplace_word (
       word VARCHAR(60) NOT NULL, plugin_id VARCHAR(64) NOT NULL, PRIMARY KEY (word, plugin_id),
       CONSTRAINT marketplace_word_plugin FOREIGN KEY (plugin_id) REFERENCES marketplace_plugin (id) ON DELETE CASCADE)`,
    'CREATE INDEX marketplace_word_by_plugin ON marketplace_word (plugin_id, word)',
    // MariaDB has made this one for the foreign key already.
    { sqlite: 'CREATE INDEX marketplace_tag_by_plugin ON marketplace_tag (plugin_id)', mysql: NOTHING },
    `CREATE TABLE IF NOT EXISTS marketplace_tag_count (
       tag VARCHAR(60) NOT NULL PRIMARY KEY, label VARCHAR(60) NOT NULL, plugins INTEGER NOT NULL)`,
    // Has no words yet: it is read anew at once, and whole.
    'UPDATE marketplace_reading SET next_at = 0',
    `UPDATE marketplace_plugin SET search_text = ''`,
  ],
  down: [
    'DROP TABLE IF EXISTS marketplace_tag_count',
    { sqlite: 'DROP INDEX marketplace_tag_by_plugin', mysql: NOTHING },
    'DROP TABLE IF EXISTS marketplace_word',
  ],
};

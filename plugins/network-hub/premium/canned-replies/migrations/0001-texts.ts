import type { Migration } from 'latchkey/plugin-api';

/** Texts under short names. */
export const migration: Migration = {
  name: '0001-texts',
  up: [
    `CREATE TABLE IF NOT EXISTS canned_text (
       slug VARCHAR(40) NOT NULL PRIMARY KEY, body {text} NOT NULL, saved_at {instant} NOT NULL)`,
  ],
  down: ['DROP TABLE IF EXISTS canned_text'],
};

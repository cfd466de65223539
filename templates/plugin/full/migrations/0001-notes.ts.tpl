import type { Migration } from 'latchkey/plugin-api';

export const migration: Migration = {
  name: '0001-notes',
  up: [
    `CREATE TABLE IF NOT EXISTS __prefix__note (
       id {id} NOT NULL PRIMARY KEY, said VARCHAR(500) NOT NULL, said_at {instant} NOT NULL)`,
  ],
  down: ['DROP TABLE IF EXISTS __prefix__note'],
};

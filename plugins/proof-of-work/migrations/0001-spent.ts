import type { Migration } from 'latchkey/plugin-api';

/** Puzzles that were solved, until nobody could send them again anyway. */
export const migration: Migration = {
  name: '0001-spent',
  up: [
    `CREATE TABLE IF NOT EXISTS pow_spent (
       digest {digest} NOT NULL PRIMARY KEY, expires_at {instant} NOT NULL)`,
    'CREATE INDEX pow_spent_by_end ON pow_spent (expires_at)',
  ],
  down: ['DROP TABLE IF EXISTS pow_spent'],
};

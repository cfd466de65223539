import type { Migration } from '../src/db/migrations.ts';

/** Events that say whom to forget, and by which words they are found in what was told before. */
export const migration: Migration = {
  name: '0029-event-forgetting',
  up: [
    `CREATE TABLE IF NOT EXISTS event_forgetting (
       position {number} NOT NULL PRIMARY KEY, words {text} NOT NULL)`,
  ],
  down: ['DROP TABLE IF EXISTS event_forgetting'],
};

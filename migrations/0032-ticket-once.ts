import type { Migration } from '../src/db/migrations.ts';

/** What was written at the call of a plugin that may have to call again: a call that is repeated finds what it has made. */
export const migration: Migration = {
  name: '0032-ticket-once',
  up: [
    `CREATE TABLE IF NOT EXISTS ticket_once (
       owner VARCHAR(48) NOT NULL, token VARCHAR(120) NOT NULL, ticket_id {id} NOT NULL, entry_id {id},
       PRIMARY KEY (owner, token))`,
    'CREATE INDEX ticket_once_by_ticket ON ticket_once (ticket_id)',
  ],
  down: ['DROP TABLE IF EXISTS ticket_once'],
};

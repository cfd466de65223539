import type { Migration } from '../src/db/migrations.ts';

/** Somebody without an account whom a ticket is about; until they have one, whoever wrote the ticket down stands in for them. */
export const migration: Migration = {
  name: '0010-correspondents',
  up: [
    `CREATE TABLE IF NOT EXISTS ticket_correspondents (
       ticket_id {id} NOT NULL PRIMARY KEY, email VARCHAR(320) NOT NULL, email_norm VARCHAR(320) NOT NULL,
       created_by {id}, created_at {instant} NOT NULL)`,
    'CREATE INDEX ticket_correspondents_by_email ON ticket_correspondents (email_norm)',
  ],
  down: ['DROP TABLE IF EXISTS ticket_correspondents'],
};

import type { Migration } from 'latchkey/plugin-api';

/** The tags there are, and which ticket carries which. */
export const migration: Migration = {
  name: '0001-tags',
  up: [
    `CREATE TABLE IF NOT EXISTS tag_tag (
       id {id} NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL, slug VARCHAR(60) NOT NULL UNIQUE,
       tone VARCHAR(10) NOT NULL, created_at {instant} NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS tag_ticket (
       ticket_id {id} NOT NULL, tag_id {id} NOT NULL,
       PRIMARY KEY (ticket_id, tag_id),
       CONSTRAINT tag_ticket_tag FOREIGN KEY (tag_id) REFERENCES tag_tag (id) ON DELETE CASCADE)`,
    'CREATE INDEX tag_ticket_by_tag ON tag_ticket (tag_id, ticket_id)',
  ],
  down: ['DROP TABLE IF EXISTS tag_ticket', 'DROP TABLE IF EXISTS tag_tag'],
};

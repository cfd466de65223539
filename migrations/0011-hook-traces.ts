import type { Migration } from '../src/db/migrations.ts';

/** Requests that an administrator has looked into, and who changed what of a ticket. */
export const migration: Migration = {
  name: '0011-hook-traces',
  up: [
    `CREATE TABLE IF NOT EXISTS hook_trace (
      id {id} NOT NULL PRIMARY KEY,
      user_id {id} NOT NULL,
      at {instant} NOT NULL,
      method VARCHAR(10) NOT NULL,
      path VARCHAR(500) NOT NULL,
      status {number} NOT NULL,
      took_ms {number} NOT NULL,
      steps {text} NOT NULL
    )`,
    'CREATE INDEX hook_trace_user ON hook_trace (user_id, at)',
    `CREATE TABLE IF NOT EXISTS ticket_trail (
      id {id} NOT NULL PRIMARY KEY,
      ticket_id {id} NOT NULL,
      at {instant} NOT NULL,
      version {number} NOT NULL,
      step {text} NOT NULL
    )`,
    'CREATE INDEX ticket_trail_ticket ON ticket_trail (ticket_id, id)',
  ],
  down: ['DROP TABLE IF EXISTS ticket_trail', 'DROP TABLE IF EXISTS hook_trace'],
};

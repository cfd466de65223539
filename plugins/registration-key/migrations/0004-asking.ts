import type { Migration } from 'latchkey/plugin-api';

/** Who asks for a way in when a key is over, and whether a machine has to show its work before a key opens. */
export const migration: Migration = {
  name: '0004-asking',
  up: [
    `ALTER TABLE invite_key ADD COLUMN human_check VARCHAR(8) NOT NULL DEFAULT 'off'`,
    `CREATE TABLE IF NOT EXISTS invite_request (
       id {id} NOT NULL PRIMARY KEY, key_id {id} NOT NULL, entity_id {id} NOT NULL,
       state VARCHAR(12) NOT NULL, reason VARCHAR(40) NOT NULL,
       name VARCHAR(120) NOT NULL, email VARCHAR(320) NOT NULL, message VARCHAR(500) NOT NULL, locale VARCHAR(8) NOT NULL,
       open_slot {digest}, network VARCHAR(64) NOT NULL, at {instant} NOT NULL,
       decided_at {instant}, decided_by {id}, decided_by_name VARCHAR(200) NOT NULL, note VARCHAR(500) NOT NULL, child_id {id},
       CONSTRAINT invite_request_open UNIQUE (open_slot),
       CONSTRAINT invite_request_key FOREIGN KEY (key_id) REFERENCES invite_key (id) ON DELETE RESTRICT)`,
    'CREATE INDEX invite_request_by_entity ON invite_request (entity_id, state, at)',
    'CREATE INDEX invite_request_by_state ON invite_request (state, at)',
    'CREATE INDEX invite_request_by_key ON invite_request (key_id, at)',
  ],
  down: ['DROP TABLE IF EXISTS invite_request'],
};

import type { Migration } from '../src/db/migrations.ts';

/** What people of this house ask the vendor, what comes back, and how far each message has come on its way. */
export const migration: Migration = {
  name: '0033-support',
  up: [
    `CREATE TABLE IF NOT EXISTS support_request (
       id {id} NOT NULL PRIMARY KEY, hub VARCHAR(300) NOT NULL, title VARCHAR(200) NOT NULL, plugin VARCHAR(48), ticket {number},
       diagnostics {text} NOT NULL, opened_by {id}, opened_by_name VARCHAR(200) NOT NULL, opened_at {instant} NOT NULL,
       reference VARCHAR(20), status VARCHAR(12) NOT NULL, version {number} NOT NULL, is_lost {flag} NOT NULL,
       updated_at {instant} NOT NULL, look_at {instant} NOT NULL)`,
    'CREATE INDEX support_request_by_ticket ON support_request (ticket)',
    'CREATE INDEX support_request_by_look ON support_request (hub, look_at)',
    `CREATE TABLE IF NOT EXISTS support_message (
       id {id} NOT NULL PRIMARY KEY, request_id {id} NOT NULL, place INTEGER NOT NULL, kind VARCHAR(12) NOT NULL, remote_id VARCHAR(40),
       author_id {id}, author_name VARCHAR(200) NOT NULL, body {text} NOT NULL, written_at {instant} NOT NULL,
       state VARCHAR(10) NOT NULL, tries INTEGER NOT NULL, next_at {instant} NOT NULL,
       problem VARCHAR(80), detail VARCHAR(500),
       CONSTRAINT support_message_once UNIQUE (request_id, remote_id),
       CONSTRAINT support_message_request FOREIGN KEY (request_id) REFERENCES support_request (id))`,
    'CREATE INDEX support_message_by_state ON support_message (state, request_id, place)',
    `CREATE TABLE IF NOT EXISTS support_file (
       id {id} NOT NULL PRIMARY KEY, message_id {id} NOT NULL, remote_id VARCHAR(40), name VARCHAR(255) NOT NULL,
       media_type VARCHAR(100) NOT NULL, size {number} NOT NULL, storage_key VARCHAR(64),
       problem VARCHAR(80), tries INTEGER NOT NULL, next_at {instant} NOT NULL,
       CONSTRAINT support_file_message FOREIGN KEY (message_id) REFERENCES support_message (id))`,
    'CREATE INDEX support_file_by_message ON support_file (message_id)',
    'CREATE INDEX support_file_by_next ON support_file (next_at)',
  ],
  down: [
    'DROP TABLE IF EXISTS support_file',
    'DROP TABLE IF EXISTS support_message',
    'DROP TABLE IF EXISTS support_request',
  ],
};

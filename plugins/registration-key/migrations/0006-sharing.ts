import type { Migration } from 'latchkey/plugin-api';

/**
 * Copies of one key, each with a secret of its own; who came by which; how far people get (counts only, by day); what the owner was
 * told; sheets waiting to be printed.
 */
export const migration: Migration = {
  name: '0006-sharing',
  up: [
    `CREATE TABLE IF NOT EXISTS invite_copy (
       id {id} NOT NULL PRIMARY KEY, key_id {id} NOT NULL, name VARCHAR(80) NOT NULL,
       lookup {digest} NOT NULL, lookup_key INTEGER NOT NULL, hint VARCHAR(4) NOT NULL,
       copy_text {bytes}, copy_nonce {bytes}, copy_key INTEGER,
       closed_at {instant}, made_by VARCHAR(200) NOT NULL, created_at {instant} NOT NULL,
       CONSTRAINT invite_copy_by_lookup UNIQUE (lookup),
       CONSTRAINT invite_copy_name UNIQUE (key_id, name),
       CONSTRAINT invite_copy_key FOREIGN KEY (key_id) REFERENCES invite_key (id) ON DELETE CASCADE)`,
    `CREATE TABLE IF NOT EXISTS invite_copy_seat (
       redemption_id {id} NOT NULL PRIMARY KEY, copy_id {id} NOT NULL, key_id {id} NOT NULL,
       CONSTRAINT invite_copy_seat_copy FOREIGN KEY (copy_id) REFERENCES invite_copy (id) ON DELETE RESTRICT)`,
    'CREATE INDEX invite_copy_seat_by_key ON invite_copy_seat (key_id)',
    `CREATE TABLE IF NOT EXISTS invite_funnel (
       key_id {id} NOT NULL, copy_id {id} NOT NULL, day INTEGER NOT NULL, step VARCHAR(12) NOT NULL, reason VARCHAR(40) NOT NULL,
       amount INTEGER NOT NULL, PRIMARY KEY (key_id, copy_id, day, step, reason))`,
    `CREATE TABLE IF NOT EXISTS invite_first_ticket (
       redemption_id {id} NOT NULL PRIMARY KEY, key_id {id} NOT NULL, ticket_id {id} NOT NULL, at {instant} NOT NULL)`,
    'CREATE INDEX invite_first_ticket_by_key ON invite_first_ticket (key_id)',
    'CREATE INDEX invite_redemption_by_settled ON invite_redemption (settled_at)',
    `CREATE TABLE IF NOT EXISTS invite_notice_choice (
       key_id {id} NOT NULL PRIMARY KEY, joins VARCHAR(8) NOT NULL, warnings {flag} NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS invite_notice (
       key_id {id} NOT NULL, what VARCHAR(40) NOT NULL, at {instant} NOT NULL, PRIMARY KEY (key_id, what))`,
    `CREATE TABLE IF NOT EXISTS invite_print (
       id {id} NOT NULL PRIMARY KEY, key_ids {text} NOT NULL, made_by {id}, until {instant} NOT NULL)`,
    'CREATE INDEX invite_print_by_end ON invite_print (until)',
    'ALTER TABLE invite_notice ADD COLUMN occasion {number} NOT NULL DEFAULT 0',
  ],
  down: [
    'DROP TABLE IF EXISTS invite_print',
    'DROP TABLE IF EXISTS invite_notice',
    'DROP TABLE IF EXISTS invite_notice_choice',
    'DROP TABLE IF EXISTS invite_first_ticket',
    'DROP TABLE IF EXISTS invite_funnel',
    'DROP TABLE IF EXISTS invite_copy_seat',
    'DROP TABLE IF EXISTS invite_copy',
  ],
};

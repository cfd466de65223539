import type { Migration } from '../src/db/migrations.ts';

/** Keys that a device keeps for somebody, and the challenges that have been answered. */
export const migration: Migration = {
  name: '0009-passkeys',
  up: [
    `CREATE TABLE IF NOT EXISTS passkeys (
       id {id} NOT NULL PRIMARY KEY, user_id {id} NOT NULL,
       lookup {digest} NOT NULL, credential_id {text} NOT NULL, public_key {bytes} NOT NULL,
       counter {number} NOT NULL, transports VARCHAR(200) NOT NULL, rp_id VARCHAR(253) NOT NULL,
       name VARCHAR(60) NOT NULL, backed_up {flag} NOT NULL,
       created_at {instant} NOT NULL, last_used_at {instant} NULL,
       CONSTRAINT passkeys_by_lookup UNIQUE (lookup),
       FOREIGN KEY (user_id) REFERENCES users (id))`,
    'CREATE INDEX passkeys_by_user ON passkeys (user_id, created_at)',
    `CREATE TABLE IF NOT EXISTS passkey_answered (
       digest {digest} NOT NULL PRIMARY KEY, expires_at {instant} NOT NULL)`,
    'CREATE INDEX passkey_answered_by_end ON passkey_answered (expires_at)',
  ],
  down: ['DROP TABLE IF EXISTS passkey_answered', 'DROP TABLE IF EXISTS passkeys'],
};

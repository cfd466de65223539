import type { Migration } from '../src/db/migrations.ts';

/** Whom a provider knows somebody as: one account for one subject of one issuer, for ever. */
export const migration: Migration = {
  name: '0017-identities',
  up: [
    `CREATE TABLE IF NOT EXISTS user_identity (
       id {id} NOT NULL PRIMARY KEY, user_id {id} NOT NULL, lookup {digest} NOT NULL,
       provider VARCHAR(100) NOT NULL, issuer VARCHAR(500) NOT NULL, subject VARCHAR(255) NOT NULL,
       email VARCHAR(320) NULL, email_verified {flag} NOT NULL,
       linked_at {instant} NOT NULL, last_used_at {instant} NULL,
       CONSTRAINT user_identity_by_lookup UNIQUE (lookup),
       FOREIGN KEY (user_id) REFERENCES users (id))`,
    'CREATE INDEX user_identity_by_user ON user_identity (user_id, linked_at)',
    "ALTER TABLE sign_in_steps ADD COLUMN proof VARCHAR(20) NOT NULL DEFAULT 'password'",
  ],
  down: ['ALTER TABLE sign_in_steps DROP COLUMN proof', 'DROP TABLE IF EXISTS user_identity'],
};

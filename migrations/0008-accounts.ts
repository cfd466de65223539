import type { Migration } from '../src/db/migrations.ts';

/** Accounts that end, and what else is known of a person than the columns say. */
export const migration: Migration = {
  name: '0008-accounts',
  up: [
    'ALTER TABLE users ADD COLUMN ends_at {instant} NULL',
    'ALTER TABLE users ADD COLUMN end_told_at {instant} NULL',
    'CREATE INDEX users_by_end ON users (ends_at)',
    `CREATE TABLE IF NOT EXISTS user_attributes (
       user_id {id} NOT NULL, name VARCHAR(64) NOT NULL, value VARCHAR(1000) NOT NULL, set_at {instant} NOT NULL,
       PRIMARY KEY (user_id, name), FOREIGN KEY (user_id) REFERENCES users (id))`,
  ],
  down: [
    'DROP TABLE IF EXISTS user_attributes',
    { sqlite: 'DROP INDEX users_by_end', mysql: 'DROP INDEX users_by_end ON users' },
    'ALTER TABLE users DROP COLUMN end_told_at',
    'ALTER TABLE users DROP COLUMN ends_at',
  ],
};

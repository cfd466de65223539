import type { Migration } from '../src/db/migrations.ts';

/** The signed document that says what this installation is entitled to, and how often it has checked in. */
export const migration: Migration = {
  name: '0027-entitlement',
  up: [
    `CREATE TABLE IF NOT EXISTS network_entitlement (
       about {digest} NOT NULL PRIMARY KEY, hub CHAR(64) NOT NULL, document {text} NOT NULL, seq {number} NOT NULL,
       stored_at {instant} NOT NULL, revoked_since {instant}, problem VARCHAR(16))`,
    'CREATE TABLE IF NOT EXISTS network_check_in (place INTEGER NOT NULL PRIMARY KEY, counter {number} NOT NULL, next_at {instant} NOT NULL)',
  ],
  down: ['DROP TABLE IF EXISTS network_check_in', 'DROP TABLE IF EXISTS network_entitlement'],
};

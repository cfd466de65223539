import type { Migration } from '../src/db/migrations.ts';

/** The last run of the doctor of the network, and the one before it to compare with. */
export const migration: Migration = {
  name: '0028-network-doctor',
  up: [
    `CREATE TABLE IF NOT EXISTS network_doctor (
       place INTEGER NOT NULL PRIMARY KEY, ran_at {instant} NOT NULL, findings {text} NOT NULL, before_that {text})`,
  ],
  down: ['DROP TABLE IF EXISTS network_doctor'],
};

import type { Migration } from 'latchkey/plugin-api';

/** One row: how the house looks. */
export const migration: Migration = {
  name: '0001-brand',
  up: [
    `CREATE TABLE IF NOT EXISTS branding_brand (
       id VARCHAR(10) NOT NULL PRIMARY KEY, version INTEGER NOT NULL, stamp {id} NOT NULL,
       light VARCHAR(7), dark VARCHAR(7), logo_type VARCHAR(20), logo {bytes}, changed_at {instant} NOT NULL)`,
  ],
  down: ['DROP TABLE IF EXISTS branding_brand'],
};

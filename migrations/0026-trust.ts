import type { Migration } from '../src/db/migrations.ts';

/** Whom this installation believes: hubs by the fingerprint of their first root, the newest signed document of each role, and how far time has come. */
export const migration: Migration = {
  name: '0026-trust',
  up: [
    `CREATE TABLE IF NOT EXISTS trust_hub (
       id CHAR(64) NOT NULL PRIMARY KEY, url VARCHAR(300) NOT NULL, seen_at {instant} NOT NULL,
       confirmed_at {instant}, confirmed_by VARCHAR(200), next_at {instant} NOT NULL, checked_at {instant},
       failures INTEGER NOT NULL, problem VARCHAR(8), mark {instant} NOT NULL, correction {number} NOT NULL)`,
    'CREATE INDEX trust_hub_by_url ON trust_hub (url)',
    `CREATE TABLE IF NOT EXISTS trust_document (
       hub CHAR(64) NOT NULL, role VARCHAR(40) NOT NULL, version {number} NOT NULL, body {bytes} NOT NULL,
       stored_at {instant} NOT NULL, PRIMARY KEY (hub, role))`,
  ],
  down: ['DROP TABLE IF EXISTS trust_document', 'DROP TABLE IF EXISTS trust_hub'],
};

import type { Migration } from '../src/db/migrations.ts';

/** What everything else stands on: settings, numbers for people, wrapped keys, and the rows by which nodes hear of changes. */
export const migration: Migration = {
  name: '0001-ground',
  up: [
    `CREATE TABLE IF NOT EXISTS sequences (
       name VARCHAR(64) NOT NULL PRIMARY KEY, next {number} NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS state_version (
       name VARCHAR(64) NOT NULL PRIMARY KEY, version {number} NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS wrapped_key (
       purpose VARCHAR(80) NOT NULL, generation INTEGER NOT NULL, master_id VARCHAR(16) NOT NULL,
       wrapped {bytes} NOT NULL, created_at {instant} NOT NULL, PRIMARY KEY (purpose, generation))`,
    `CREATE TABLE IF NOT EXISTS setting (
       id VARCHAR(160) NOT NULL PRIMARY KEY, value {text} NOT NULL, key_id INTEGER,
       updated_at {instant} NOT NULL, updated_by {id})`,
  ],
  down: [
    'DROP TABLE IF EXISTS setting',
    'DROP TABLE IF EXISTS wrapped_key',
    'DROP TABLE IF EXISTS state_version',
    'DROP TABLE IF EXISTS sequences',
  ],
};

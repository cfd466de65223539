import type { Migration } from 'latchkey/plugin-api';

/** The signed documents that helpdesks verify, the online keys behind some of them, and what the next ceremony is to sign. */
export const migration: Migration = {
  name: '0010-trust',
  up: [
    `CREATE TABLE IF NOT EXISTS hub_trust_state (
       place INTEGER NOT NULL PRIMARY KEY, turn {number} NOT NULL, wanted {text} NOT NULL)`,
    `INSERT INTO hub_trust_state (place, turn, wanted)
       SELECT 1, 0, '{}' FROM (SELECT 1 AS one) AS seed WHERE NOT EXISTS (SELECT 1 FROM hub_trust_state WHERE place = 1)`,
    `CREATE TABLE IF NOT EXISTS hub_trust_key (
       id CHAR(64) NOT NULL PRIMARY KEY, role VARCHAR(16) NOT NULL, public_key CHAR(64) NOT NULL,
       box_text {bytes} NOT NULL, box_nonce {bytes} NOT NULL, box_key INTEGER NOT NULL,
       made_at {instant} NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS hub_trust_document (
       role VARCHAR(40) NOT NULL, version {number} NOT NULL, body {bytes} NOT NULL, signed_at {instant} NOT NULL,
       PRIMARY KEY (role, version))`,
    `CREATE TABLE IF NOT EXISTS hub_trust_target (
       path VARCHAR(200) NOT NULL PRIMARY KEY, bin VARCHAR(16) NOT NULL, length {number} NOT NULL, sha256 CHAR(64) NOT NULL,
       custom {text} NOT NULL, named_at {instant} NOT NULL)`,
    'CREATE INDEX hub_trust_target_by_bin ON hub_trust_target (bin)',
  ],
  down: [
    'DROP TABLE IF EXISTS hub_trust_target',
    'DROP TABLE IF EXISTS hub_trust_document',
    'DROP TABLE IF EXISTS hub_trust_key',
    'DROP TABLE IF EXISTS hub_trust_state',
  ],
};

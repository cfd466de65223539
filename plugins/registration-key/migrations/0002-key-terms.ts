import type { Migration } from 'latchkey/plugin-api';

/** Opening hours, a second administrator's yes, keys of ordinary users, presets, many keys at once, and keys that are gone but not forgotten. */
export const migration: Migration = {
  name: '0002-key-terms',
  up: [
    'ALTER TABLE invite_key ADD COLUMN hours VARCHAR(400)',
    'ALTER TABLE invite_key ADD COLUMN by_member {flag} NOT NULL DEFAULT 0',
    'ALTER TABLE invite_key ADD COLUMN asked_by {id}',
    'ALTER TABLE invite_key ADD COLUMN approved_by {id}',
    'ALTER TABLE invite_key ADD COLUMN approved_at {instant}',
    'ALTER TABLE invite_key ADD COLUMN deleted_at {instant}',
    'ALTER TABLE invite_key ADD COLUMN batch_id {id}',
    'ALTER TABLE invite_key ADD COLUMN terms_mark {digest}',
    'CREATE INDEX invite_key_by_mark ON invite_key (owner_id, terms_mark)',
    'CREATE INDEX invite_key_by_batch ON invite_key (batch_id)',
    `CREATE TABLE IF NOT EXISTS invite_preset (
       id {id} NOT NULL PRIMARY KEY, entity_id {id} NOT NULL,
       name VARCHAR(80) NOT NULL, name_norm VARCHAR(80) NOT NULL, draft {text} NOT NULL, life_ms {number},
       made_by {id}, made_by_name VARCHAR(200) NOT NULL, created_at {instant} NOT NULL, updated_at {instant} NOT NULL,
       CONSTRAINT invite_preset_name UNIQUE (entity_id, name_norm))`,
    `CREATE TABLE IF NOT EXISTS invite_batch (
       id {id} NOT NULL PRIMARY KEY, entity_id {id} NOT NULL, label VARCHAR(120) NOT NULL, wanted INTEGER NOT NULL,
       made_by {id}, at {instant} NOT NULL,
       sheet_text {bytes}, sheet_nonce {bytes}, sheet_key INTEGER, sheet_until {instant})`,
    'CREATE INDEX invite_batch_by_until ON invite_batch (sheet_until)',
  ],
  down: ['DROP TABLE IF EXISTS invite_batch', 'DROP TABLE IF EXISTS invite_preset'],
};

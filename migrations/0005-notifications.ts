import type { Migration } from '../src/db/migrations.ts';

export const migration: Migration = {
  name: '0005-notifications',
  up: [
    `CREATE TABLE IF NOT EXISTS notification (
      id {id} NOT NULL PRIMARY KEY,
      user_id {id} NOT NULL,
      kind VARCHAR(60) NOT NULL,
      entity_id {id},
      subject_type VARCHAR(40) NOT NULL,
      subject_id VARCHAR(64) NOT NULL,
      link VARCHAR(300) NOT NULL,
      params {text} NOT NULL,
      created_at {instant} NOT NULL,
      read_at {instant})`,
    'CREATE INDEX notification_user ON notification (user_id, id)',
    'CREATE INDEX notification_unread ON notification (user_id, read_at)',
    'CREATE INDEX notification_created ON notification (created_at)',
    `CREATE TABLE IF NOT EXISTS notification_preference (
      user_id {id} NOT NULL,
      kind VARCHAR(60) NOT NULL,
      bell {flag} NOT NULL,
      mail {flag} NOT NULL,
      PRIMARY KEY (user_id, kind))`,
  ],
  down: ['DROP TABLE IF EXISTS notification_preference', 'DROP TABLE IF EXISTS notification'],
};

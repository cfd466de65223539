import type { Migration } from '../src/db/migrations.ts';

/**
 * `position` is the order in which events were written; for one aggregate that is the order in which they happened, since
 * whoever writes an aggregate holds its row. Deliveries repeat it, with the aggregate, so that claiming reads one table.
 */
export const migration: Migration = {
  name: '0004-events-jobs-mail',
  up: [
    {
      sqlite: `CREATE TABLE IF NOT EXISTS event (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id {id} NOT NULL UNIQUE,
        name VARCHAR(120) NOT NULL,
        aggregate VARCHAR(120) NOT NULL,
        payload {text} NOT NULL,
        at {instant} NOT NULL)`,
      mysql: `CREATE TABLE IF NOT EXISTS event (
        position BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        id {id} NOT NULL UNIQUE,
        name VARCHAR(120) NOT NULL,
        aggregate VARCHAR(120) NOT NULL,
        payload {text} NOT NULL,
        at {instant} NOT NULL)`,
    },
    'CREATE INDEX event_at ON event (at)',
    `CREATE TABLE IF NOT EXISTS event_delivery (
      position {number} NOT NULL,
      consumer VARCHAR(64) NOT NULL,
      event_name VARCHAR(120) NOT NULL,
      aggregate VARCHAR(120) NOT NULL,
      state VARCHAR(10) NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0,
      fence {number} NOT NULL DEFAULT 0,
      due_at {instant} NOT NULL,
      written_at {instant} NOT NULL,
      last_error VARCHAR(500),
      PRIMARY KEY (position, consumer))`,
    'CREATE INDEX event_delivery_state ON event_delivery (state, position)',
    'CREATE INDEX event_delivery_order ON event_delivery (consumer, aggregate, state, position)',
    `CREATE TABLE IF NOT EXISTS event_once (
      event_id {id} NOT NULL,
      consumer VARCHAR(80) NOT NULL,
      at {instant} NOT NULL,
      PRIMARY KEY (event_id, consumer))`,
    'CREATE INDEX event_once_at ON event_once (at)',
    `CREATE TABLE IF NOT EXISTS job (
      id VARCHAR(120) NOT NULL PRIMARY KEY,
      schedule VARCHAR(120) NOT NULL,
      next_at {instant} NOT NULL,
      lease_until {instant} NOT NULL,
      fence {number} NOT NULL,
      runs {number} NOT NULL,
      failures {number} NOT NULL,
      started_at {instant},
      finished_at {instant},
      last_error VARCHAR(500))`,
    `CREATE TABLE IF NOT EXISTS background_hold (
      name VARCHAR(40) NOT NULL PRIMARY KEY,
      reason VARCHAR(200) NOT NULL,
      since {instant} NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS mail (
      id {id} NOT NULL PRIMARY KEY,
      kind VARCHAR(60) NOT NULL,
      reference VARCHAR(120),
      recipient VARCHAR(320) NOT NULL,
      state VARCHAR(12) NOT NULL,
      attempts INTEGER NOT NULL,
      fence {number} NOT NULL,
      due_at {instant} NOT NULL,
      written_at {instant} NOT NULL,
      left_at {instant},
      reply VARCHAR(500),
      problem VARCHAR(500),
      key_id {number},
      nonce {bytes},
      ciphertext {bytes})`,
    'CREATE INDEX mail_due ON mail (state, due_at)',
    'CREATE INDEX mail_reference ON mail (reference, id)',
  ],
  down: [
    'DROP TABLE IF EXISTS mail',
    'DROP TABLE IF EXISTS background_hold',
    'DROP TABLE IF EXISTS job',
    'DROP TABLE IF EXISTS event_once',
    'DROP TABLE IF EXISTS event_delivery',
    'DROP TABLE IF EXISTS event',
  ],
};

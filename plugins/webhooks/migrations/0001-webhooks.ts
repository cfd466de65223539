import type { Migration } from 'latchkey/plugin-api';

/** Where events are sent, and every sending with what came of it. The content of a delivery is sealed, and gone once it has arrived. */
export const migration: Migration = {
  name: '0001-webhooks',
  up: [
    `CREATE TABLE IF NOT EXISTS webhook_endpoint (
       id {id} NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL, url VARCHAR(2000) NOT NULL, events {text} NOT NULL,
       is_on {flag} NOT NULL, off_reason VARCHAR(20), failing_since {instant},
       secret_text {bytes} NOT NULL, secret_nonce {bytes} NOT NULL, secret_key INTEGER NOT NULL,
       version INTEGER NOT NULL, created_at {instant} NOT NULL, updated_at {instant} NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS webhook_delivery (
       id {id} NOT NULL PRIMARY KEY, endpoint_id {id} NOT NULL, event_id VARCHAR(40) NOT NULL, event_name VARCHAR(80) NOT NULL,
       content_text {bytes}, content_nonce {bytes}, content_key INTEGER,
       state VARCHAR(8) NOT NULL, attempts INTEGER NOT NULL, fence INTEGER NOT NULL, due_at {instant} NOT NULL,
       created_at {instant} NOT NULL, tried_at {instant}, status INTEGER, answer VARCHAR(1000), problem VARCHAR(300), took_ms INTEGER,
       CONSTRAINT webhook_delivery_once UNIQUE (endpoint_id, event_id),
       CONSTRAINT webhook_delivery_endpoint FOREIGN KEY (endpoint_id) REFERENCES webhook_endpoint (id) ON DELETE CASCADE)`,
    'CREATE INDEX webhook_delivery_by_due ON webhook_delivery (state, due_at)',
    'CREATE INDEX webhook_delivery_by_age ON webhook_delivery (created_at)',
  ],
  down: ['DROP TABLE IF EXISTS webhook_delivery', 'DROP TABLE IF EXISTS webhook_endpoint'],
};

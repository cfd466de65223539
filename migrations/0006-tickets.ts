import type { Migration } from '../src/db/migrations.ts';

export const migration: Migration = {
  name: '0006-tickets',
  up: [
    `CREATE TABLE IF NOT EXISTS ticket_categories (
       id {id} NOT NULL PRIMARY KEY, entity_id {id} NOT NULL, name VARCHAR(120) NOT NULL,
       archived {flag} NOT NULL, created_at {instant} NOT NULL, version INTEGER NOT NULL,
       UNIQUE (entity_id, name))`,
    `CREATE TABLE IF NOT EXISTS tickets (
       id {id} NOT NULL PRIMARY KEY, number {number} NOT NULL UNIQUE, entity_id {id} NOT NULL,
       type VARCHAR(16) NOT NULL, title VARCHAR(200) NOT NULL, description {text} NOT NULL,
       category_id {id}, status VARCHAR(16) NOT NULL,
       urgency SMALLINT NOT NULL, impact SMALLINT NOT NULL, priority SMALLINT NOT NULL,
       requester_id {id} NOT NULL, created_by_id {id}, follows_id {id},
       created_at {instant} NOT NULL, updated_at {instant} NOT NULL,
       first_reply_at {instant}, solved_at {instant}, closed_at {instant},
       version INTEGER NOT NULL, search_text {text} NOT NULL)`,
    'CREATE INDEX tickets_by_entity_and_status ON tickets (entity_id, status, updated_at)',
    'CREATE INDEX tickets_by_status ON tickets (status, updated_at)',
    'CREATE INDEX tickets_by_update ON tickets (updated_at, id)',
    'CREATE INDEX tickets_by_requester ON tickets (requester_id, updated_at)',
    'CREATE INDEX tickets_by_creation ON tickets (created_at, entity_id)',
    'CREATE INDEX tickets_by_solving ON tickets (solved_at, entity_id)',
    'CREATE INDEX tickets_by_category ON tickets (category_id, status)',
    { searchIndexOn: 'tickets' },
    `CREATE TABLE IF NOT EXISTS ticket_members (
       ticket_id {id} NOT NULL, role VARCHAR(12) NOT NULL, kind VARCHAR(8) NOT NULL, member_id {id} NOT NULL,
       PRIMARY KEY (ticket_id, role, kind, member_id))`,
    'CREATE INDEX ticket_members_by_member ON ticket_members (member_id, role, ticket_id)',
    `CREATE TABLE IF NOT EXISTS timeline_entries (
       id {id} NOT NULL PRIMARY KEY, ticket_id {id} NOT NULL, entity_id {id} NOT NULL, ticket_version INTEGER NOT NULL,
       kind VARCHAR(12) NOT NULL, visibility VARCHAR(8) NOT NULL, author_id {id}, author_name VARCHAR(200) NOT NULL,
       body {text} NOT NULL, state VARCHAR(12), changes {text}, written_at {instant} NOT NULL)`,
    'CREATE INDEX timeline_entries_by_ticket ON timeline_entries (ticket_id, ticket_version, id)',
    `CREATE TABLE IF NOT EXISTS attachments (
       id {id} NOT NULL PRIMARY KEY, ticket_id {id}, entry_id {id}, uploader_id {id},
       name VARCHAR(255) NOT NULL, media_type VARCHAR(100) NOT NULL, size {number} NOT NULL,
       width INTEGER, height INTEGER, storage_key VARCHAR(64) NOT NULL UNIQUE, created_at {instant} NOT NULL)`,
    'CREATE INDEX attachments_by_ticket ON attachments (ticket_id, id)',
    'CREATE INDEX attachments_by_uploader ON attachments (uploader_id, ticket_id)',
    `CREATE TABLE IF NOT EXISTS ticket_views (
       id {id} NOT NULL PRIMARY KEY, owner_id {id} NOT NULL, entity_id {id}, name VARCHAR(80) NOT NULL,
       filters VARCHAR(2000) NOT NULL, created_at {instant} NOT NULL)`,
    'CREATE INDEX ticket_views_by_owner ON ticket_views (owner_id)',
    'CREATE INDEX ticket_views_by_entity ON ticket_views (entity_id)',
  ],
  down: [
    'DROP TABLE IF EXISTS ticket_views',
    'DROP TABLE IF EXISTS attachments',
    'DROP TABLE IF EXISTS timeline_entries',
    'DROP TABLE IF EXISTS ticket_members',
    'DROP TABLE IF EXISTS tickets',
    { sqlite: 'DROP TABLE IF EXISTS tickets_fts', mysql: 'DO 0' },
    'DROP TABLE IF EXISTS ticket_categories',
  ],
};

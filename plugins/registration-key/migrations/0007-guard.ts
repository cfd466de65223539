import type { Migration } from 'latchkey/plugin-api';

/** What happened stays as it was written; only where it came from is forgotten in time. */
const kept = ['id', 'key_id', 'entity_id', 'kind', 'actor_id', 'at', 'node', 'detail'];
const problem = 'events of keys are never changed';
const unchangeable = {
  sqlite: `CREATE TRIGGER IF NOT EXISTS invite_event_no_update BEFORE UPDATE ON invite_event
    WHEN ${kept.map((name) => `NEW.${name} IS NOT OLD.${name}`).join(' OR ')} OR NEW.network <> ''
    BEGIN SELECT RAISE(ABORT, '${problem}'); END`,
  mysql: `CREATE TRIGGER IF NOT EXISTS invite_event_no_update BEFORE UPDATE ON invite_event FOR EACH ROW
    IF ${kept.map((name) => `NOT (NEW.${name} <=> OLD.${name})`).join(' OR ')} OR NEW.network <> ''
    THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '${problem}'; END IF`,
};

/**
 * Evidence that must forget where it came from (`invite_event`; the rest stands in the audit log), who invited whom, the breaker's
 * memory of a key, and leaks that are undone person by person.
 */
export const migration: Migration = {
  name: '0007-guard',
  up: [
    `CREATE TABLE IF NOT EXISTS invite_event (
       id {id} NOT NULL PRIMARY KEY, key_id {id} NOT NULL, entity_id {id} NOT NULL, kind VARCHAR(24) NOT NULL,
       actor_id {id}, at {instant} NOT NULL, node VARCHAR(64) NOT NULL, network VARCHAR(64) NOT NULL,
       detail {text})`,
    'CREATE INDEX invite_event_by_key ON invite_event (key_id, id)',
    'CREATE INDEX invite_event_by_time ON invite_event (at)',
    unchangeable,

    'ALTER TABLE invite_redemption ADD COLUMN inviter_id {id} NULL',
    `UPDATE invite_redemption SET inviter_id =
       (SELECT owner_id FROM invite_key WHERE invite_key.id = invite_redemption.key_id)
       WHERE inviter_id IS NULL`,
    'CREATE INDEX invite_redemption_by_inviter ON invite_redemption (inviter_id, at)',
    'CREATE INDEX invite_redemption_by_time ON invite_redemption (at)',

    `CREATE TABLE IF NOT EXISTS invite_guard (
       key_id {id} NOT NULL PRIMARY KEY, raised_until {instant}, tripped_at {instant},
       tripped_by VARCHAR(16), tripped_facts {text})`,

    `CREATE TABLE IF NOT EXISTS invite_undo (
       id {id} NOT NULL PRIMARY KEY, key_id {id} NOT NULL, entity_id {id} NOT NULL, variant VARCHAR(40),
       since {instant} NOT NULL, action VARCHAR(12) NOT NULL, with_descendants {flag} NOT NULL,
       state VARCHAR(12) NOT NULL, ordered_by {id}, ordered_by_name VARCHAR(200) NOT NULL, at {instant} NOT NULL,
       reversible_until {instant} NOT NULL, finished_at {instant})`,
    'CREATE INDEX invite_undo_by_key ON invite_undo (key_id, at)',
    'CREATE INDEX invite_undo_by_state ON invite_undo (state, reversible_until)',
    `CREATE TABLE IF NOT EXISTS invite_undo_person (
       undo_id {id} NOT NULL, user_id {id} NOT NULL, key_id {id} NOT NULL, depth INTEGER NOT NULL, existed {flag} NOT NULL,
       state VARCHAR(12) NOT NULL, was_active {flag} NOT NULL, group_ids {text} NOT NULL, problem VARCHAR(80),
       PRIMARY KEY (undo_id, user_id))`,
    'CREATE INDEX invite_undo_person_by_state ON invite_undo_person (undo_id, state)',

    'ALTER TABLE invite_key ADD COLUMN ticket_id {id} NULL',
  ],
  down: [
    'DROP TABLE IF EXISTS invite_undo_person',
    'DROP TABLE IF EXISTS invite_undo',
    'DROP TABLE IF EXISTS invite_guard',
    'DROP TABLE IF EXISTS invite_event',
  ],
};

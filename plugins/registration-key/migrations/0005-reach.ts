import type { Migration } from 'latchkey/plugin-api';

/**
 * Getting a key to people. A round is one list of people and what was decided for it; each of its lines keeps what was written
 * there, so that nothing is lost and everything can be corrected. An invitee is an address that a key was mailed to, however
 * often. A roster says for whom a shared link works; its entries are keyed digests.
 */
export const migration: Migration = {
  name: '0005-reach',
  up: [
    `CREATE TABLE IF NOT EXISTS invite_round (
       id {id} NOT NULL PRIMARY KEY, entity_id {id} NOT NULL, key_id {id}, kind VARCHAR(12) NOT NULL, state VARCHAR(12) NOT NULL,
       label VARCHAR(120) NOT NULL, source VARCHAR(160) NOT NULL, format VARCHAR(12) NOT NULL, unmapped_groups {text} NOT NULL,
       message {text} NOT NULL, locale VARCHAR(8), terms {text} NOT NULL,
       owner_id {id}, owner_name VARCHAR(200) NOT NULL, once_slot VARCHAR(80),
       created_at {instant} NOT NULL, started_at {instant}, finished_at {instant},
       lease_until {instant} NOT NULL, fence {number} NOT NULL,
       CONSTRAINT invite_round_once UNIQUE (once_slot))`,
    'CREATE INDEX invite_round_by_state ON invite_round (state, created_at)',
    'CREATE INDEX invite_round_by_entity ON invite_round (entity_id, created_at)',
    'CREATE INDEX invite_round_by_key ON invite_round (key_id, created_at)',
    `CREATE TABLE IF NOT EXISTS invite_round_line (
       id {id} NOT NULL PRIMARY KEY, round_id {id} NOT NULL, position INTEGER NOT NULL, line INTEGER NOT NULL, written {text} NOT NULL,
       email VARCHAR(320) NOT NULL, email_norm VARCHAR(320), name VARCHAR(200) NOT NULL, locale VARCHAR(8),
       staff_number VARCHAR(80), group_ids {text} NOT NULL, verdict VARCHAR(16) NOT NULL, reason VARCHAR(80), reason_facts {text},
       state VARCHAR(12) NOT NULL, problem VARCHAR(80), key_id {id}, invitee_id {id}, settled_at {instant},
       CONSTRAINT invite_round_line_once UNIQUE (round_id, position),
       CONSTRAINT invite_round_line_round FOREIGN KEY (round_id) REFERENCES invite_round (id) ON DELETE RESTRICT)`,
    'CREATE INDEX invite_round_line_by_verdict ON invite_round_line (round_id, verdict, position)',
    'CREATE INDEX invite_round_line_by_state ON invite_round_line (round_id, state, position)',
    'CREATE INDEX invite_round_line_by_address ON invite_round_line (round_id, email_norm)',
    `CREATE TABLE IF NOT EXISTS invite_invitee (
       id {id} NOT NULL PRIMARY KEY, key_id {id} NOT NULL, entity_id {id} NOT NULL,
       email VARCHAR(320) NOT NULL, email_norm VARCHAR(320) NOT NULL, locale VARCHAR(8),
       mail_id {id}, mails INTEGER NOT NULL, first_at {instant} NOT NULL, last_at {instant} NOT NULL,
       delivery VARCHAR(12) NOT NULL, reply VARCHAR(500), left_at {instant}, watched_at {instant},
       reminded_at {instant}, renewed_at {instant}, joined_at {instant},
       CONSTRAINT invite_invitee_once UNIQUE (key_id, email_norm),
       CONSTRAINT invite_invitee_key FOREIGN KEY (key_id) REFERENCES invite_key (id) ON DELETE RESTRICT)`,
    'CREATE INDEX invite_invitee_by_watch ON invite_invitee (watched_at)',
    'CREATE INDEX invite_invitee_by_key ON invite_invitee (key_id, last_at)',
    'CREATE INDEX invite_mailing_by_address ON invite_mailing (email_norm, at)',
    `CREATE TABLE IF NOT EXISTS invite_roster (
       key_id {id} NOT NULL PRIMARY KEY, kind VARCHAR(8) NOT NULL, keeps_addresses {flag} NOT NULL, stamp {id} NOT NULL,
       made_by {id}, made_by_name VARCHAR(200) NOT NULL, created_at {instant} NOT NULL, updated_at {instant} NOT NULL,
       CONSTRAINT invite_roster_key FOREIGN KEY (key_id) REFERENCES invite_key (id) ON DELETE RESTRICT)`,
    `CREATE TABLE IF NOT EXISTS invite_roster_entry (
       id {id} NOT NULL PRIMARY KEY, key_id {id} NOT NULL, entry_mac {digest} NOT NULL, redemption_id {id}, redeemed_at {instant},
       sealed_text {bytes}, sealed_nonce {bytes}, sealed_key INTEGER, nudged_at {instant}, at {instant} NOT NULL,
       CONSTRAINT invite_roster_entry_once UNIQUE (key_id, entry_mac),
       CONSTRAINT invite_roster_entry_key FOREIGN KEY (key_id) REFERENCES invite_key (id) ON DELETE RESTRICT)`,
    'CREATE INDEX invite_roster_entry_by_state ON invite_roster_entry (key_id, redeemed_at)',
    'CREATE INDEX invite_roster_entry_by_seat ON invite_roster_entry (redemption_id)',
  ],
  down: [
    'DROP TABLE IF EXISTS invite_roster_entry',
    'DROP TABLE IF EXISTS invite_roster',
    'DROP TABLE IF EXISTS invite_invitee',
    'DROP TABLE IF EXISTS invite_round_line',
    'DROP TABLE IF EXISTS invite_round',
  ],
};

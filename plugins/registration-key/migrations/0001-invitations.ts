import type { Migration } from 'latchkey/plugin-api';

/**
 * A key, its seats, and who asks for one. A seat (`invite_redemption`) belongs to one address; whoever fills in the form for
 * that address makes an attempt (`invite_attempt`) with a draft of their own, and the first confirmed attempt gets the seat.
 */
export const migration: Migration = {
  name: '0001-invitations',
  up: [
    `CREATE TABLE IF NOT EXISTS invite_key (
       id {id} NOT NULL PRIMARY KEY, entity_id {id} NOT NULL,
       label VARCHAR(120) NOT NULL, note {text} NOT NULL,
       hint VARCHAR(4) NOT NULL, explain_code VARCHAR(4) NOT NULL, weak {flag} NOT NULL, generation INTEGER NOT NULL,
       lookup {digest} NOT NULL, lookup_key INTEGER NOT NULL,
       copy_text {bytes}, copy_nonce {bytes}, copy_key INTEGER,
       max_uses INTEGER, uses INTEGER NOT NULL, seat_seq INTEGER NOT NULL,
       not_before {instant}, expires_at {instant},
       paused_at {instant}, paused_reason VARCHAR(32), revoked_at {instant},
       approval VARCHAR(12) NOT NULL, email_proof VARCHAR(12) NOT NULL,
       email VARCHAR(320), email_norm VARCHAR(320), email_domains {text} NOT NULL,
       profile_id {id} NOT NULL, group_ids {text} NOT NULL,
       landing VARCHAR(200) NOT NULL, locale VARCHAR(8),
       owner_id {id}, owner_name VARCHAR(200) NOT NULL,
       created_at {instant} NOT NULL, updated_at {instant} NOT NULL, last_used_at {instant},
       version INTEGER NOT NULL, search_text {text} NOT NULL,
       CONSTRAINT invite_key_by_lookup UNIQUE (lookup),
       CONSTRAINT invite_key_cap CHECK (max_uses IS NULL OR (max_uses >= 1 AND uses <= max_uses)),
       CONSTRAINT invite_key_uses CHECK (uses >= 0 AND seat_seq >= uses),
       CONSTRAINT invite_key_window CHECK (expires_at IS NULL OR not_before IS NULL OR expires_at > not_before))`,
    'CREATE INDEX invite_key_by_entity ON invite_key (entity_id, created_at)',
    'CREATE INDEX invite_key_by_explain_code ON invite_key (explain_code)',
    'CREATE INDEX invite_key_by_owner ON invite_key (owner_id)',
    `CREATE TABLE IF NOT EXISTS invite_redemption (
       id {id} NOT NULL PRIMARY KEY, key_id {id} NOT NULL, entity_id {id} NOT NULL, seat INTEGER NOT NULL,
       status VARCHAR(20) NOT NULL, how VARCHAR(12) NOT NULL, user_id {id},
       address_mac {digest} NOT NULL, address_slot {digest}, attempt_id {id},
       hold_until {instant}, at {instant} NOT NULL, settled_at {instant},
       decided_by {id}, decision_note VARCHAR(500), network VARCHAR(64) NOT NULL,
       CONSTRAINT invite_redemption_seat UNIQUE (key_id, seat),
       CONSTRAINT invite_redemption_address UNIQUE (key_id, address_slot),
       CONSTRAINT invite_redemption_user UNIQUE (key_id, user_id),
       CONSTRAINT invite_redemption_key FOREIGN KEY (key_id) REFERENCES invite_key (id) ON DELETE RESTRICT)`,
    'CREATE INDEX invite_redemption_by_hold ON invite_redemption (status, hold_until)',
    'CREATE INDEX invite_redemption_by_key ON invite_redemption (key_id, at)',
    'CREATE INDEX invite_redemption_by_user ON invite_redemption (user_id)',
    `CREATE TABLE IF NOT EXISTS invite_attempt (
       id {id} NOT NULL PRIMARY KEY, key_id {id} NOT NULL, redemption_id {id}, redeem_id VARCHAR(36) NOT NULL,
       address_mac {digest} NOT NULL, browser {digest},
       draft_text {bytes}, draft_nonce {bytes}, draft_key INTEGER,
       link_lookup {digest}, code_digest {digest}, code_tries INTEGER NOT NULL, code_until {instant} NOT NULL,
       sends INTEGER NOT NULL, sent_at {instant}, ends_at {instant} NOT NULL, at {instant} NOT NULL,
       CONSTRAINT invite_attempt_redeem UNIQUE (key_id, redeem_id),
       CONSTRAINT invite_attempt_link UNIQUE (link_lookup),
       CONSTRAINT invite_attempt_key FOREIGN KEY (key_id) REFERENCES invite_key (id) ON DELETE RESTRICT)`,
    'CREATE INDEX invite_attempt_by_redemption ON invite_attempt (redemption_id)',
    'CREATE INDEX invite_attempt_by_browser ON invite_attempt (browser, key_id)',
    'CREATE INDEX invite_attempt_by_end ON invite_attempt (ends_at)',
    `CREATE TABLE IF NOT EXISTS invite_mailing (
       id {id} NOT NULL PRIMARY KEY, key_id {id} NOT NULL, generation INTEGER NOT NULL,
       lookup {digest} NOT NULL, email VARCHAR(320) NOT NULL, email_norm VARCHAR(320) NOT NULL,
       mail_id {id}, sent_by {id}, at {instant} NOT NULL,
       CONSTRAINT invite_mailing_by_lookup UNIQUE (lookup),
       CONSTRAINT invite_mailing_key FOREIGN KEY (key_id) REFERENCES invite_key (id) ON DELETE RESTRICT)`,
    'CREATE INDEX invite_mailing_by_key ON invite_mailing (key_id, at)',
  ],
  down: [
    'DROP TABLE IF EXISTS invite_mailing',
    'DROP TABLE IF EXISTS invite_attempt',
    'DROP TABLE IF EXISTS invite_redemption',
    'DROP TABLE IF EXISTS invite_key',
  ],
};

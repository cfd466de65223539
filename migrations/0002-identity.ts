import type { Migration } from '../src/db/migrations.ts';

const ROOT_ENTITY = '00000000000000000000000001';
const builtInProfiles = [
  ['000000000000000000000000P1', 'self-service', 'Self-Service', 'portal'],
  ['000000000000000000000000P2', 'technician', 'Technician', 'staff'],
  ['000000000000000000000000P3', 'supervisor', 'Supervisor', 'staff'],
  ['000000000000000000000000P4', 'administrator', 'Administrator', 'staff'],
  ['000000000000000000000000P5', 'super-admin', 'Super-Admin', 'staff'],
] as const;

/** A row that is there already stays as it is, so that the step can be repeated. */
const seed = (rest: string): { sqlite: string; mysql: string } => ({
  sqlite: `INSERT OR IGNORE INTO ${rest}`,
  mysql: `INSERT IGNORE INTO ${rest}`,
});

export const migration: Migration = {
  name: '0002-identity',
  up: [
    `CREATE TABLE IF NOT EXISTS entities (
       id {id} NOT NULL PRIMARY KEY, number {number} NOT NULL UNIQUE, parent_id {id} NULL,
       name VARCHAR(120) NOT NULL, path VARCHAR(700) NOT NULL,
       version INTEGER NOT NULL, created_at {instant} NOT NULL,
       FOREIGN KEY (parent_id) REFERENCES entities (id))`,
    seed(
      `entities (id, number, parent_id, name, path, version, created_at) VALUES ('${ROOT_ENTITY}', 0, NULL, 'Latchkey', '/${ROOT_ENTITY}/', 1, 0)`,
    ),

    `CREATE TABLE IF NOT EXISTS profiles (
       id {id} NOT NULL PRIMARY KEY, profile_key VARCHAR(40) NULL UNIQUE, name VARCHAR(120) NOT NULL UNIQUE,
       kind VARCHAR(8) NOT NULL, rights {text} NOT NULL, version INTEGER NOT NULL, created_at {instant} NOT NULL)`,
    ...builtInProfiles.map(([id, key, name, kind]) =>
      seed(
        `profiles (id, profile_key, name, kind, rights, version, created_at) VALUES ('${id}', '${key}', '${name}', '${kind}', '[]', 1, 0)`,
      ),
    ),

    `CREATE TABLE IF NOT EXISTS users (
       id {id} NOT NULL PRIMARY KEY, number {number} NOT NULL UNIQUE,
       email VARCHAR(320) NOT NULL, email_norm VARCHAR(320) NOT NULL UNIQUE, name VARCHAR(200) NOT NULL,
       locale VARCHAR(12) NOT NULL, time_zone VARCHAR(64) NULL, theme VARCHAR(8) NOT NULL,
       status VARCHAR(12) NOT NULL, email_verified_at {instant} NULL,
       password_hash VARCHAR(255) NULL, auth_epoch INTEGER NOT NULL, version INTEGER NOT NULL,
       created_at {instant} NOT NULL, last_seen_at {instant} NULL, anonymised_at {instant} NULL,
       search_text {text} NOT NULL)`,
    'CREATE INDEX users_by_name ON users (name, id)',
    { searchIndexOn: 'users' },

    `CREATE TABLE IF NOT EXISTS grants (
       id {id} NOT NULL PRIMARY KEY, user_id {id} NOT NULL, profile_id {id} NOT NULL, entity_id {id} NOT NULL,
       is_recursive {flag} NOT NULL, created_at {instant} NOT NULL, created_by {id} NULL,
       UNIQUE (user_id, profile_id, entity_id),
       FOREIGN KEY (user_id) REFERENCES users (id), FOREIGN KEY (profile_id) REFERENCES profiles (id),
       FOREIGN KEY (entity_id) REFERENCES entities (id))`,
    'CREATE INDEX grants_by_entity ON grants (entity_id, user_id)',
    'CREATE INDEX grants_by_profile ON grants (profile_id, user_id)',

    `CREATE TABLE IF NOT EXISTS user_groups (
       id {id} NOT NULL PRIMARY KEY, entity_id {id} NOT NULL, name VARCHAR(120) NOT NULL,
       version INTEGER NOT NULL, created_at {instant} NOT NULL,
       UNIQUE (entity_id, name), FOREIGN KEY (entity_id) REFERENCES entities (id))`,
    `CREATE TABLE IF NOT EXISTS group_members (
       group_id {id} NOT NULL, user_id {id} NOT NULL, is_manager {flag} NOT NULL, created_at {instant} NOT NULL,
       PRIMARY KEY (group_id, user_id),
       FOREIGN KEY (group_id) REFERENCES user_groups (id), FOREIGN KEY (user_id) REFERENCES users (id))`,
    'CREATE INDEX group_members_by_user ON group_members (user_id, group_id)',

    `CREATE TABLE IF NOT EXISTS sessions (
       id {id} NOT NULL PRIMARY KEY, digest {digest} NOT NULL UNIQUE, user_id {id} NOT NULL, auth_epoch INTEGER NOT NULL,
       created_at {instant} NOT NULL, seen_at {instant} NOT NULL, authenticated_at {instant} NOT NULL,
       idle_ms {number} NOT NULL, expires_at {instant} NOT NULL,
       network VARCHAR(64) NOT NULL, user_agent VARCHAR(255) NOT NULL,
       FOREIGN KEY (user_id) REFERENCES users (id))`,
    'CREATE INDEX sessions_by_user ON sessions (user_id, seen_at)',
    'CREATE INDEX sessions_by_expiry ON sessions (expires_at)',

    `CREATE TABLE IF NOT EXISTS access_tokens (
       id {id} NOT NULL PRIMARY KEY, digest {digest} NOT NULL UNIQUE, user_id {id} NOT NULL,
       name VARCHAR(120) NOT NULL, hint VARCHAR(16) NOT NULL, scopes {text} NOT NULL,
       created_at {instant} NOT NULL, expires_at {instant} NOT NULL, used_at {instant} NULL, revoked_at {instant} NULL,
       FOREIGN KEY (user_id) REFERENCES users (id))`,
    'CREATE INDEX access_tokens_by_user ON access_tokens (user_id, created_at)',

    // Secrets that travel by mail or are handed over: password resets and confirmations. Only digests are kept.
    `CREATE TABLE IF NOT EXISTS user_secrets (
       id {id} NOT NULL PRIMARY KEY, digest {digest} NOT NULL UNIQUE, user_id {id} NOT NULL, purpose VARCHAR(12) NOT NULL,
       code_digest {digest} NULL, tries_left INTEGER NOT NULL, email VARCHAR(320) NOT NULL,
       created_at {instant} NOT NULL, expires_at {instant} NOT NULL, used_at {instant} NULL,
       FOREIGN KEY (user_id) REFERENCES users (id))`,
    'CREATE INDEX user_secrets_by_user ON user_secrets (user_id, purpose, used_at)',

    // A person who gave the right password and still owes the second factor.
    `CREATE TABLE IF NOT EXISTS sign_in_steps (
       id {id} NOT NULL PRIMARY KEY, digest {digest} NOT NULL UNIQUE, user_id {id} NOT NULL, auth_epoch INTEGER NOT NULL,
       kind VARCHAR(8) NOT NULL, tries_left INTEGER NOT NULL, next_path VARCHAR(500) NOT NULL, expires_at {instant} NOT NULL,
       FOREIGN KEY (user_id) REFERENCES users (id))`,
    'CREATE INDEX sign_in_steps_by_expiry ON sign_in_steps (expires_at)',

    `CREATE TABLE IF NOT EXISTS second_factors (
       user_id {id} NOT NULL PRIMARY KEY, key_id INTEGER NOT NULL, nonce {bytes} NOT NULL, ciphertext {bytes} NOT NULL,
       confirmed_at {instant} NULL, last_step {number} NOT NULL, created_at {instant} NOT NULL,
       FOREIGN KEY (user_id) REFERENCES users (id))`,
    `CREATE TABLE IF NOT EXISTS recovery_codes (
       digest {digest} NOT NULL PRIMARY KEY, user_id {id} NOT NULL, used_at {instant} NULL,
       FOREIGN KEY (user_id) REFERENCES users (id))`,
    'CREATE INDEX recovery_codes_by_user ON recovery_codes (user_id)',

    `CREATE TABLE IF NOT EXISTS sign_in_tries (
       bucket {digest} NOT NULL PRIMARY KEY, tries INTEGER NOT NULL, next_at {instant} NOT NULL, last_at {instant} NOT NULL)`,
    'CREATE INDEX sign_in_tries_by_last ON sign_in_tries (last_at)',

    // One row: the owner link that opens now. Whether there is an owner already is the setting `site.setupCompletedAt`.
    `CREATE TABLE IF NOT EXISTS setup (
       id INTEGER NOT NULL PRIMARY KEY, token_digest {digest} NULL, token_expires_at {instant} NULL,
       checklist_dismissed_at {instant} NULL)`,
    seed('setup (id) VALUES (1)'),
  ],
  down: [
    'setup',
    'sign_in_tries',
    'recovery_codes',
    'second_factors',
    'sign_in_steps',
    'user_secrets',
    'access_tokens',
    'sessions',
    'group_members',
    'user_groups',
    'grants',
    'users',
    'profiles',
    'entities',
  ].map((table) => `DROP TABLE IF EXISTS ${table}`),
};

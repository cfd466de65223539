import type { Migration } from 'latchkey/plugin-api';

/** What a key brings along, what newcomers answered, and the pages they walk through before and after joining. */
export const migration: Migration = {
  name: '0003-carries',
  up: [
    'ALTER TABLE invite_key ADD COLUMN carries {text}',
    `CREATE TABLE IF NOT EXISTS invite_answers (
       key_id {id} NOT NULL, seat INTEGER NOT NULL, user_id {id}, answers {text} NOT NULL,
       PRIMARY KEY (key_id, seat),
       CONSTRAINT invite_answers_key FOREIGN KEY (key_id) REFERENCES invite_key (id) ON DELETE RESTRICT)`,
    `CREATE TABLE IF NOT EXISTS invite_step (
       id {id} NOT NULL PRIMARY KEY, entity_id {id} NOT NULL, phase VARCHAR(8) NOT NULL, everywhere {flag} NOT NULL,
       position INTEGER NOT NULL, title VARCHAR(120) NOT NULL, body {text} NOT NULL, agreement VARCHAR(300) NOT NULL,
       edition INTEGER NOT NULL, created_at {instant} NOT NULL, updated_at {instant} NOT NULL, deleted_at {instant})`,
    'CREATE INDEX invite_step_by_place ON invite_step (deleted_at, phase, position)',
    `CREATE TABLE IF NOT EXISTS invite_step_taken (
       id {id} NOT NULL PRIMARY KEY, key_id {id} NOT NULL, step VARCHAR(80) NOT NULL, edition INTEGER NOT NULL,
       walker {digest} NOT NULL, user_id {id}, at {instant} NOT NULL,
       CONSTRAINT invite_step_taken_once UNIQUE (walker, key_id, step, edition),
       CONSTRAINT invite_step_taken_key FOREIGN KEY (key_id) REFERENCES invite_key (id) ON DELETE RESTRICT)`,
    'CREATE INDEX invite_step_taken_by_user ON invite_step_taken (user_id, key_id)',
    'CREATE INDEX invite_step_taken_by_time ON invite_step_taken (user_id, at)',
  ],
  down: [
    'DROP TABLE IF EXISTS invite_step_taken',
    'DROP TABLE IF EXISTS invite_step',
    'DROP TABLE IF EXISTS invite_answers',
  ],
};

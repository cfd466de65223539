import type { Migration } from 'latchkey/plugin-api';

/** One question a ticket, ever. The link in the mail is known by its keyed digest alone. */
export const migration: Migration = {
  name: '0001-surveys',
  up: [
    `CREATE TABLE IF NOT EXISTS satisfaction_survey (
       id {id} NOT NULL PRIMARY KEY, ticket_id {id} NOT NULL UNIQUE, ticket_number {number} NOT NULL,
       ticket_title VARCHAR(200) NOT NULL, entity_id {id} NOT NULL, requester_id {id} NOT NULL,
       state VARCHAR(10) NOT NULL, due_at {instant} NOT NULL, asked_at {instant}, ends_at {instant},
       token_mac {digest} UNIQUE, rating SMALLINT, comment VARCHAR(2000) NOT NULL, answered_at {instant})`,
    'CREATE INDEX satisfaction_survey_by_due ON satisfaction_survey (state, due_at)',
    'CREATE INDEX satisfaction_survey_by_asking ON satisfaction_survey (asked_at, entity_id)',
    'CREATE INDEX satisfaction_survey_by_answer ON satisfaction_survey (answered_at, entity_id)',
    'CREATE INDEX satisfaction_survey_by_rating ON satisfaction_survey (rating, answered_at)',
  ],
  down: ['DROP TABLE IF EXISTS satisfaction_survey'],
};

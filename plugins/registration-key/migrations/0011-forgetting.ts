import type { Migration } from 'latchkey/plugin-api';

/** So that an address is found wherever a list has it, when its person is to be forgotten. */
export const migration: Migration = {
  name: '0011-forgetting',
  up: ['CREATE INDEX invite_round_line_by_person ON invite_round_line (email_norm)'],
  down: [],
};

import type { Migration } from 'latchkey/plugin-api';

/** Few of many keys have yet to begin: walking the list, the index alone tells which. */
export const migration: Migration = {
  name: '0009-scheduled',
  up: ['CREATE INDEX invite_key_by_time_and_start ON invite_key (created_at, id, not_before)'],
  down: [],
};

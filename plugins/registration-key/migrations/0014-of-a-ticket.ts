import type { Migration } from 'latchkey/plugin-api';

/** The page of a ticket says who was invited from it, however many keys there are. */
export const migration: Migration = {
  name: '0014-of-a-ticket',
  up: ['CREATE INDEX invite_key_by_ticket ON invite_key (ticket_id)'],
  down: [],
};

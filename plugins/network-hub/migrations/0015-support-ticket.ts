import type { Migration } from 'latchkey/plugin-api';

/** By which a ticket that goes on with a closed one is known. */
export const migration: Migration = {
  name: '0015-support-ticket',
  up: [
    'ALTER TABLE hub_support ADD COLUMN ticket_id {id} NULL',
    'CREATE INDEX hub_support_by_ticket ON hub_support (ticket_id)',
  ],
  down: [
    { sqlite: 'DROP INDEX hub_support_by_ticket', mysql: 'DROP INDEX hub_support_by_ticket ON hub_support' },
    'ALTER TABLE hub_support DROP COLUMN ticket_id',
  ],
};

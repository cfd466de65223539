import type { Migration } from '../src/db/migrations.ts';

/** The number used once of the next check-in is known before it goes, so that a page can show the very bytes. */
export const migration: Migration = {
  name: '0038-check-in-announced',
  up: ['ALTER TABLE network_check_in ADD COLUMN nonce VARCHAR(40)'],
  down: ['ALTER TABLE network_check_in DROP COLUMN nonce'],
};

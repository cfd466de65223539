import type { Migration } from 'latchkey/plugin-api';

/** Customers may say in a sentence why they rate a plugin so. */
export const migration: Migration = {
  name: '0013-rating-sentence',
  up: ['ALTER TABLE hub_rating ADD COLUMN sentence VARCHAR(300)'],
  down: ['ALTER TABLE hub_rating DROP COLUMN sentence'],
};

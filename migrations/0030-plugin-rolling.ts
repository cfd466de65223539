import type { Migration } from '../src/db/migrations.ts';

/** A new version goes from one server to the next: which of them have it already. And of which trouble people were told when. */
export const migration: Migration = {
  name: '0030-plugin-rolling',
  up: [
    'ALTER TABLE plugin_state ADD COLUMN rolled_to {text} NULL',
    'ALTER TABLE plugin_state ADD COLUMN told_of VARCHAR(16) NULL',
    'ALTER TABLE plugin_state ADD COLUMN told_at {instant} NULL',
  ],
  down: [
    'ALTER TABLE plugin_state DROP COLUMN told_at',
    'ALTER TABLE plugin_state DROP COLUMN told_of',
    'ALTER TABLE plugin_state DROP COLUMN rolled_to',
  ],
};

import type { Migration } from '../src/db/migrations.ts';

/** Which process brings a plugin in, so that one that was killed holds nobody up. */
export const migration: Migration = {
  name: '0037-marketplace-holder',
  up: [
    `ALTER TABLE marketplace_operation ADD COLUMN machine VARCHAR(255) NOT NULL DEFAULT ''`,
    `ALTER TABLE marketplace_operation ADD COLUMN pid INTEGER NOT NULL DEFAULT 0`,
  ],
  down: [
    'ALTER TABLE marketplace_operation DROP COLUMN pid',
    'ALTER TABLE marketplace_operation DROP COLUMN machine',
  ],
};

import type { Migration } from '../src/db/migrations.ts';

/** How a new version comes to all nodes, what went with a plugin that was disabled, and what may be cleared away later. */
export const migration: Migration = {
  name: '0019-plugin-rollout',
  up: [
    'ALTER TABLE plugin_state ADD COLUMN watched_on VARCHAR(120) NULL',
    'ALTER TABLE plugin_state ADD COLUMN watched_until {instant} NULL',
    'ALTER TABLE plugin_state ADD COLUMN rolled_out_at {instant} NULL',
    'ALTER TABLE plugin_state ADD COLUMN disabled_with VARCHAR(48) NULL',
    'ALTER TABLE plugin_release ADD COLUMN went_wrong {text} NULL',
  ],
  down: [
    'ALTER TABLE plugin_release DROP COLUMN went_wrong',
    'ALTER TABLE plugin_state DROP COLUMN disabled_with',
    'ALTER TABLE plugin_state DROP COLUMN rolled_out_at',
    'ALTER TABLE plugin_state DROP COLUMN watched_until',
    'ALTER TABLE plugin_state DROP COLUMN watched_on',
  ],
};

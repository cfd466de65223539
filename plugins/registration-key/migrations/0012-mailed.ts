import type { Migration } from 'latchkey/plugin-api';

/** Whether a key was ever mailed to anybody: nobody else's joining need be looked for among its mails. */
export const migration: Migration = {
  name: '0012-mailed',
  up: [
    'ALTER TABLE invite_key ADD COLUMN is_mailed {flag} NOT NULL DEFAULT 0',
    'UPDATE invite_key SET is_mailed = 1 WHERE id IN (SELECT key_id FROM invite_invitee)',
  ],
  down: [],
};

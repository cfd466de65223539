import type { Migration } from 'latchkey/plugin-api';

/** An address that is to be forgotten is found wherever it was typed, also under keys with which nobody joined. */
export const migration: Migration = {
  name: '0013-addresses',
  up: [
    'CREATE INDEX invite_invitee_by_address ON invite_invitee (email_norm)',
    'CREATE INDEX invite_key_by_address ON invite_key (email_norm)',
  ],
  down: [],
};

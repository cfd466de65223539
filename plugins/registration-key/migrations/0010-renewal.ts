import type { Migration } from 'latchkey/plugin-api';

const problem = 'events of keys are never removed';
const unremovable = {
  sqlite: `CREATE TRIGGER IF NOT EXISTS invite_event_no_delete BEFORE DELETE ON invite_event
    BEGIN SELECT RAISE(ABORT, '${problem}'); END`,
  mysql: `CREATE TRIGGER IF NOT EXISTS invite_event_no_delete BEFORE DELETE ON invite_event FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '${problem}'`,
};

/** Every digest says which key of the house made it; null is from before that was noted. Evidence is not only unchangeable but stays. */
export const migration: Migration = {
  name: '0010-renewal',
  up: [
    'ALTER TABLE invite_mailing ADD COLUMN lookup_key INTEGER',
    'ALTER TABLE invite_roster_entry ADD COLUMN mac_key INTEGER',
    unremovable,
  ],
  down: [],
};

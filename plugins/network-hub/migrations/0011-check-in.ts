import type { Migration } from 'latchkey/plugin-api';

/** What installations told when they checked in, and the trials that owners have had. */
export const migration: Migration = {
  name: '0011-check-in',
  up: [
    `CREATE TABLE IF NOT EXISTS hub_check_in (
       subscription_id {id} NOT NULL, uid VARCHAR(40) NOT NULL, counter {number} NOT NULL, told {text} NOT NULL,
       at {instant} NOT NULL, forked_at {instant}, PRIMARY KEY (subscription_id, uid))`,
    `CREATE TABLE IF NOT EXISTS hub_trial (
       user_id {id} NOT NULL, plugin VARCHAR(48) NOT NULL, started_at {instant} NOT NULL, until {instant} NOT NULL,
       PRIMARY KEY (user_id, plugin))`,
  ],
  down: ['DROP TABLE IF EXISTS hub_trial', 'DROP TABLE IF EXISTS hub_check_in'],
};

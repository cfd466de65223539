import type { Migration } from 'latchkey/plugin-api';

const withSupport = [
  ['network-basic', '["marketplace","plugins-basic"]', '["marketplace","plugins-basic","support"]'],
  [
    'network-standard',
    '["marketplace","plugins-basic","plugins-standard"]',
    '["marketplace","plugins-basic","plugins-standard","support"]',
  ],
  [
    'network-advanced',
    '["marketplace","plugins-basic","plugins-standard","plugins-advanced"]',
    '["marketplace","plugins-basic","plugins-standard","plugins-advanced","support"]',
  ],
] as const;

/** Which ticket of ours a helpdesk's support request is; offers that are paid for include support from now on. */
export const migration: Migration = {
  name: '0012-support',
  up: [
    `CREATE TABLE IF NOT EXISTS hub_support (
       user_id {id} NOT NULL, id {id} NOT NULL, uid VARCHAR(40) NOT NULL, subscription_id {id} NOT NULL, number {number} NOT NULL,
       plugin VARCHAR(48), asked_at {instant} NOT NULL, PRIMARY KEY (user_id, id))`,
    'CREATE INDEX hub_support_by_number ON hub_support (number)',
    ...withSupport.map(
      ([reference, before, after]) =>
        `UPDATE hub_offer SET features = '${after}' WHERE reference = '${reference}' AND features = '${before}'`,
    ),
  ],
  down: ['DROP TABLE IF EXISTS hub_support'],
};

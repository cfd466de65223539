import type { Migration } from 'latchkey/plugin-api';

/** Offers and who has taken them, keys (only their digests), the installations that use them, and what is published. */
export const migration: Migration = {
  name: '0001-hub',
  up: [
    `CREATE TABLE IF NOT EXISTS hub_offer (
       reference VARCHAR(60) NOT NULL PRIMARY KEY, title VARCHAR(80) NOT NULL, position INTEGER NOT NULL,
       is_free {flag} NOT NULL, features {text} NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS hub_subscription (
       id {id} NOT NULL PRIMARY KEY, user_id {id} NOT NULL, owner VARCHAR(120) NOT NULL, offer VARCHAR(60) NOT NULL,
       begins_at {instant} NOT NULL, ends_at {instant}, created_at {instant} NOT NULL,
       CONSTRAINT hub_subscription_offer FOREIGN KEY (offer) REFERENCES hub_offer (reference))`,
    'CREATE INDEX hub_subscription_by_user ON hub_subscription (user_id)',
    `CREATE TABLE IF NOT EXISTS hub_key (
       id {id} NOT NULL PRIMARY KEY, subscription_id {id} NOT NULL, digest {digest} NOT NULL UNIQUE, mark VARCHAR(20) NOT NULL,
       created_at {instant} NOT NULL, ends_at {instant}, revoked_at {instant}, seen_at {instant},
       CONSTRAINT hub_key_subscription FOREIGN KEY (subscription_id) REFERENCES hub_subscription (id) ON DELETE CASCADE)`,
    `CREATE TABLE IF NOT EXISTS hub_instance (
       id {id} NOT NULL PRIMARY KEY, subscription_id {id} NOT NULL, uid VARCHAR(40) NOT NULL, program VARCHAR(80) NOT NULL,
       first_seen_at {instant} NOT NULL, seen_at {instant} NOT NULL,
       CONSTRAINT hub_instance_once UNIQUE (subscription_id, uid),
       CONSTRAINT hub_instance_subscription FOREIGN KEY (subscription_id) REFERENCES hub_subscription (id) ON DELETE CASCADE)`,
    `CREATE TABLE IF NOT EXISTS hub_plugin (
       number INTEGER NOT NULL PRIMARY KEY, name_key VARCHAR(80) NOT NULL UNIQUE, record {text} NOT NULL,
       required_offers {text} NOT NULL, published_at {instant} NOT NULL, updated_at {instant} NOT NULL, downloads INTEGER NOT NULL)`,
    `CREATE TABLE IF NOT EXISTS hub_plugin_tag (
       plugin INTEGER NOT NULL, tag VARCHAR(60) NOT NULL, label VARCHAR(60) NOT NULL, PRIMARY KEY (tag, plugin),
       CONSTRAINT hub_plugin_tag_plugin FOREIGN KEY (plugin) REFERENCES hub_plugin (number) ON DELETE CASCADE)`,
    // What GLPI's own hub calls the free offer is kept: its clients know it by that name.
    ...[
      ['virtual', 'Registered', 0, 1, '["marketplace"]'],
      ['network-basic', 'Basic', 10, 0, '["marketplace","plugins-basic"]'],
      ['network-standard', 'Standard', 20, 0, '["marketplace","plugins-basic","plugins-standard"]'],
      [
        'network-advanced',
        'Advanced',
        30,
        0,
        '["marketplace","plugins-basic","plugins-standard","plugins-advanced"]',
      ],
    ].map(
      ([reference, title, position, isFree, features]) =>
        `INSERT INTO hub_offer (reference, title, position, is_free, features)
           SELECT '${String(reference)}', '${String(title)}', ${String(position)}, ${String(isFree)}, '${String(features)}'
           FROM (SELECT 1 AS one) AS seed WHERE NOT EXISTS (SELECT 1 FROM hub_offer WHERE reference = '${String(reference)}')`,
    ),
  ],
  down: [
    'DROP TABLE IF EXISTS hub_plugin_tag',
    'DROP TABLE IF EXISTS hub_plugin',
    'DROP TABLE IF EXISTS hub_instance',
    'DROP TABLE IF EXISTS hub_key',
    'DROP TABLE IF EXISTS hub_subscription',
    'DROP TABLE IF EXISTS hub_offer',
  ],
};

import type { Migration } from 'latchkey/plugin-api';

/** Providers that people sign in with; the client's secret is sealed. */
export const migration: Migration = {
  name: '0001-providers',
  up: [
    `CREATE TABLE IF NOT EXISTS oidc_provider (
       id {id} NOT NULL PRIMARY KEY, slug VARCHAR(40) NOT NULL, title VARCHAR(40) NOT NULL, icon VARCHAR(40) NOT NULL,
       issuer VARCHAR(500) NOT NULL, client_id VARCHAR(255) NOT NULL, scopes VARCHAR(255) NOT NULL,
       trusted_domains {text} NOT NULL, assumes_verified {flag} NOT NULL, is_two_factor {flag} NOT NULL, is_on {flag} NOT NULL,
       secret_text {bytes}, secret_nonce {bytes}, secret_key INTEGER,
       version INTEGER NOT NULL, created_at {instant} NOT NULL, updated_at {instant} NOT NULL,
       CONSTRAINT oidc_provider_by_slug UNIQUE (slug))`,
  ],
  down: ['DROP TABLE IF EXISTS oidc_provider'],
};

import type { Migration } from 'latchkey/plugin-api';

const letters = [`'@'`, `'.'`, `'-'`, `'_'`, `','`, `'/'`].reduce(
  (text, mark) => `REPLACE(${text}, ${mark}, ' ')`,
  'search_text',
);

/**
 * Lists that take as long with a million keys as with a thousand: each filter has an index to be tried first, each word of a key a
 * row of its own, and whether a key is full stands in it.
 */
export const migration: Migration = {
  name: '0008-lists',
  up: [
    'ALTER TABLE invite_key ADD COLUMN is_full {flag} NOT NULL DEFAULT 0',
    'UPDATE invite_key SET is_full = 1 WHERE max_uses IS NOT NULL AND uses >= max_uses',
    `CREATE TABLE IF NOT EXISTS invite_key_word (
       word VARCHAR(60) NOT NULL, key_id {id} NOT NULL, PRIMARY KEY (word, key_id),
       CONSTRAINT invite_key_word_key FOREIGN KEY (key_id) REFERENCES invite_key (id) ON DELETE CASCADE)`,
    'CREATE INDEX invite_key_word_by_key ON invite_key_word (key_id)',
    `UPDATE invite_key SET search_text = ${letters}`,
    'DELETE FROM invite_key_word',
    `INSERT INTO invite_key_word (word, key_id)
       WITH RECURSIVE split (key_id, word, rest) AS (
         SELECT id, CAST('' AS CHAR(200)), CONCAT(${letters}, ' ') FROM invite_key
         UNION ALL
         SELECT key_id, SUBSTR(rest, 1, INSTR(rest, ' ') - 1), SUBSTR(rest, INSTR(rest, ' ') + 1)
           FROM split WHERE rest <> '')
       SELECT DISTINCT SUBSTR(word, 1, 60), key_id FROM split WHERE word <> ''`,
    'CREATE INDEX invite_key_by_time ON invite_key (created_at, id)',
    'CREATE INDEX invite_key_by_owner_time ON invite_key (owner_id, created_at)',
    'CREATE INDEX invite_key_by_start ON invite_key (not_before)',
    'CREATE INDEX invite_key_by_revocation ON invite_key (revoked_at)',
    'CREATE INDEX invite_key_by_openness ON invite_key (is_full, revoked_at, expires_at)',
    'CREATE INDEX invite_key_by_pause ON invite_key (paused_at)',
    'CREATE INDEX invite_key_by_weakness ON invite_key (weak, created_at)',
    'CREATE INDEX invite_key_by_member ON invite_key (by_member, created_at)',
    'CREATE INDEX invite_key_by_use ON invite_key (last_used_at)',
    'CREATE INDEX invite_key_by_label ON invite_key (label)',
    'CREATE INDEX invite_key_by_expiry ON invite_key (expires_at)',
    'CREATE INDEX invite_redemption_by_status ON invite_redemption (status, at)',
    'CREATE INDEX invite_redemption_by_key_status ON invite_redemption (key_id, status, at)',
  ],
  down: ['DROP TABLE IF EXISTS invite_key_word'],
};

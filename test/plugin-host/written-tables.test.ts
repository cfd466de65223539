import { expect, test } from 'vitest';
import { assertOwnTables } from '../../src/plugin-host/own-tables.ts';

const hello = { id: 'hello', tablePrefix: 'hello_', migrations: 'migrations' };
const taken = (...up: string[]): boolean => {
  try {
    assertOwnTables(hello, [{ name: '0001-x', up, down: [] }]);
    return true;
  } catch {
    return false;
  }
};

test.each([
  'DELETE FROM tickets',
  'delete from "tickets" where 1 = 1',
  'DELETE t FROM tickets t',
  'UPDATE tickets SET title = 1',
  'UPDATE OR IGNORE main.tickets SET title = 1',
  'UPDATE hello_note n JOIN tickets t ON t.id = n.ticket_id SET t.title = n.said',
  'INSERT INTO users (id) VALUES (1)',
  'INSERT OR REPLACE INTO `users` (id) VALUES (1)',
  'REPLACE INTO users VALUES (1)',
  'TRUNCATE TABLE tickets',
  'WITH old AS (SELECT id FROM hello_note) DELETE FROM tickets WHERE id IN (SELECT id FROM old)',
  'ALTER TABLE hello_note RENAME TO tickets_note',
  'CREATE TRIGGER hello_t AFTER INSERT ON tickets BEGIN DELETE FROM hello_note; END',
  'CREATE TRIGGER hello_t AFTER INSERT ON hello_note BEGIN UPDATE tickets SET title = 1; END',
  '/* tidy */ DROP TABLE hello_note, tickets',
  'CREATE VIEW everybody AS SELECT * FROM users',
])('a migration of a plugin may not: %s', (statement) => {
  expect(taken(statement)).toBe(false);
});

test.each([
  'CREATE TABLE IF NOT EXISTS hello_note (id {id}, said VARCHAR(20) REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE)',
  'CREATE UNIQUE INDEX hello_note_said ON hello_note (said)',
  "UPDATE hello_note SET said = 'delete from tickets'",
  "INSERT INTO hello_note (id, said) VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET said = 'b'",
  "INSERT INTO hello_note (id, said) VALUES (1, 'a') ON DUPLICATE KEY UPDATE said = 'b'",
  'INSERT INTO hello_note (id, said) SELECT id, title FROM tickets',
  'DELETE FROM hello_note WHERE ticket_id NOT IN (SELECT id FROM tickets)',
  'ALTER TABLE hello_note ADD COLUMN updated_at {instant}',
])('a migration of a plugin may: %s', (statement) => {
  expect(taken(statement)).toBe(true);
});

test('a search index on what is not its own is refused too', () => {
  const migration = { name: '0001-x', up: [{ searchIndexOn: 'tickets' }], down: [] };

  expect(() => {
    assertOwnTables(hello, [migration]);
  }).toThrow('migrations/0001-x.ts: The table tickets does not begin with hello_');
});

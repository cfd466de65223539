/** A migration of many steps that take their time; run as a program it brings the database of its argument up to date. */
import { Database } from '../../src/db/database.ts';
import { migrate, type Migration } from '../../src/db/migrations.ts';

export const STEPS = 41;

export const slowMigrations: Migration[] = [
  {
    name: '0001-slow',
    up: [
      'CREATE TABLE IF NOT EXISTS slow_lines (line {number} NOT NULL)',
      ...Array.from({ length: STEPS - 1 }, (_, line) => ({
        sqlite: `INSERT INTO slow_lines (line) VALUES (${String(line)})`,
        mysql: `INSERT INTO slow_lines (line) SELECT ${String(line)} + SLEEP(0.02)`,
      })),
    ],
    down: ['DROP TABLE IF EXISTS slow_lines'],
  },
];

if (import.meta.main) {
  const db = Database.open(process.argv[2] ?? '');
  await migrate(db, 'slow', slowMigrations);
  await db.close();
}

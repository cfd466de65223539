import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { migrate, migrateDown, pendingMigrations, type Migration } from '../../src/db/migrations.ts';
import { afterwards } from '../support/cleanup.ts';
import { describeOnEachEngine, openFreshDatabase } from '../support/databases.ts';
import { slowMigrations, STEPS } from './slow-migrations.ts';

const notes: Migration = {
  name: '0001-notes',
  up: [
    'CREATE TABLE IF NOT EXISTS notes (id {id} NOT NULL PRIMARY KEY, said_at {instant} NOT NULL)',
    'ALTER TABLE notes ADD COLUMN said {text}',
    'CREATE INDEX notes_said_at ON notes (said_at)',
  ],
  down: ['DROP TABLE IF EXISTS notes'],
};

describeOnEachEngine('migrations', (engine) => {
  let db: Database;
  let url: string;

  beforeEach(async () => {
    ({ db, url } = await openFreshDatabase(engine, { empty: true }));
    await migrate(db, 'first', []);
  });

  const stepsDone = () => db.knex('schema_step').where({ state: 'done' }).orderBy('step').pluck('step');

  test('run once, and then have nothing to do', async () => {
    const first = await migrate(db, 'diary', [notes]);
    const second = await migrate(db, 'diary', [notes]);

    expect([first, second]).toEqual([['0001-notes'], []]);
    expect(await pendingMigrations(db, 'diary', [notes])).toEqual([]);
    expect(await db.knex('notes').columnInfo()).toHaveProperty('said');
  });

  test('of one owner say nothing about those of another', async () => {
    await migrate(db, 'diary', [notes]);

    expect(await pendingMigrations(db, 'calendar', [notes])).toHaveLength(1);
  });

  test('that stopped at a mistake go on from there once it is mended', async () => {
    const broken: Migration = {
      ...notes,
      up: [notes.up[0]!, 'ALTER TABLE nowhere ADD COLUMN x {text}', notes.up[2]!],
    };

    await expect(migrate(db, 'diary', [broken])).rejects.toThrow();
    expect(await stepsDone()).toEqual([0]);

    await migrate(db, 'diary', [notes]);
    expect(await stepsDone()).toEqual([0, 1, 2]);
  });

  test('survive a crash after a statement ran and before that was written down', async () => {
    await migrate(db, 'diary', [notes]);
    await db.transaction((tx) => tx.knex('schema_step').where('step', '>', 0).update({ state: 'started' }));

    await migrate(db, 'diary', [notes]);

    expect(await stepsDone()).toEqual([0, 1, 2]);
  });

  test('are undone newest first, and can be done again', async () => {
    await migrate(db, 'diary', [notes]);

    await migrateDown(db, 'diary', [notes]);

    expect(await db.knex.schema.hasTable('notes')).toBe(false);
    expect(await migrate(db, 'diary', [notes])).toEqual(['0001-notes']);
  });

  test('killed half-way are finished by the next process, each step once', async () => {
    const worker = startMigrating();
    await untilSteps(3);
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    const before = (await stepsDone()).length;
    expect(before).toBeLessThan(STEPS);
    await db.transaction((tx) => tx.knex('schema_lease').update({ until: Date.now() - 1 }));

    await migrate(db, 'slow', slowMigrations);

    expect((await stepsDone()).length).toBe(STEPS);
  });

  test('in three processes at once are done by one of them', async () => {
    const workers = [startMigrating(), startMigrating(), startMigrating()];

    const codes = await Promise.all(workers.map(async (worker) => (await once(worker, 'exit'))[0] as number));

    expect(codes).toEqual([0, 0, 0]);
    expect((await stepsDone()).length).toBe(STEPS);
    const lines = (await db.knex('slow_lines').pluck('line')) as number[];
    expect(lines).toHaveLength(new Set(lines).size);
  });

  function startMigrating(): ChildProcess {
    const worker = fork(join(import.meta.dirname, 'slow-migrations.ts'), [url], {
      stdio: 'inherit',
      execArgv: [],
    });
    afterwards(() => void worker.kill('SIGKILL'));
    return worker;
  }

  async function untilSteps(count: number): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (Date.now() < deadline) {
      const done = await stepsDone().catch(() => []);
      if (done.length >= count) return;
      await sleep(5);
    }
    throw new Error('The migration did not begin');
  }
});

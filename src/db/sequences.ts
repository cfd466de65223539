import type { Database } from './database.ts';
import { defineTable, text, whole } from './table.ts';

const sequences = defineTable('sequences', { name: text, next: whole });

/** Numbers taken from the database at once; what a process has not used when it stops stays a gap. */
const BLOCK = 10;

interface Block {
  next: number;
  end: number;
}

const blocks = new WeakMap<Database, Map<string, Promise<Block>>>();

/**
 * The next number that people will say aloud: ticket 1042. In a transaction of its own, so that nobody waits for another's
 * ticket to be written: call it before `db.transaction`, never inside (on SQLite it would wait for itself).
 */
export async function nextNumber(db: Database, name: string): Promise<number> {
  const known = blocksOf(db);
  for (;;) {
    const reserved = known.get(name) ?? reserveShared(db, name, known);
    const block = await reserved;
    if (block.next < block.end) return block.next++;
    if (known.get(name) === reserved) known.delete(name);
  }
}

/** Ten callers at once take one block between them, not ten blocks. A failure is not remembered. */
function reserveShared(db: Database, name: string, known: Map<string, Promise<Block>>): Promise<Block> {
  const reserved = reserve(db, name);
  known.set(name, reserved);
  reserved.catch(() => known.delete(name));
  return reserved;
}

const reserve = (db: Database, name: string): Promise<Block> =>
  db.transaction(async (tx) => {
    const advance = (): Promise<number> =>
      tx
        .knex('sequences')
        .where({ name })
        .update({ next: tx.knex.raw('?? + ?', ['next', BLOCK]) });
    if ((await advance()) === 0) {
      await tx.knex(sequences.name).insert({ name, next: 1 }).onConflict('name').ignore();
      await advance();
    }
    const rows = await tx.knex(sequences.name).where({ name });
    const end = rows.map(sequences.decode)[0]?.next ?? 0;
    return { next: end - BLOCK, end };
  });

function blocksOf(db: Database): Map<string, Promise<Block>> {
  const known = blocks.get(db) ?? new Map<string, Promise<Block>>();
  blocks.set(db, known);
  return known;
}

import type { Database, Tx } from './database.ts';
import { insertRows } from './statements.ts';

/** Numbers taken from the database at once; what a process has not used when it stops stays a gap. */
const BLOCK = 10;
/** When the last block lasted less than a second. */
const RUSH_BLOCK = 50;

interface Block {
  next: number;
  end: number;
  takenAt: number;
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
    if (known.get(name) !== reserved) continue;
    const isRush = performance.now() - block.takenAt < 1_000;
    void reserveShared(db, name, known, isRush ? RUSH_BLOCK : BLOCK);
  }
}

/** Inside a transaction; others wait for it. */
export async function nextNumberIn(tx: Tx, name: string): Promise<number> {
  return (await advance(tx, name, 1)) - 1;
}

/** Ten callers at once take one block between them, not ten blocks. A failure is not remembered. */
function reserveShared(
  db: Database,
  name: string,
  known: Map<string, Promise<Block>>,
  size = BLOCK,
): Promise<Block> {
  const reserved = db.transaction(async (tx) => {
    const end = await advance(tx, name, size);
    return { next: end - size, end, takenAt: performance.now() };
  });
  known.set(name, reserved);
  reserved.catch(() => known.delete(name));
  return reserved;
}

async function advance(tx: Tx, name: string, by: number): Promise<number> {
  const counter = { column: 'next', by };
  const forward = (): Promise<number | null> =>
    tx.raise(counter, (counting) => `UPDATE sequences SET ${counting} WHERE name = ?`, [name]);
  const next = await forward();
  if (next !== null) return next;
  await insertRows(tx, 'sequences', [{ name, next: 1 }], { unless: ['name'] });
  return (await forward()) ?? 0;
}

function blocksOf(db: Database): Map<string, Promise<Block>> {
  const known = blocks.get(db) ?? new Map<string, Promise<Block>>();
  blocks.set(db, known);
  return known;
}

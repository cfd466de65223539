import type { Database } from '../db/database.ts';
import {
  deleteEvents,
  deleteForgetting,
  findNaming,
  listTold,
  type Forgetting,
} from './forgetting-repository.ts';

const AT_ONCE = 200;

/**
 * What events have told of somebody goes once everybody has heard that they are to be forgotten; the event that says so goes last, when
 * nobody waits for another that names them.
 */
export async function forgetWhoWasTold(db: Database, signal: AbortSignal): Promise<void> {
  for (const told of await listTold(db, AT_ONCE)) {
    if (signal.aborted) return;
    await forget(db, told, signal);
  }
}

async function forget(db: Database, told: Forgetting, signal: AbortSignal): Promise<void> {
  for (;;) {
    const over = await findNaming(db, told, { isOver: true, limit: AT_ONCE });
    if (over.length === 0) break;
    await db.transaction((tx) => deleteEvents(tx, over));
    if (signal.aborted) return;
  }
  const [waiting] = await findNaming(db, told, { isOver: false, limit: 1 });
  if (!waiting) await db.transaction((tx) => deleteForgetting(tx, told));
}

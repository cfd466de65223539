import type { Database, Tx } from '../db/database.ts';
import { UnavailableError } from '../shared/errors.ts';

/** A plugin may hold the database this long, over all its attempts. Waiting for a connection is not held against it. */
export const TRANSACTION_MS = 5_000;

/** A transaction of a plugin's own. After the deadline it is rolled back, whatever the plugin is still doing. */
export async function pluginTransaction<T>(
  db: Database,
  work: (tx: Tx) => Promise<T>,
  { plugin, deadlineMs = TRANSACTION_MS }: { plugin: string; deadlineMs?: number },
): Promise<T> {
  let left = deadlineMs;
  return db.transaction(async (tx) => {
    const began = performance.now();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new UnavailableError('plugin.transaction-too-long', { params: { plugin } }));
    }, left);
    try {
      return await Promise.race([work(tx), late.promise]);
    } finally {
      clearTimeout(timer);
      left -= performance.now() - began;
    }
  });
}

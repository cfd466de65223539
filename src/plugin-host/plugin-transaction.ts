import type { Database, Tx } from '../db/database.ts';
import { UnavailableError } from '../shared/errors.ts';

/** A plugin may hold the database this long, over all its attempts. */
export const TRANSACTION_MS = 5_000;

/** A transaction of a plugin's own. After the deadline it is rolled back, whatever the plugin is still doing. */
export async function pluginTransaction<T>(
  db: Database,
  work: (tx: Tx) => Promise<T>,
  { plugin, deadlineMs = TRANSACTION_MS }: { plugin: string; deadlineMs?: number },
): Promise<T> {
  const late = Promise.withResolvers<never>();
  // Nobody may be listening when the work ends in time.
  late.promise.catch(() => undefined);
  const timer = setTimeout(() => {
    late.reject(new UnavailableError('plugin.transaction-too-long', { params: { plugin } }));
  }, deadlineMs);
  try {
    return await db.transaction((tx) => Promise.race([work(tx), late.promise]));
  } finally {
    clearTimeout(timer);
  }
}

import type { Database } from '../db/database.ts';
import type { RequestTrace } from '../http/watch-request.ts';
import type { Clock } from '../shared/clock.ts';
import { newId } from '../shared/ids.ts';
import { insertTrace } from './hook-trace-repository.ts';

/** For the page that shows it, on whichever node that is asked for. */
export const keepTrace = (
  { db, clock }: { db: Database; clock: Clock },
  { path, ...trace }: RequestTrace,
): Promise<void> =>
  db.transaction((tx) =>
    insertTrace(tx, { ...trace, path: path.slice(0, 500), id: newId(), at: clock.now() }),
  );

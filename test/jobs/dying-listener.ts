import { Database } from '../../src/db/database.ts';
import { counted, eventWorld } from './event-support.ts';

/** A process that takes events and is killed in the midst of one. Says on standard output what it was told. */
const db = Database.open(process.argv[2] ?? '');
const { hooks, dispatcher } = eventWorld(db, { limits: { deadlineMs: 60_000 } });
hooks.onEvent('mailer', counted, async ({ n }) => {
  process.stdout.write(`told ${String(n)}\n`);
  if (n === 3) await new Promise(() => setInterval(() => undefined, 1_000));
});
dispatcher.start();

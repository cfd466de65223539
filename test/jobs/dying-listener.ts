import { Database } from '../../src/db/database.ts';
import { counted, eventWorld } from './event-support.ts';

/** The event during which the process is killed. */
export const FATAL = 3;

/** A process that takes events and never gets over one of them. Says on standard output what it was told. */
function takeEvents(url: string): void {
  const { hooks, dispatcher } = eventWorld(Database.open(url), { limits: { deadlineMs: 60_000 } });
  hooks.onEvent('mailer', counted, async ({ n }) => {
    process.stdout.write(`told ${String(n)}\n`);
    if (n === FATAL) await new Promise(() => setInterval(() => undefined, 1_000));
  });
  dispatcher.start();
}

if (import.meta.main) takeEvents(process.argv[2] ?? '');

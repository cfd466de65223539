import type { Database } from '../../src/db/database.ts';
import { defineEvent, Hooks } from '../../src/hooks/index.ts';
import { EventDispatcher } from '../../src/jobs/index.ts';
import type { DispatcherLimits } from '../../src/jobs/event-dispatcher.ts';
import { silentLog } from '../../src/log.ts';
import { systemClock, type Clock } from '../../src/shared/clock.ts';

export const counted = defineEvent<{ n: number }>({
  name: 'test.counted',
  summary: 'A number.',
  since: '0.1.0',
});
export const said = defineEvent<{ words: string }>({ name: 'test.said', summary: 'Words.', since: '0.1.0' });
export const renamed = defineEvent<{ n: number }>({
  name: 'test.renamed',
  summary: 'Another.',
  since: '0.1.0',
});

export interface EventWorld {
  hooks: Hooks;
  dispatcher: EventDispatcher;
  tell: (n: number, aggregate?: string) => Promise<void>;
}

/** Hooks and a dispatcher as one process has them. */
export function eventWorld(
  db: Database,
  { clock = systemClock, limits = {} }: { clock?: Clock; limits?: Partial<DispatcherLimits> } = {},
): EventWorld {
  const log = silentLog();
  const hooks = new Hooks({ clock, log, strict: true });
  const dispatcher = new EventDispatcher({ db, hooks, clock, log, limits: { idleMs: 50, ...limits } });
  const tell = (n: number, aggregate = 'ticket:1'): Promise<void> =>
    db.transaction((tx) => hooks.emit(tx, counted, { n }, { aggregate }));
  return { hooks, dispatcher, tell };
}

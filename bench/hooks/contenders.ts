import { EventEmitter } from 'node:events';
import { createHooks as createWordPressHooks } from '@wordpress/hooks';
import Emittery from 'emittery';
import { EventEmitter as EventEmitter3 } from 'eventemitter3';
import { createHooks as createHookable } from 'hookable';
import tapable from 'tapable';
import { defineFilter, Hooks } from '../../src/hooks/index.ts';
import { silentLog } from '../../src/log.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { laterListeners, listeners, type About, type LaterListener } from './listeners.ts';

/** One dispatch through all listeners of one hook. */
export type Dispatch<R> = (value: number, about: About) => R;

/** Somebody who can run a value through listeners; asked for many hooks, as a helpdesk has them. */
export interface Contender<R> {
  name: string;
  /** Waterfall, priorities, one listener removable, its owner known: what a plugin platform needs. */
  hasSameSemantics: boolean;
  note: string;
  make: (count: number) => Dispatch<R>;
}

type Handler = (value: number, about: About) => void;
type Box = { value: number };

const NAMES = Array.from({ length: 24 }, (_, at) => `ticket.hook-${String(at)}`);
let made = 0;
/** A new name for each hook, so that look-ups are what they are in a house with many. */
const nextName = (): string => `${NAMES[made % NAMES.length] ?? ''}-${String((made += 1))}`;

const house = new Hooks({ clock: systemClock, log: silentLog() });
const facts = { summary: 'For the bench.', since: '0.1.0', failure: 'open', budgetMs: 50 } as const;
const wordpress = createWordPressHooks();
const hookable = createHookable();
const emitter = new EventEmitter();
const emitter3 = new EventEmitter3();
const emittery = new Emittery<Record<string, { box: Box; about: About }>>();
emitter.setMaxListeners(0);

/** The least that any of them does: plain calls, one after the other. */
const floor: Contender<number> = {
  name: 'floor: plain calls in a loop',
  hasSameSemantics: false,
  note: '',
  make: (count) => {
    const all = listeners(count);
    return (value, about) => {
      let current = value;
      for (const listener of all) current = listener(current, about);
      return current;
    };
  },
};

const laterFloor: Contender<Promise<number>> = {
  name: 'floor: each call awaited in a loop',
  hasSameSemantics: false,
  note: '',
  make: (count) => {
    const all = laterListeners(count);
    return async (value, about) => {
      let current = value;
      for (const listener of all) current = await listener(current, about);
      return current;
    };
  },
};

export const syncContenders: Contender<number>[] = [
  floor,
  {
    name: 'Latchkey, fully guarded',
    hasSameSemantics: true,
    note: 'budget, blame, breaker, cost account',
    make: (count) => {
      const token = defineFilter<number, About>({ name: nextName(), ...facts });
      for (const [at, one] of listeners(count).entries()) house.onFilter(`plugin-${String(at)}`, token, one);
      return (value, about) => house.filter(token, value, about) as number;
    },
  },
  {
    name: 'tapable SyncWaterfallHook',
    hasSameSemantics: false,
    note: 'no removal; compiles code with new Function at run time',
    make: (count) => {
      const hook = new tapable.SyncWaterfallHook<[number, About]>(['value', 'about']);
      for (const [at, one] of listeners(count).entries()) hook.tap(`plugin-${String(at)}`, one);
      return (value, about) => hook.call(value, about);
    },
  },
  {
    name: '@wordpress/hooks applyFilters',
    hasSameSemantics: true,
    note: 'not guarded',
    make: (count) => {
      const name = nextName();
      for (const [at, one] of listeners(count).entries())
        wordpress.addFilter(name, `plugin-${String(at)}/one`, one as (...args: unknown[]) => unknown);
      return (value, about) => wordpress.applyFilters(name, value, about) as number;
    },
  },
  {
    name: 'hookable callHookWith(reduce)',
    hasSameSemantics: false,
    note: 'waterfall written by us; no order, not guarded',
    make: (count) => {
      const name = nextName();
      for (const one of listeners(count)) hookable.hook(name, one);
      return (value, about) =>
        hookable.callHookWith(
          (all) =>
            all.reduce((current: number, one) => (one as unknown as Dispatch<number>)(current, about), value),
          name,
          [value, about],
        );
    },
  },
  {
    name: 'Node EventEmitter',
    hasSameSemantics: false,
    note: 'no answers: listeners write into a box',
    make: (count) => {
      const name = nextName();
      for (const one of listeners(count))
        emitter.on(name, (box: Box, about: About) => void (box.value = one(box.value, about)));
      return (value, about) => {
        const box = { value };
        emitter.emit(name, box, about);
        return box.value;
      };
    },
  },
  {
    name: 'eventemitter3',
    hasSameSemantics: false,
    note: 'no answers: listeners write into a box',
    make: (count) => {
      const name = nextName();
      for (const one of listeners(count))
        emitter3.on(name, (box: Box, about: About) => void (box.value = one(box.value, about)));
      return (value, about) => {
        const box = { value };
        emitter3.emit(name, box, about);
        return box.value;
      };
    },
  },
];

export const laterContenders: Contender<Promise<number>>[] = [
  laterFloor,
  {
    name: 'Latchkey, fully guarded',
    hasSameSemantics: true,
    note: 'as above, and a deadline for each listener',
    make: (count) => {
      const token = defineFilter<number, About>({ name: nextName(), ...facts });
      for (const [at, one] of laterListeners(count).entries())
        house.onFilter(`plugin-${String(at)}`, token, one);
      return (value, about) => house.filter(token, value, about) as Promise<number>;
    },
  },
  {
    name: 'tapable AsyncSeriesWaterfallHook',
    hasSameSemantics: false,
    note: 'no removal; compiles code with new Function at run time',
    make: (count) => {
      const hook = new tapable.AsyncSeriesWaterfallHook<[number, About]>(['value', 'about']);
      for (const [at, one] of laterListeners(count).entries()) hook.tapPromise(`plugin-${String(at)}`, one);
      return (value, about) => hook.promise(value, about);
    },
  },
  {
    name: '@wordpress/hooks applyFiltersAsync',
    hasSameSemantics: true,
    note: 'not guarded, no deadline',
    make: (count) => {
      const name = nextName();
      for (const [at, one] of laterListeners(count).entries())
        wordpress.addFilter(name, `plugin-${String(at)}/one`, one as (...args: unknown[]) => unknown);
      return (value, about) => wordpress.applyFiltersAsync(name, value, about) as Promise<number>;
    },
  },
  {
    name: 'hookable callHook',
    hasSameSemantics: false,
    note: 'no answers: listeners write into a box',
    make: (count) => {
      const name = nextName();
      for (const one of laterListeners(count))
        hookable.hook(name, async (box: Box, about: About) => {
          box.value = await one(box.value, about);
        });
      return async (value, about) => {
        const box = { value };
        await hookable.callHook(name, box, about);
        return box.value;
      };
    },
  },
  {
    name: 'emittery emitSerial',
    hasSameSemantics: false,
    note: 'no answers: listeners write into a box',
    make: (count) => {
      const name = nextName();
      for (const one of laterListeners(count))
        emittery.on(name, async ({ data: { box, about } }) => {
          box.value = await one(box.value, about);
        });
      return async (value, about) => {
        const box = { value };
        await emittery.emitSerial(name, { box, about });
        return box.value;
      };
    },
  },
  {
    name: 'Node EventEmitter, its listeners awaited',
    hasSameSemantics: false,
    note: 'loop written by us',
    make: (count) => {
      const name = nextName();
      for (const one of laterListeners(count)) emitter.on(name, one as Handler);
      return async (value, about) => {
        let current = value;
        for (const one of emitter.listeners(name) as LaterListener[]) current = await one(current, about);
        return current;
      };
    },
  },
  {
    name: 'eventemitter3, its listeners awaited',
    hasSameSemantics: false,
    note: 'loop written by us',
    make: (count) => {
      const name = nextName();
      for (const one of laterListeners(count)) emitter3.on(name, one as Handler);
      return async (value, about) => {
        let current = value;
        for (const one of emitter3.listeners(name) as LaterListener[]) current = await one(current, about);
        return current;
      };
    },
  },
];

import { setTimeout as sleep } from 'node:timers/promises';
import type { Hooks } from '../hooks/index.ts';

/** What becomes of every call of a listener. */
export type Fault = 'none' | 'throws' | 'hangs' | 'twice';

export interface Faults {
  is: Fault;
}

type Listener = (...args: never[]) => unknown;
type Register = (owner: string, token: never, listener: Listener, ...rest: never[]) => () => void;

/** Puts itself between the hooks and every listener that `owner` registers from now on. */
export function injectFaults(hooks: Hooks, owner: string): Faults {
  const faults: Faults = { is: 'none' };
  for (const name of ['onFilter', 'onVeto', 'onEvent', 'onContribution'] as const) {
    const register = hooks[name].bind(hooks) as unknown as Register;
    const registerFaulty: Register = (who, token, listener, ...rest) =>
      register(who, token, who === owner ? faulty(listener, faults, name === 'onEvent') : listener, ...rest);
    Object.defineProperty(hooks, name, { value: registerFaulty });
  }
  return faults;
}

const faulty =
  (listener: Listener, faults: Faults, isEvent: boolean): Listener =>
  (...args) => {
    switch (faults.is) {
      case 'throws':
        throw new Error('Thrown on purpose');
      case 'hangs':
        // An event may take half a minute; nobody waits for it.
        return isEvent ? listener(...args) : new Promise(() => undefined);
      case 'twice':
        return isEvent ? oneAfterTheOther(listener, args) : listener(...args);
      case 'none':
        return listener(...args);
    }
  };

async function oneAfterTheOther(listener: Listener, args: never[]): Promise<void> {
  await listener(...args);
  await listener(...args);
}

/** Has every transaction wait before it begins. */
export function slowDown(
  db: { transaction: (...args: never[]) => Promise<unknown> },
  milliseconds: number,
): () => void {
  const transaction = db.transaction.bind(db);
  Object.defineProperty(db, 'transaction', {
    configurable: true,
    value: async (...args: never[]) => {
      await sleep(milliseconds);
      return transaction(...args);
    },
  });
  return () => {
    Object.defineProperty(db, 'transaction', { configurable: true, value: transaction });
  };
}

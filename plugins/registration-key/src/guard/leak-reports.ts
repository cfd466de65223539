import { InvalidInputError, NotFoundError, type Host, type Limit } from 'latchkey/plugin-api';
import type { KeyCare } from '../seats/key-care.ts';
import type { KeyDoor } from '../keys/key-door.ts';
import { saveGuard } from './guard-repository.ts';

const REPORTS: Limit = { name: 'report-leak', points: 10, perSeconds: 3600 };

interface Deps {
  host: Host;
  door: KeyDoor;
  care: KeyCare;
}

/** Somebody found a key where it should not be. Whoever holds it may close it; nobody learns whether it was one. */
export class LeakReports {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async report(found: string, network: string): Promise<void> {
    const { host, door, care } = this.#deps;
    await host.limits.count(REPORTS, network);
    try {
      const { key } = await door.open(found.trim(), network);
      const tripped = { trippedAt: host.clock.now(), trippedBy: 'reported', trippedFacts: null } as const;
      await host.transaction((tx) => saveGuard(tx, key.id, tripped));
      await care.pause(key, 'reported');
    } catch (error) {
      if (!(error instanceof InvalidInputError) && !(error instanceof NotFoundError)) throw error;
    }
  }
}

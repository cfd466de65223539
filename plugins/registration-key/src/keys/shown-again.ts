import type { Host, Mac } from 'latchkey/plugin-api';
import { renewDigest, type Presented } from '../guard/renewal-repository.ts';

const MOST_KEPT = 20_000;

/**
 * A text of which no copy is kept moves to the newest key of the house when somebody shows it: only then is it known. Opening a link
 * writes nothing, so its digests wait here until the next job. Where the keys were never changed, nothing waits.
 */
export class ShownAgain {
  readonly #host: Host;
  readonly #seen = new Set<string>();
  #waiting: Presented[] = [];

  constructor(host: Host) {
    this.#host = host;
  }

  note(place: Presented['place'], [newest, ...older]: readonly Mac[]): void {
    if (newest === undefined || older.length === 0) return;
    const mark = newest.digest.toString('hex');
    if (this.#seen.has(mark)) return;
    if (this.#seen.size >= MOST_KEPT) this.#seen.clear();
    this.#seen.add(mark);
    this.#waiting.push({ place, newest, older: older.map(({ digest }) => digest) });
  }

  async write(): Promise<void> {
    const [waiting, host] = [this.#waiting, this.#host];
    this.#waiting = [];
    for (const one of waiting) await host.transaction((tx) => renewDigest(tx, one));
  }
}

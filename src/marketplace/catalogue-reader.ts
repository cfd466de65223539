import { setImmediate as breathe } from 'node:timers/promises';
import type { Database } from '../db/database.ts';
import { pauseAfter } from '../jobs/index.ts';
import type { Log } from '../log.ts';
import type { HubCredentials, HubProblem, NetworkService } from '../network/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { CatalogueItem } from './catalogue-item.ts';
import {
  beginReading,
  claimReading,
  deleteOlder,
  findReading,
  insertPicture,
  missingPictures,
  noteReading,
  putItems,
} from './catalogue-repository.ts';
import { countTags } from './catalogue-search-repository.ts';
import { HubTrouble, type HubCatalogue } from './hub-catalogue.ts';

interface Deps {
  db: Database;
  clock: Clock;
  log: Log;
  network: Pick<NetworkService, 'credentials' | 'standing'>;
  catalogue: HubCatalogue;
}

const DAY_MS = 86_400_000;
const CALM = { everyMs: DAY_MS };
const TROUBLED = { firstMs: 60_000, longestMs: 6 * 3_600_000 };
/** Ten thousand plugins on a slow line, and a little. */
const CLAIM_MS = 15 * 60_000;
const MOST_PICTURES = 400;

/** Keeps the catalogue here as the hub has it. Nobody waits for it. */
export class CatalogueReader {
  readonly #deps: Deps;
  readonly #ending = new AbortController();
  #reading: Promise<void> = Promise.resolve();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Reads it if it is time to, after whatever is being read already. */
  refresh(): Promise<void> {
    const turn = this.#reading.then(() => (this.#isEnding() ? undefined : this.#readIfDue()));
    this.#reading = turn.catch((error: unknown) => {
      this.#deps.log.warn({ error }, 'The catalogue could not be read');
    });
    return turn;
  }

  /** Due at once, for somebody who asked. */
  async hurry(): Promise<void> {
    const { db, clock, network } = this.#deps;
    const hub = await network.credentials();
    if (!hub) return;
    await db.transaction(async (tx) => {
      await beginReading(tx, hub.hub, clock.now());
      await noteReading(tx, { nextAt: clock.now() });
    });
    this.refresh().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#reading;
  }

  #isEnding(): boolean {
    return this.#ending.signal.aborted;
  }

  async #readIfDue(): Promise<void> {
    const { db, clock, network } = this.#deps;
    const hub = await network.credentials();
    if (!hub || (await network.standing()).key.light !== 'valid') return;
    const now = clock.now();
    await db.transaction((tx) => beginReading(tx, hub.hub, now));
    if (!(await db.transaction((tx) => claimReading(tx, { now, until: now + CLAIM_MS })))) return;
    try {
      await this.#read(hub);
    } catch (error) {
      // What was broken off says nothing of the hub.
      if (this.#isEnding()) return;
      if (!(error instanceof HubTrouble)) throw error;
      await this.#noteTrouble(error.problem);
    }
  }

  async #read(hub: HubCredentials): Promise<void> {
    const { db, clock, catalogue } = this.#deps;
    const { signal } = this.#ending;
    const generation = ((await findReading(db))?.generation ?? 0) + 1;
    const offers = await catalogue.offers(hub, signal);
    const pictures: string[] = [];
    let total = 0;
    for await (const items of catalogue.pages(hub, signal)) {
      await db.transaction((tx) => putItems(tx, items, { generation }));
      total += items.length;
      if (pictures.length < MOST_PICTURES)
        pictures.push(...(await missingPictures(db, items.flatMap(picturesOf))));
      await breathe();
    }
    const now = clock.now();
    await db.transaction(async (tx) => {
      await deleteOlder(tx, generation);
      await countTags(tx);
      const well = { problem: null, failingSince: null, failures: 0 };
      const when = { readAt: now, triedAt: now, nextAt: now + CALM.everyMs };
      await noteReading(tx, { ...well, ...when, generation, total, offers });
    });
    await this.#fetchPictures(hub, pictures);
  }

  /** One by one: a picture that cannot be had is none. */
  async #fetchPictures(hub: HubCredentials, wanted: readonly string[]): Promise<void> {
    const { db, catalogue } = this.#deps;
    for (const sha256 of new Set(wanted.slice(0, MOST_PICTURES))) {
      const content = await catalogue.picture(hub, sha256, this.#ending.signal).catch(() => null);
      if (content) await db.transaction((tx) => insertPicture(tx, { sha256, content }));
    }
  }

  async #noteTrouble(problem: HubProblem): Promise<void> {
    const { db, clock } = this.#deps;
    const now = clock.now();
    const before = await findReading(db);
    const failures = (before?.failures ?? 0) + 1;
    const nextAt = now + pauseAfter(failures, TROUBLED);
    const failingSince = before?.failingSince ?? now;
    await db.transaction((tx) => noteReading(tx, { problem, failures, failingSince, triedAt: now, nextAt }));
  }
}

const picturesOf = ({ icon, screenshots }: CatalogueItem): string[] => [
  ...(icon ? [icon] : []),
  ...screenshots.map(({ sha256 }) => sha256),
];

import type { AuditService } from '../audit/index.ts';
import type { Database } from '../db/database.ts';
import { pauseAfter } from '../jobs/index.ts';
import type { Log } from '../log.ts';
import type { NetworkService } from '../network/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError } from '../shared/errors.ts';
import { findItem, putAverage } from './catalogue-repository.ts';
import { HubRefusal, HubTrouble, type HubCatalogue } from './hub-catalogue.ts';
import type { MarketplaceService } from './marketplace-service.ts';
import { findRating, listUntold, noteTelling, putRating, type Rating } from './rating-repository.ts';

interface Deps {
  db: Database;
  clock: Clock;
  log: Log;
  audit: Pick<AuditService, 'record'>;
  network: Pick<NetworkService, 'credentials' | 'standing'>;
  marketplace: Pick<MarketplaceService, 'find'>;
  catalogue: Pick<HubCatalogue, 'rate'>;
}

const TROUBLED = { firstMs: 60_000, longestMs: 6 * 3_600_000 };

/** What this house thinks of the plugins that it uses: kept here at once, told the hub when it can be reached. */
export class RatingService {
  readonly #deps: Deps;
  readonly #ending = new AbortController();
  #telling: Promise<void> = Promise.resolve();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async of(pluginId: string): Promise<Rating | null> {
    const { db, network } = this.#deps;
    const rating = await findRating(db, pluginId);
    return rating?.hub === (await network.standing()).hub.url ? rating : null;
  }

  /** Whoever uses a plugin may say so, and think otherwise later. */
  async rate(
    actor: Actor,
    pluginId: string,
    { stars, sentence }: Pick<Rating, 'stars' | 'sentence'>,
  ): Promise<void> {
    const { db, clock, audit, network, marketplace } = this.#deps;
    const { item, local } = (await marketplace.find(actor, pluginId)).offered;
    if (!local) throw new ConflictError('marketplace.rate-what-you-use');
    const now = clock.now();
    const { hub } = await network.standing();
    await db.transaction(async (tx) => {
      await putRating(tx, {
        pluginId: item.id,
        hub: hub.url,
        stars,
        sentence,
        saidBy: actor.name,
        saidAt: now,
        isTold: false,
        refusal: null,
        tries: 0,
        nextAt: now,
      });
      await audit.record(tx, actor, {
        action: 'marketplace.rated',
        subject: { type: 'plugin', id: item.id, label: item.id },
        after: { stars, sentence },
      });
    });
    this.tell().catch(() => undefined);
  }

  /** Tells the hub what it has not heard of; nobody waits. */
  tell(): Promise<void> {
    const turn = this.#telling.then(() => this.#tellAll());
    this.#telling = turn.catch((error: unknown) => {
      this.#deps.log.warn({ error }, 'Ratings could not be told');
    });
    return turn;
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#telling;
  }

  async #tellAll(): Promise<void> {
    const { db, clock, network } = this.#deps;
    const hub = await network.credentials();
    if (!hub) return;
    for (const rating of await listUntold(db, hub.hub, clock.now())) {
      try {
        const average = await this.#deps.catalogue.rate(hub, rating, this.#ending.signal);
        await db.transaction(async (tx) => {
          await noteTelling(tx, rating, { isTold: true });
          const item = await findItem(tx, rating.pluginId);
          if (item) await putAverage(tx, item, average);
        });
      } catch (error) {
        if (this.#ending.signal.aborted) return;
        await this.#noteFailure(rating, error);
      }
    }
  }

  async #noteFailure(rating: Rating, error: unknown): Promise<void> {
    const { db, clock } = this.#deps;
    if (!(error instanceof HubTrouble || error instanceof HubRefusal)) throw error;
    const tries = rating.tries + 1;
    const nextAt = clock.now() + pauseAfter(Math.min(tries, 20), TROUBLED);
    const change = error instanceof HubRefusal ? { refusal: error.message } : { tries, nextAt };
    await db.transaction((tx) => noteTelling(tx, rating, change));
  }
}

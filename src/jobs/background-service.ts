import type { AuditService } from '../audit/index.ts';
import type { Database } from '../db/database.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, ForbiddenError } from '../shared/errors.ts';
import type { Page, PageRequest } from '../shared/page.ts';
import { listHolds, type BackgroundHold } from './background-hold-repository.ts';
import { listTroubled, reviveDead, reviveDelivery, type QueueStats } from './delivery-care-repository.ts';
import type { Delivery } from './delivery.ts';
import type { EventDispatcher } from './event-dispatcher.ts';
import type { ListedJob, JobScheduler } from './job-scheduler.ts';

interface Deps {
  db: Database;
  clock: Clock;
  audit: Pick<AuditService, 'record'>;
  jobs: JobScheduler;
  dispatcher: EventDispatcher;
  /** Ends the hold after a restore, with all else that it stopped; false when nothing was held. */
  release: (actor: Actor) => Promise<boolean>;
}

export interface BackgroundOverview {
  holds: BackgroundHold[];
  queue: QueueStats;
  troubled: Page<Delivery>;
  jobs: ListedJob[];
}

/** What goes on behind the pages, and what of it needs a person. */
export class BackgroundService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async overview(actor: Actor, page: PageRequest): Promise<BackgroundOverview> {
    assertManages(actor);
    const { db, dispatcher, jobs } = this.#deps;
    return {
      holds: await listHolds(db),
      queue: await dispatcher.stats(),
      troubled: await listTroubled(db, page),
      jobs: await jobs.list(),
    };
  }

  /** Has a delivery that failed, or was given up, tried again now. */
  async retry(actor: Actor, key: { position: number; consumer: string }): Promise<void> {
    assertManages(actor);
    const { db, clock, audit } = this.#deps;
    await db.transaction(async (tx) => {
      const revived = await reviveDelivery(tx, { ...key, now: clock.now() });
      if (revived === 0) throw new ConflictError('background.not-retryable');
      const subject = { type: 'event', id: String(key.position), label: key.consumer };
      await audit.record(tx, actor, { action: 'event.retried', subject });
    });
  }

  /** Has all that was given up tried again, of one consumer or of all; says how many there were. */
  async retryAll(actor: Actor, consumer: string | null): Promise<number> {
    assertManages(actor);
    const { db, clock, audit } = this.#deps;
    return db.transaction(async (tx) => {
      const revived = await reviveDead(tx, { consumer, now: clock.now() });
      if (revived === 0) throw new ConflictError('background.nothing-given-up');
      const subject = { type: 'event', id: 'all', label: consumer ?? 'all' };
      await audit.record(tx, actor, { action: 'event.retried', subject, after: { count: revived } });
      return revived;
    });
  }

  async release(actor: Actor): Promise<void> {
    assertManages(actor);
    if (!(await this.#deps.release(actor))) throw new ConflictError('background.not-held');
  }
}

function assertManages(actor: Actor): void {
  if (!actor.can('background.manage')) throw new ForbiddenError('background.manage');
}

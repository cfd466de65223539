import { buffer } from 'node:stream/consumers';
import type { Database } from '../../db/database.ts';
import { pauseAfter } from '../../jobs/index.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../../shared/clock.ts';
import type { HubCredentials } from '../hub-client.ts';
import type { SupportLine } from './support-line.ts';
import type { SupportPost } from './support-post.ts';
import {
  changeMessage,
  changeRequest,
  claimMessage,
  findRequest,
  listFiles,
  listPending,
} from './support-repository.ts';
import { nextLook, type SupportFiles, type SupportMessage } from './support.ts';
import type { Outcome, Standing } from './support-wire.ts';

interface Deps {
  db: Database;
  clock: Clock;
  log: Log;
  line: SupportLine;
  post: SupportPost;
  files: Pick<SupportFiles, 'read'>;
  credentials: () => Promise<HubCredentials | null>;
}

const TROUBLED = { firstMs: 15_000, longestMs: 3_600_000 };
/** As long as sending may take, and a little. */
const CLAIM_MS = 90_000;

/** Brings what people ask to the vendor, each thing once however often it has to be sent, and fetches what comes back. */
export class SupportCourier {
  readonly #deps: Deps;
  readonly #ending = new AbortController();
  #round: Promise<void> = Promise.resolve();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** All that is due, after whatever is on its way already. */
  run(): Promise<void> {
    const turn = this.#round.then(() => this.#goRound());
    this.#round = turn.catch((error: unknown) => {
      this.#deps.log.warn({ error }, 'Support messages could not be carried');
    });
    return turn;
  }

  /** For somebody who has just written; nobody waits. */
  soon(): void {
    this.run().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#round;
  }

  async #goRound(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    const hub = await this.#deps.credentials();
    if (!hub) return;
    await this.#sendAll(hub);
    await this.#deps.post.fetch(hub, this.#ending.signal);
  }

  /** In the order in which it was written: nothing overtakes what has not arrived. */
  async #sendAll(hub: HubCredentials): Promise<void> {
    const { db, clock } = this.#deps;
    const stuck = new Set<string>();
    for (const message of await listPending(db, hub.hub)) {
      if (stuck.has(message.requestId) || this.#ending.signal.aborted) continue;
      const isDue = message.state !== 'refused' && message.nextAt <= clock.now();
      if (!isDue || !(await this.#send(hub, message))) stuck.add(message.requestId);
    }
  }

  /** Whether it has arrived. */
  async #send(hub: HubCredentials, message: SupportMessage): Promise<boolean> {
    const { db, clock, line, files } = this.#deps;
    const until = clock.now() + CLAIM_MS;
    if (!(await db.transaction((tx) => claimMessage(tx, message, { until })))) return false;
    const request = await findRequest(db, message.requestId);
    if (!request) return false;
    const packed = [];
    for (const { name, storageKey } of await listFiles(db, [message.id]))
      packed.push({ name, bytes: await buffer(await files.read(storageKey ?? '')) });
    const outcome = await line.send(hub, { request, message, files: packed }, this.#ending.signal);
    // What was broken off says nothing of the hub.
    if (this.#ending.signal.aborted) return false;
    await this.#note(message, outcome);
    return 'answer' in outcome;
  }

  async #note(message: SupportMessage, outcome: Outcome<Standing>): Promise<void> {
    const { db, clock } = this.#deps;
    const now = clock.now();
    await db.transaction(async (tx) => {
      if ('answer' in outcome) {
        const { reference, status } = outcome.answer;
        const lookAt = nextLook({ status, updatedAt: now }, now);
        await changeMessage(tx, message.id, { state: 'arrived', problem: null, detail: null });
        const known = { reference, status, isLost: false, updatedAt: now, lookAt };
        await changeRequest(tx, message.requestId, known);
      } else if ('refused' in outcome) {
        const { code, detail } = outcome.refused;
        await changeMessage(tx, message.id, { state: 'refused', problem: code, detail });
      } else {
        const { problem, isGone } = outcome;
        const nextAt = now + pauseAfter(Math.min(message.tries + 1, 20), TROUBLED);
        const state = isGone ? 'sent' : 'waiting';
        await changeMessage(tx, message.id, { state, problem, detail: null, nextAt });
      }
    });
  }
}

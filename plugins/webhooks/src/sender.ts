import { redactTokens, type Delivery as Told, type Host } from 'latchkey/plugin-api';
import { claim, findDelivery, findDue, insertDelivery, readContent, settle } from './delivery-repository.ts';
import type { Delivery, Endpoint } from './endpoint.ts';
import {
  clearFailing,
  findEndpoint,
  listEndpoints,
  markFailing,
  readSecret,
  switchOff,
} from './endpoint-repository.ts';
import { contentContext, contentOf, newDelivery, secretContext } from './message.ts';
import { pauseAfter } from './schedule.ts';
import { sign } from './signature.ts';

/** Longer than a call may take. */
const LEASE_MS = 60_000;
const TIMEOUT_MS = 15_000;
const AT_ONCE = 8;
const MOST_BYTES = 4 * 1024;
const LONGEST_ANSWER = 500;
const OFF_NOTICE = 'webhooks.off';
/** Whoever has not answered once in so long is not called any more. */
const PATIENCE_MS = 5 * 24 * 3_600_000;

type Outcome = Pick<Delivery, 'state' | 'dueAt' | 'status' | 'answer' | 'problem' | 'tookMs'>;

interface Tried {
  outcome: Outcome;
  /** It said that nobody will ever be here again. */
  isGone: boolean;
}

/** Takes events to whoever wants them: written down with the event, sent afterwards, tried again until it arrives or two days are over. */
export class Sender {
  readonly #host: Host;
  #round: Promise<void> | null = null;

  constructor(host: Host) {
    this.#host = host;
    host.notices.addKind({
      id: OFF_NOTICE,
      text: 'webhooks:notice.off',
      label: 'webhooks:notice-kind.off',
      icon: 'webhook',
      bell: true,
      mail: true,
    });
  }

  /** Something happened: one row for each endpoint that wants it, whatever happens to this process next. */
  async take(name: string, payload: unknown, told: Told): Promise<void> {
    const host = this.#host;
    const wanting = (await listEndpoints(host.db)).filter(
      ({ isOn, events }) => isOn && events.includes(name),
    );
    if (wanting.length === 0) return;
    const content = contentOf(name, { at: told.at, data: payload });
    await told.once(async (tx) => {
      for (const endpoint of wanting) {
        const delivery = newDelivery(endpoint.id, { id: told.eventId, name }, host.clock.now());
        await insertDelivery(tx, delivery, host.keys.seal(content, contentContext(delivery.id)));
      }
      tx.onCommit(() => {
        this.nudge();
      });
    });
  }

  nudge(): void {
    this.run().catch((error: unknown) => {
      this.#host.log.warn({ error }, 'Webhooks could not be sent now; they are sent later');
    });
  }

  /** Sends what is due, some at a time. One round at once in a process. */
  run(): Promise<void> {
    this.#round ??= this.#sendDue().finally(() => {
      this.#round = null;
    });
    return this.#round;
  }

  async sendNow(id: string): Promise<void> {
    const delivery = await findDelivery(this.#host.db, id);
    if (delivery !== null) await this.#send(delivery);
  }

  async #sendDue(): Promise<void> {
    const { db, clock, signal } = this.#host;
    while (!signal.aborted) {
      const due = await findDue(db, { now: clock.now(), limit: AT_ONCE });
      const sent = await Promise.all(due.map((delivery) => this.#send(delivery)));
      if (!sent.includes(true)) return;
    }
  }

  /** False when another process was faster. */
  async #send(delivery: Delivery): Promise<boolean> {
    const host = this.#host;
    const now = host.clock.now();
    const isMine = await host.transaction((tx) => claim(tx, delivery, { now, leaseMs: LEASE_MS }));
    if (!isMine) return false;
    const mine = { ...delivery, fence: delivery.fence + 1, attempts: delivery.attempts + 1 };
    const endpoint = await findEndpoint(host.db, mine.endpointId);
    if (endpoint === null) return true;
    await this.#settle(endpoint, mine, await this.#try(endpoint, mine));
    return true;
  }

  async #try(endpoint: Endpoint, delivery: Delivery): Promise<Tried> {
    const { db, keys, clock, outbound } = this.#host;
    const startedAt = performance.now();
    try {
      const [content, sealed] = [await readContent(db, delivery.id), await readSecret(db, endpoint.id)];
      if (content === null || sealed === null) throw new Error('There is nothing left to send');
      const body = keys.open(content, contentContext(delivery.id));
      const secret = keys.open(sealed, secretContext(endpoint.id));
      const headers = sign(secret, { id: `msg_${delivery.id}`, at: clock.now(), body });
      const answer = await outbound.send({
        url: endpoint.url,
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
        timeoutMs: TIMEOUT_MS,
        maxBytes: MOST_BYTES,
      });
      const facts = { status: answer.status, answer: fit(answer.text), tookMs: answer.tookMs };
      if (answer.status >= 200 && answer.status < 300)
        return {
          outcome: { ...facts, state: 'done', dueAt: clock.now(), problem: null },
          isGone: false,
        };
      const wait = this.#again(delivery, answer.headers['retry-after']);
      const isGone = answer.status === 410;
      return { outcome: { ...facts, ...(isGone ? this.#over() : wait), problem: null }, isGone };
    } catch (error) {
      const problem = fit(problemOf(error)).slice(0, 300);
      const tookMs = Math.round(performance.now() - startedAt);
      const outcome = { ...this.#again(delivery, undefined), status: null, answer: null, problem, tookMs };
      return { outcome, isGone: false };
    }
  }

  #again({ attempts }: Delivery, retryAfter: string | undefined): Pick<Outcome, 'state' | 'dueAt'> {
    const pause = pauseAfter(attempts, { retryAfter, chance: Math.random() });
    return pause === null ? this.#over() : { state: 'waiting', dueAt: this.#host.clock.now() + pause };
  }

  #over = (): Pick<Outcome, 'state' | 'dueAt'> => ({ state: 'dead', dueAt: this.#host.clock.now() });

  async #settle(endpoint: Endpoint, delivery: Delivery, { outcome, isGone }: Tried): Promise<void> {
    const host = this.#host;
    const now = host.clock.now();
    const since = endpoint.failingSince;
    const isHopeless = since !== null && now - since > PATIENCE_MS && outcome.state !== 'done';
    const reason = isGone ? 'gone' : isHopeless ? 'failing' : null;
    const caretakers = reason === null ? [] : await this.#caretakers();
    await host.transaction(async (tx) => {
      if (!(await settle(tx, delivery, outcome))) return;
      if (outcome.state === 'done') await clearFailing(tx, endpoint.id);
      else await markFailing(tx, endpoint.id, now);
      if (reason !== null && (await switchOff(tx, endpoint.id, reason, now)))
        await host.notices.notify(tx, {
          userIds: caretakers,
          kind: OFF_NOTICE,
          subject: { type: 'webhook', id: endpoint.id },
          link: `/admin/webhooks/${endpoint.id}`,
          params: { name: endpoint.name },
        });
    });
  }

  async #caretakers(): Promise<string[]> {
    const { memberships, users } = this.#host;
    const root = (await memberships.entities()).find(({ parentId }) => parentId === null);
    return (await users.withRight('webhooks.manage', root?.id ?? '')).map(({ id }) => id);
  }
}

const fit = (text: string): string => redactTokens(text).slice(0, LONGEST_ANSWER);

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return error.name === 'TimeoutError' ? 'No answer in time' : `${error.message}${cause}`;
}

import {
  digestOf,
  json,
  TooManyError,
  type Host,
  type Incoming,
  type Limit,
  type Reply,
} from 'latchkey/plugin-api';
import type { Asker } from './release.ts';
import type { Shown, SubscriptionService } from './subscription-service.ts';

/** Forty letters and digits, as GLPI makes them and we do. */
const uidForm = /^[0-9A-Za-z]{40}$/;

/** What another process has changed is seen this late at most; what this one writes counts at once. */
const VIEW_MS = 50;
const MOST_IN_VIEW = 1_000;

/** A key that is being shown, as it was judged a moment ago. */
interface InView {
  judged: Shown;
  /** Who has shown it and is noted already. */
  noted: Set<string>;
  /** How often this process had written when it was judged. */
  changes: number;
  /** By the clock on the wall, which says whether a subscription has ended, and by the one that only goes on. */
  at: { wall: number; steady: number };
}

/** Who asks, with which key, and how often. */
export class Gatekeeper {
  readonly #host: Host;
  readonly #subscriptions: SubscriptionService;
  /** By the digest of what was shown. A helpdesk asks dozens of times for one page of its own. */
  readonly #inView = new Map<string, InView>();

  constructor(host: Host, subscriptions: SubscriptionService) {
    this.#host = host;
    this.#subscriptions = subscriptions;
  }

  /** Too often is said in the words that GLPI's own hub has for it. */
  limited(
    limit: Limit,
    answer: (incoming: Incoming) => Promise<Reply>,
  ): (incoming: Incoming) => Promise<Reply> {
    return async (incoming) => {
      try {
        await this.#host.limits.count(limit, incoming.ip);
      } catch (error) {
        if (!(error instanceof TooManyError)) throw error;
        const headers = { 'Retry-After': String(error.retryAfter ?? limit.perSeconds) };
        return json({ message: 'Too Many Attempts.' }, { status: 429, headers });
      }
      return answer(incoming);
    };
  }

  /** Judges the key in the header, and notes who showed it. */
  async shown(incoming: Incoming): Promise<Shown> {
    const seen = await this.#judge(incoming.header('x-registration-key') ?? '');
    const { judged, noted } = seen;
    const { uid, program } = this.asker(incoming);
    const who = `${uid} ${program}`;
    if (judged.state === 'valid' && uid !== '' && !noted.has(who)) {
      const subscriptionId = judged.subscription.id;
      await this.#subscriptions.noteInstance(judged.keyId, { subscriptionId, uid, program });
      noted.add(who);
    }
    return judged;
  }

  async #judge(key: string): Promise<InView> {
    const digest = digestOf(key).toString('base64url');
    const { db, clock } = this.#host;
    const at = { wall: clock.now(), steady: performance.now() };
    const seen = this.#inView.get(digest);
    if (seen?.changes === db.changes && isSameMoment(seen.at, at)) return seen;
    const { changes } = db;
    const fresh = { judged: await this.#subscriptions.judge(key), noted: new Set<string>(), changes, at };
    if (this.#inView.size >= MOST_IN_VIEW) this.#inView.clear();
    this.#inView.set(digest, fresh);
    return fresh;
  }

  asker({ header, userAgent }: Pick<Incoming, 'header' | 'userAgent'>): Asker {
    const uid = header('x-glpi-network-uid') ?? '';
    return { uid: uidForm.test(uid) ? uid : '', program: printable(userAgent).slice(0, 80) };
  }
}

const isSameMoment = (one: InView['at'], other: InView['at']): boolean =>
  Math.abs(other.wall - one.wall) < VIEW_MS && other.steady - one.steady < VIEW_MS;

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '');

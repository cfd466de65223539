import {
  digestOf,
  InView,
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

/** A key that is being shown, as it was judged a moment ago. */
interface Judged {
  shown: Shown;
  /** Who has shown it and is noted already. */
  noted: Set<string>;
}

/** Who asks, with which key, and how often. */
export class Gatekeeper {
  readonly #host: Host;
  readonly #subscriptions: SubscriptionService;
  /** By the digest of what was shown. A helpdesk asks dozens of times for one page of its own. */
  readonly #judged: InView<Judged>;

  constructor(host: Host, subscriptions: SubscriptionService) {
    this.#host = host;
    this.#subscriptions = subscriptions;
    this.#judged = new InView(host);
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

  /** Judges the key in the header, and notes who showed it. The very same object for as long as it is as it was. */
  async shown(incoming: Incoming): Promise<Shown> {
    const key = incoming.header('x-registration-key') ?? '';
    const { shown, noted } = await this.#judged.find(digestOf(key).toString('latin1'), () =>
      this.#judge(key),
    );
    const { uid, program } = this.asker(incoming);
    const who = `${uid} ${program}`;
    if (shown.state === 'valid' && uid !== '' && !noted.has(who)) {
      const subscriptionId = shown.subscription.id;
      await this.#subscriptions.noteInstance(shown.keyId, { subscriptionId, uid, program });
      noted.add(who);
    }
    return shown;
  }

  async #judge(key: string): Promise<Judged> {
    return { shown: await this.#subscriptions.judge(key), noted: new Set() };
  }

  asker({ header, userAgent }: Pick<Incoming, 'header' | 'userAgent'>): Asker {
    const uid = header('x-glpi-network-uid') ?? '';
    return { uid: uidForm.test(uid) ? uid : '', program: printable(userAgent).slice(0, 80) };
  }
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '');

import { json, TooManyError, type Host, type Incoming, type Limit, type Reply } from 'latchkey/plugin-api';
import type { Asker } from './release.ts';
import type { Shown, SubscriptionService } from './subscription-service.ts';

/** Forty letters and digits, as GLPI makes them and we do. */
const uidForm = /^[0-9A-Za-z]{40}$/;

/** Who asks, with which key, and how often. */
export class Gatekeeper {
  readonly #host: Host;
  readonly #subscriptions: SubscriptionService;

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
    const judged = await this.#subscriptions.judge(incoming.header('x-registration-key') ?? '');
    const { uid, program } = this.asker(incoming);
    if (judged.state === 'valid' && uid !== '') {
      const subscriptionId = judged.subscription.id;
      await this.#subscriptions.noteInstance(judged.keyId, { subscriptionId, uid, program });
    }
    return judged;
  }

  asker({ header, userAgent }: Pick<Incoming, 'header' | 'userAgent'>): Asker {
    const uid = header('x-glpi-network-uid') ?? '';
    return { uid: uidForm.test(uid) ? uid : '', program: printable(userAgent).slice(0, 80) };
  }
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '');

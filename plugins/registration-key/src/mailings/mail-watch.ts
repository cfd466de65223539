import { setImmediate as breathe } from 'node:timers/promises';
import type { Host, MailProgress } from 'latchkey/plugin-api';
import { listWatched, noteDelivery, noteWatched, type Invitee } from './invitee-repository.ts';

const AT_ONCE = 50;
const MOST = 250;

/**
 * Brings what the mail server said to the people it is about. It is kept with them, so that lists can be filtered by it and it
 * outlives the mail queue.
 */
export class MailWatch {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** All that left since the last time, however many; answers how many of those it ended with are still on their way. */
  async follow(signal: AbortSignal): Promise<number> {
    for (;;) {
      const watched = await listWatched(this.#host.db, MOST);
      let waiting = 0;
      for (let from = 0; from < watched.length && !signal.aborted; from += AT_ONCE) {
        waiting += await this.#look(watched.slice(from, from + AT_ONCE));
        await breathe();
      }
      // Mails leave in their order: where none of these has gone, those behind them have not either.
      if (signal.aborted || watched.length < MOST || waiting === watched.length) return waiting;
    }
  }

  async #look(some: readonly Pick<Invitee, 'id' | 'mailId' | 'delivery' | 'reply'>[]): Promise<number> {
    const { mail, clock } = this.#host;
    const heard = await mail.deliveries(some.flatMap(({ mailId }) => (mailId === null ? [] : [mailId])));
    const now = clock.now();
    const news = some.map((invitee) => ({
      invitee,
      state: stateOf(invitee.mailId === null ? undefined : heard.get(invitee.mailId), now),
    }));
    const changed = news.filter(
      ({ invitee, state }) =>
        state.watchedAt === null || state.delivery !== invitee.delivery || state.reply !== invitee.reply,
    );
    // What only waits in the queue keeps its place: mails leave in the order they were written.
    const tried = news.filter((one) => !changed.includes(one) && one.state.delivery !== 'queued');
    await this.#host.transaction(async (tx) => {
      for (const { invitee, state } of changed) await noteDelivery(tx, invitee, state);
      await noteWatched(
        tx,
        tried.map(({ invitee }) => invitee.id),
        now,
      );
    });
    return news.filter(({ state }) => state.watchedAt !== null).length;
  }
}

/** A mail the house has forgotten says nothing any more. */
function stateOf(
  progress: MailProgress | undefined,
  now: number,
): Pick<Invitee, 'delivery' | 'reply' | 'leftAt' | 'watchedAt'> {
  if (progress === undefined) return { delivery: 'unknown', reply: null, leftAt: null, watchedAt: null };
  const { state, reply, problem, leftAt } = progress;
  const isOver = state === 'handed-over' || state === 'dead' || state === 'off';
  const said = reply ?? problem;
  return {
    delivery: state,
    reply: said === null ? null : said.slice(0, 500),
    leftAt,
    watchedAt: isOver ? null : now,
  };
}

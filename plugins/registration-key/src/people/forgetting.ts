import { setImmediate as breathe } from 'node:timers/promises';
import type { Delivery, Host } from 'latchkey/plugin-api';
import { normaliseAddress } from '../keys/address.ts';
import type { ProofBox } from '../seats/proofs.ts';
import {
  addressesJoined,
  addressesKept,
  forgetAddress,
  forgetAnswers,
  forgetRequests,
  requestsOf,
  seatsOf,
} from './forget-repository.ts';

interface Deps {
  host: Host;
  proofs: ProofBox;
}

type IsTheirs = (address: string) => boolean;

/**
 * After core has forgotten who somebody was: what this plugin knows of them goes too. Core no longer knows the address then, and seats
 * keep only its digest, so it is looked for among those whom their keys were mailed to, and then wherever an address was ever typed.
 */
export class Forgetting {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async forget(userId: string, delivery: Pick<Delivery, 'once'>): Promise<void> {
    const { host } = this.#deps;
    const seats = await seatsOf(host.db, userId);
    const isTheirs = this.#knows(seats.map(({ addressMac }) => addressMac));
    const address = seats.length === 0 ? null : await this.#addressOf(seats, isTheirs);
    const requests = seats.length === 0 ? [] : await requestsOf(host.db, isTheirs);
    await delivery.once(async (tx) => {
      await forgetAnswers(
        tx,
        userId,
        seats.map(({ id }) => id),
      );
      if (address !== null) await forgetAddress(tx, address);
      await forgetRequests(tx, requests, host.clock.now());
    });
  }

  /** In whatever spelling. */
  #knows(macs: readonly Buffer[]): IsTheirs {
    return (typed) => {
      const address = normaliseAddress(typed) ?? typed;
      return macs.some((mac) => this.#deps.proofs.isAddress(mac, address));
    };
  }

  async #addressOf(seats: readonly { keyId: string }[], isTheirs: IsTheirs): Promise<string | null> {
    const { db } = this.#deps.host;
    for (const { keyId } of seats) {
      const found = (await addressesJoined(db, keyId)).find(isTheirs);
      if (found !== undefined) return found;
    }
    for await (const some of addressesKept(db)) {
      const found = some.find(isTheirs);
      if (found !== undefined) return normaliseAddress(found);
      await breathe();
    }
    return null;
  }
}

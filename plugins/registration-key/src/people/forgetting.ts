import { setImmediate as breathe } from 'node:timers/promises';
import { sameBytes, type Delivery, type Host } from 'latchkey/plugin-api';
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

interface Forgotten {
  userId: string;
  /** As it was when they were forgotten. */
  emailNorm: string;
}

interface Seat {
  keyId: string;
  addressMac: Buffer;
}

/**
 * After core has forgotten who somebody was: what this plugin knows of them goes too, wherever their address was ever typed, whether they
 * joined by a key or not. Who changed their address since they joined had another one then; of that one seats keep only the digest, so it
 * is looked for among those whom their keys were mailed to, and then everywhere.
 */
export class Forgetting {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async forget({ userId, emailNorm }: Forgotten, delivery: Pick<Delivery, 'once'>): Promise<void> {
    const { host } = this.#deps;
    const seats = await seatsOf(host.db, userId);
    const addresses = new Set([emailNorm, ...(await this.#formerAddresses(seats, emailNorm))]);
    const requests = await requestsOf(host.db, (typed) => addresses.has(normaliseAddress(typed) ?? typed));
    await delivery.once(async (tx) => {
      await forgetAnswers(
        tx,
        userId,
        seats.map(({ id }) => id),
      );
      for (const address of addresses) await forgetAddress(tx, address);
      await forgetRequests(tx, requests, host.clock.now());
    });
  }

  /** With which they took seats that their address of today does not explain. */
  async #formerAddresses(seats: readonly Seat[], emailNorm: string): Promise<string[]> {
    const former = [];
    let unexplained = this.#without(seats, emailNorm);
    for await (const kept of this.#keptFor(unexplained))
      for (const address of kept) {
        const rest = this.#without(unexplained, address);
        if (rest.length === unexplained.length) continue;
        former.push(address);
        unexplained = rest;
        if (rest.length === 0) return former;
      }
    return former;
  }

  /** Where most are found comes first; nothing is read when nothing is wanted. */
  async *#keptFor(seats: readonly Seat[]): AsyncGenerator<string[]> {
    if (seats.length === 0) return;
    const { db } = this.#deps.host;
    for (const { keyId } of seats) yield (await addressesJoined(db, keyId)).map(normalised);
    for await (const some of addressesKept(db)) {
      yield some.map(normalised);
      await breathe();
    }
  }

  #without(seats: readonly Seat[], address: string): Seat[] {
    const macs = this.#deps.proofs.addresses(address);
    return seats.filter(({ addressMac }) => !macs.some((mac) => sameBytes(mac, addressMac)));
  }
}

const normalised = (typed: string): string => normaliseAddress(typed) ?? typed;

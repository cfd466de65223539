import type { Delivery, Host } from 'latchkey/plugin-api';
import type { ProofBox } from '../seats/proofs.ts';
import { addressesJoined, forgetAddress, forgetAnswers, seatsOf } from './forget-repository.ts';

interface Deps {
  host: Host;
  proofs: ProofBox;
}

/**
 * After core has forgotten who somebody was: what this plugin knows of them goes too. Core no longer knows the address then, and seats
 * keep only its digest, so it is looked for among those whom their keys were mailed to.
 */
export class Forgetting {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async forget(userId: string, delivery: Pick<Delivery, 'once'>): Promise<void> {
    const seats = await seatsOf(this.#deps.host.db, userId);
    const addresses = new Set<string>();
    for (const seat of seats) {
      const address = await this.#addressOf(seat);
      if (address !== null) addresses.add(address);
    }
    await delivery.once(async (tx) => {
      await forgetAnswers(
        tx,
        userId,
        seats.map(({ id }) => id),
      );
      for (const address of addresses)
        await forgetAddress(
          tx,
          address,
          seats.map(({ keyId }) => keyId),
        );
    });
  }

  async #addressOf({ keyId, addressMac }: { keyId: string; addressMac: Buffer }): Promise<string | null> {
    const { host, proofs } = this.#deps;
    for await (const emailNorm of addressesJoined(host.db, keyId))
      if (proofs.isAddress(addressMac, emailNorm)) return emailNorm;
    return null;
  }
}

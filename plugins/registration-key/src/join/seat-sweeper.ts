import { system, type Host } from 'latchkey/plugin-api';
import { deleteEnded, eraseDrafts } from '../seats/attempt-repository.ts';
import { findKey, giveBackSeat } from '../keys/key-repository.ts';
import { subjectOf } from '../keys/key-service.ts';
import type { Redemption } from '../seats/redemption.ts';
import { listLapsed, moveRedemption } from '../seats/redemption-repository.ts';
import { freeEntry } from '../roster/roster-repository.ts';
import { forgetStrays } from '../steps/step-repository.ts';

const AT_ONCE = 200;
/** What somebody agreed to who never joined. */
const STRAYS_MS = 30 * 86_400_000;

/** Gives back what was held and not taken. Any number of them may run at once: a seat comes back once. */
export class SeatSweeper {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Answers how many seats came back. */
  async sweep(signal: AbortSignal): Promise<number> {
    const { db, clock } = this.#host;
    let released = 0;
    for (const redemption of await listLapsed(db, clock.now(), AT_ONCE)) {
      if (signal.aborted) break;
      if (await this.release(redemption)) released += 1;
    }
    await this.#host.transaction(async (tx) => {
      await deleteEnded(tx, clock.now(), AT_ONCE);
      await forgetStrays(tx, clock.now() - STRAYS_MS, AT_ONCE);
    });
    return released;
  }

  /** One seat, in a transaction of its own; false when somebody else has moved it on. */
  async release({ id, keyId, seat }: Redemption, { reason = 'lapsed' } = {}): Promise<boolean> {
    const { db, clock, audit } = this.#host;
    const key = await findKey(db, keyId);
    return this.#host.transaction(async (tx) => {
      if (
        !(await moveRedemption(tx, id, 'pending_email', {
          status: 'released',
          settledAt: clock.now(),
          holdUntil: null,
        }))
      )
        return false;
      await giveBackSeat(tx, keyId);
      await freeEntry(tx, id);
      await eraseDrafts(tx, id);
      if (key)
        await audit.record(tx, system, {
          action: 'invitation-key.seat-returned',
          ...subjectOf(key),
          after: { seat, reason },
        });
      return true;
    });
  }
}

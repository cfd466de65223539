import { availableParallelism } from 'node:os';
import { TooManyError } from 'latchkey/plugin-api';
import { seatsLeft, type InvitationKey } from '../keys/invitation-key.ts';
import { Lanes } from './lanes.ts';

const MORE_THAN_SEATS = 100;
const MOST_WITHOUT_LIMIT = 500;
/** As many as are hashed at once, and a few whose rows are being read or written, so that the hashing never waits for a database. */
const FEW_AT_ONCE = availableParallelism() + 3;
/** The hashing keeps so many more ready. Not where seats are few: nobody's password need be hashed for a seat that will be gone. */
const MANY_AT_ONCE = FEW_AT_ONCE + 8;

/**
 * Where newcomers of one key wait in this process: first for their turn to be read and hashed, then, one by one, for the row of the
 * key. Without the second line three hundred people make thousands of retries; without the first they all hash for ten seats.
 */
export class SeatLine {
  readonly #turns = new Lanes();
  readonly #seats = new Lanes();

  /** Waits for a turn. A line much longer than the seats that are left helps nobody: 429, and the form is kept. */
  async turn<T>(key: InvitationKey, work: () => Promise<T>): Promise<T> {
    const free = seatsLeft(key);
    const longest = free === null ? MOST_WITHOUT_LIMIT : free + MORE_THAN_SEATS;
    if (this.#turns.lengthOf(key.id) >= longest)
      throw new TooManyError('invitation.long_line', { retryAfter: 10 });
    const atOnce = Math.max(FEW_AT_ONCE, Math.min(MANY_AT_ONCE, free ?? MANY_AT_ONCE));
    return this.#turns.run(key.id, atOnce, work);
  }

  /** Alone with the row of the key, as far as this process goes. */
  alone<T>(keyId: string, work: () => Promise<T>): Promise<T> {
    return this.#seats.run(keyId, 1, work);
  }
}

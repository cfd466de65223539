import { availableParallelism } from 'node:os';
import { TooManyError } from 'latchkey/plugin-api';
import { seatsLeft, type InvitationKey } from '../keys/invitation-key.ts';
import { Lanes } from './lanes.ts';

const MORE_THAN_SEATS = 100;
const MOST_WITHOUT_LIMIT = 500;
/** As many as hash at once, and two whose rows are being read or written, so that the hashing never waits for a database. */
const AT_ONCE = availableParallelism() + 11;

/**
 * Where newcomers of one key wait in this process: first for their turn to be read and hashed, then, one by one, for the row of the
 * key. Without the second line three hundred people make thousands of retries; without the first they all hash for ten seats.
 */
export class SeatLine {
  readonly #turns = new Lanes(AT_ONCE);
  readonly #seats = new Lanes(1);

  /** Waits for a turn. A line much longer than the seats that are left helps nobody: 429, and the form is kept. */
  async turn<T>(key: InvitationKey, work: () => Promise<T>): Promise<T> {
    const free = seatsLeft(key);
    const longest = free === null ? MOST_WITHOUT_LIMIT : free + MORE_THAN_SEATS;
    if (this.#turns.lengthOf(key.id) >= longest)
      throw new TooManyError('invitation.long_line', { retryAfter: 10 });
    return this.#turns.run(key.id, work);
  }

  /** Alone with the row of the key, as far as this process goes. */
  alone<T>(keyId: string, work: () => Promise<T>): Promise<T> {
    return this.#seats.run(keyId, work);
  }
}

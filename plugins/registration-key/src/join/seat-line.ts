import { availableParallelism } from 'node:os';
import { KnownError, TooManyError, type Host, type Tx } from 'latchkey/plugin-api';
import { seatsLeft, type InvitationKey } from '../keys/invitation-key.ts';
import { takeSeats } from '../keys/key-repository.ts';
import { Lanes } from './lanes.ts';

const MORE_THAN_SEATS = 100;
const MOST_WITHOUT_LIMIT = 500;
/** As many as are hashed at once, and a few whose rows are being read or written, so that the hashing never waits for a database. */
const FEW_AT_ONCE = availableParallelism() + 3;
/** So many are written in one transaction, when many come at once: see docs/decisions/0008. */
const PARTY = 6;
/** The first of them waits no longer than this for the last. */
const GATHER_MS = 100;
/** The hashing keeps so many more ready. Not where seats are few: nobody's password need be hashed for a seat that will be gone. */
const MANY_AT_ONCE = FEW_AT_ONCE + 8 + PARTY;

/** The key was right when it was judged, and its row says otherwise now. */
export class SeatMissed extends Error {}

/** What follows from a seat, in the transaction that takes it. It may run again from its beginning. */
type Write<T> = (tx: Tx, seat: { number: number; takenAt: number }) => Promise<T>;

interface Ready {
  key: InvitationKey;
  write: Write<void>;
  done: () => void;
  failed: (error: unknown) => void;
}

interface Waiting {
  ready: Ready[];
  /** Somebody waits for the party to be complete. */
  complete: (() => void) | null;
}

/**
 * Where newcomers of one key wait in this process: first for their turn to be read and hashed, then for the row of the key. Without
 * the second line three hundred people make thousands of retries; without the first they all hash for ten seats.
 */
export class SeatLine {
  readonly #host: Host;
  readonly #turns = new Lanes();
  readonly #seats = new Lanes();
  readonly #waiting = new Map<string, Waiting>();

  constructor(host: Host) {
    this.#host = host;
  }

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

  /**
   * A seat, and what follows from it. In a rush several are written together; what one of them fails by concerns no other.
   * @throws {SeatMissed} the key is no longer as it was judged
   */
  take<T>(key: InvitationKey, write: Write<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let outcome: { value: T } | null = null;
      const ready = {
        key,
        write: async (...seat: Parameters<Write<T>>) => {
          outcome = { value: await write(...seat) };
        },
        done: () => {
          if (outcome) resolve(outcome.value);
        },
        failed: reject,
      };
      const known = this.#waiting.get(key.id);
      if (!known) {
        this.#waiting.set(key.id, { ready: [ready], complete: null });
        void this.alone(key.id, () => this.#seatNext(key.id));
      } else if (known.ready.push(ready) >= PARTY) known.complete?.();
    });
  }

  /** Never fails: whoever is seated hears for themselves. */
  async #seatNext(keyId: string): Promise<void> {
    const waiting = this.#waiting.get(keyId);
    if (!waiting) return;
    await this.#gather(keyId, waiting);
    const [first] = waiting.ready;
    const together = waiting.ready.filter((one) => first && isSame(one.key, first.key));
    const party = together.slice(0, Math.max(1, Math.min(PARTY, freeFor(together))));
    waiting.ready = waiting.ready.filter((one) => !party.includes(one));
    if (waiting.ready.length === 0) this.#waiting.delete(keyId);
    else void this.alone(keyId, () => this.#seatNext(keyId));
    await this.#seat(party);
  }

  /** Only while others are on their way here, behind those who are ready. */
  async #gather(keyId: string, waiting: Waiting): Promise<void> {
    const isRush = (): boolean => this.#turns.lengthOf(keyId) >= waiting.ready.length + PARTY;
    if (waiting.ready.length >= PARTY || !isRush()) return;
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, GATHER_MS);
      waiting.complete = () => {
        clearTimeout(patience);
        resolve();
      };
    });
    waiting.complete = null;
  }

  /** All of them or none; then each alone, so that the right one hears what was wrong. */
  async #seat(party: readonly Ready[]): Promise<void> {
    try {
      await this.#host.transaction(async (tx) => {
        const [first] = party;
        if (!first) return;
        const takenAt = this.#host.clock.now();
        const last = await takeSeats(tx, first.key, party.length, takenAt);
        if (last === null) throw new SeatMissed();
        if (party.length > 1) tx.gather();
        for (const [at, { write }] of party.entries())
          await write(tx, { number: last - party.length + 1 + at, takenAt });
      });
      for (const { done } of party) done();
    } catch (error) {
      // A database that is too busy for six at once is too busy for one six times.
      if (party.length === 1 || isBusy(error)) for (const { failed } of party) failed(error);
      else for (const one of party) await this.#seat([one]);
    }
  }
}

const isBusy = (error: unknown): boolean => error instanceof KnownError && error.code === 'database.busy';

/** One guard can stand for both. */
const isSame = (one: InvitationKey, other: InvitationKey): boolean =>
  one.version === other.version && one.generation === other.generation && one.isMailed === other.isMailed;

/** By whoever has read the key last. */
const freeFor = (party: readonly Ready[]): number =>
  Math.min(...party.map(({ key }) => seatsLeft(key) ?? PARTY));

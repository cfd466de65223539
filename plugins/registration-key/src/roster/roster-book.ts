import {
  ConflictError,
  InvalidInputError,
  newId,
  type Host,
  type Limit,
  type PersonFacts,
  type Tx,
} from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { normaliseStaffNumber } from '../mailings/line-judge.ts';
import {
  addEntries,
  countEntries,
  findEntry,
  findEntryById,
  findRoster,
  insertRoster,
  resealEntry,
  takeEntry,
  type Roster,
  type RosterCounts,
  type RosterEntry,
} from './roster-repository.ts';

/** The question on the join form of a key whose list is one of numbers. */
export const NUMBER_FIELD = 'roster-number';

/** Who holds the link could otherwise ask for one name after the other. A class that mistypes stays below it. */
const NOT_LISTED: Limit = { name: 'not-listed', points: 40, perSeconds: 3600 };
const MOST_KEPT = 500;

export interface Claim {
  emailNorm: string;
  answers: Readonly<Record<string, string>>;
}

/** Takes somebody's place on the list, for this seat. */
export type TakePlace = (tx: Tx, redemptionId: string) => Promise<void>;

/** Knows for whom a key works, where it has a list. The list is kept as keyed digests: it can be asked, not read. */
export class RosterBook {
  readonly #host: Host;
  /** Whatever gives a key a list raises its version, so most keys are asked about once. */
  readonly #known = new Map<string, { version: number; roster: Roster | null }>();

  constructor(host: Host) {
    this.#host = host;
  }

  async of(key: Pick<InvitationKey, 'id' | 'version'>): Promise<Roster | null> {
    const known = this.#known.get(key.id);
    if (known?.version === key.version) return known.roster;
    const roster = await findRoster(this.#host.db, key.id);
    if (this.#known.size >= MOST_KEPT) this.#known.clear();
    this.#known.set(key.id, { version: key.version, roster });
    return roster;
  }

  /** For the key's own page; null for a key without a list. */
  async countsOf(key: Pick<InvitationKey, 'id' | 'version'>): Promise<RosterCounts | null> {
    return (await this.of(key)) === null ? null : countEntries(this.#host.db, key.id);
  }

  /** Asked before anything slow is done; who it is for is settled when the seat is taken. */
  async assertListed(key: InvitationKey, claim: Claim, network: string): Promise<void> {
    const roster = await this.of(key);
    if (roster === null) return;
    const { db, limits } = this.#host;
    await limits.check(NOT_LISTED, network);
    const value = claimedValue(roster, claim);
    const entry = value === null ? null : await findEntry(db, key.id, this.#macs(key.id, value));
    if (entry === null) {
      await limits.count(NOT_LISTED, network);
      throw notListed(roster);
    }
    // An address that is on its way again is found by its seat; a number belongs to whoever came first.
    if (roster.kind === 'number' && entry.redeemedAt !== null) throw taken(roster);
  }

  /** Whoever claims an address of the list proves it, even if the key was made laxer since. */
  async strict(key: InvitationKey): Promise<InvitationKey> {
    return (await this.of(key))?.kind === 'email' ? { ...key, emailProof: 'required' } : key;
  }

  /** Found outside the transaction, taken in the one that takes the seat. Nothing to do for a key without a list. */
  async claim(key: InvitationKey, claim: Claim): Promise<TakePlace> {
    const roster = await this.of(key);
    if (roster === null) return () => Promise.resolve();
    const value = claimedValue(roster, claim);
    return async (tx, redemptionId) => {
      const now = this.#host.clock.now();
      const isMine =
        value !== null &&
        (await takeEntry(tx, key.id, this.#host.keys.macs(PURPOSE, textOf(key.id, value)), {
          redemptionId,
          now,
        }));
      if (!isMine) throw taken(roster);
    };
  }

  /** For somebody who has an account. They say no number, so a list of numbers is not for them; an address must be theirs. */
  async claimOfAccount(
    key: InvitationKey,
    person: Pick<PersonFacts, 'emailNorm' | 'emailProven'>,
    network: string,
  ): Promise<TakePlace> {
    const roster = await this.of(key);
    if (roster?.kind === 'number') throw new ConflictError('invitation.roster_new_only');
    if (roster !== null && !person.emailProven) throw new ConflictError('invitation.prove_address_first');
    const claim = { emailNorm: person.emailNorm, answers: {} };
    await this.assertListed(key, claim, network);
    return this.claim(key, claim);
  }

  start(
    tx: Tx,
    key: Pick<InvitationKey, 'id'>,
    roster: Pick<Roster, 'kind' | 'keepsAddresses' | 'madeBy' | 'madeByName'>,
  ): Promise<void> {
    const now = this.#host.clock.now();
    return insertRoster(tx, { ...roster, keyId: key.id, stamp: newId(), createdAt: now, updatedAt: now });
  }

  /** Addresses or numbers, normalised. Answers how many were not on the list yet. */
  add(tx: Tx, roster: Pick<Roster, 'keyId' | 'keepsAddresses'>, values: readonly string[]): Promise<number> {
    const { clock, keys } = this.#host;
    const at = clock.now();
    return addEntries(
      tx,
      roster.keyId,
      values.map((value) => {
        const id = newId();
        return {
          id,
          keyId: roster.keyId,
          macs: keys.macs(PURPOSE, textOf(roster.keyId, value)),
          sealed: roster.keepsAddresses ? keys.seal(value, entryContext(id)) : null,
          at,
        };
      }),
    );
  }

  /** What an entry is about, where it was kept. */
  read({ id, sealed }: RosterEntry): string | null {
    return sealed === null ? null : this.#host.keys.open(sealed, entryContext(id));
  }

  /** After the keys of the house were changed, where the entry can be read. */
  async renew(entryId: string): Promise<boolean> {
    const { db, keys } = this.#host;
    const entry = await findEntryById(db, entryId);
    const value = entry && this.read(entry);
    if (!value) return false;
    const mac = keys.mac(PURPOSE, textOf(entry.keyId, value));
    const sealed = keys.seal(value, entryContext(entryId));
    return this.#host.transaction((tx) => resealEntry(tx, entryId, { mac, sealed }));
  }

  macsOf(keyId: string, value: string): Buffer[] {
    return this.#macs(keyId, value);
  }

  #macs(keyId: string, value: string): Buffer[] {
    return this.#host.keys.macs(PURPOSE, textOf(keyId, value)).map(({ digest }) => digest);
  }
}

const PURPOSE = 'invite-roster|1';
/** Two lists with the same person on them cannot be laid side by side. */
const textOf = (keyId: string, value: string): string => `${keyId}|${value}`;
export const entryContext = (entryId: string): string => `invite-roster|${entryId}`;

const claimedValue = ({ kind }: Roster, { emailNorm, answers }: Claim): string | null =>
  kind === 'email' ? emailNorm : normaliseStaffNumber(answers[NUMBER_FIELD] ?? '');

const fieldOf = ({ kind }: Roster): string => (kind === 'email' ? 'email' : `answer-${NUMBER_FIELD}`);

function notListed(roster: Roster): InvalidInputError {
  const code = roster.kind === 'email' ? 'invitation.not_listed' : 'invitation.number_not_listed';
  return new InvalidInputError(code, { fields: [{ field: fieldOf(roster), code }] });
}

function taken(roster: Roster): InvalidInputError {
  const code = roster.kind === 'email' ? 'invitation.listed_and_joined' : 'invitation.number_taken';
  return new InvalidInputError(code, { fields: [{ field: fieldOf(roster), code }] });
}

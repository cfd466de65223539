import {
  ConflictError,
  InvalidInputError,
  NotFoundError,
  type Actor,
  type Host,
  type Page,
  type PageRequest,
} from 'latchkey/plugin-api';
import { normaliseAddress } from '../keys/address.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { assertMayManage, assertMaySee, mayManage } from '../keys/key-policy.ts';
import { findKey } from '../keys/key-repository.ts';
import { subjectOf } from '../keys/key-service.ts';
import { normaliseStaffNumber } from '../mailings/line-judge.ts';
import type { RosterBook } from './roster-book.ts';
import {
  countEntries,
  listMissing,
  removeEntry,
  type Roster,
  type RosterCounts,
} from './roster-repository.ts';

export interface RosterFacts {
  key: InvitationKey;
  roster: Roster;
  counts: RosterCounts;
  mayManage: boolean;
}

interface Deps {
  host: Host;
  book: RosterBook;
}

/** The list a key is checked against, from the side of those who made it. */
export class RosterService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** How many have joined, are on their way, and are missing. */
  async get(actor: Actor, keyId: string): Promise<RosterFacts> {
    const { host, book } = this.#deps;
    const key = await findKey(host.db, keyId);
    assertMaySee(actor, key);
    const roster = await book.of(key);
    if (roster === null) throw new NotFoundError('roster.none');
    return { key, roster, counts: await countEntries(host.db, keyId), mayManage: mayManage(actor, key) };
  }

  /** Who has not joined yet, by name where the addresses were kept. Whoever may not manage the key learns how many only. */
  async missing(
    actor: Actor,
    keyId: string,
    page: PageRequest,
  ): Promise<Page<{ id: string; address: string }>> {
    const { host, book } = this.#deps;
    const { roster, mayManage: sees } = await this.get(actor, keyId);
    if (!sees || !roster.keepsAddresses) return { items: [], ...page, total: 0 };
    const found = await listMissing(host.db, keyId, page);
    return {
      ...found,
      items: found.items.map((entry) => ({ id: entry.id, address: book.read(entry) ?? '' })),
    };
  }

  /** Whether somebody is on the list, and off it they go: only while they have not joined. */
  async remove(actor: Actor, keyId: string, typed: string): Promise<void> {
    const { host, book } = this.#deps;
    const key = await findKey(host.db, keyId);
    assertMayManage(actor, key);
    const roster = await book.of(key);
    if (roster === null) throw new NotFoundError('roster.none');
    const value = roster.kind === 'email' ? normaliseAddress(typed) : normaliseStaffNumber(typed);
    if (value === null)
      throw new InvalidInputError('input.invalid', {
        fields: [{ field: 'who', code: 'roster.not_readable' }],
      });
    await host.transaction(async (tx) => {
      if (!(await removeEntry(tx, keyId, book.macsOf(keyId, value))))
        throw new ConflictError('roster.not_waiting');
      await host.audit.record(tx, actor, { action: 'invitation-key.unlisted', ...subjectOf(key) });
    });
  }
}

import type { Actor, Host, Page, PageRequest, PersonFacts } from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import type { KeyService } from '../keys/key-service.ts';
import { listRedemptions } from '../seats/redemption-repository.ts';
import type { Redemption, RedemptionStatus } from '../seats/redemption.ts';

export const peopleStatuses = [
  'all',
  'active',
  'pending_email',
  'pending_approval',
  'released',
  'declined',
] as const;

export interface PeopleFilter {
  status: (typeof peopleStatuses)[number];
  search: string;
}

export interface Redeemer {
  redemption: Redemption;
  person: PersonFacts | null;
}

interface Deps {
  host: Host;
  keys: KeyService;
}

const MOST_FOUND = 200;

/** Who took a seat of a key. */
export class RedeemedBy {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(
    actor: Actor,
    keyId: string,
    { status, search }: PeopleFilter,
    page: PageRequest,
  ): Promise<{ key: InvitationKey; found: Page<Redeemer> }> {
    const { host, keys } = this.#deps;
    const key = await keys.get(actor, keyId);
    const statuses: RedemptionStatus[] = status === 'all' ? [] : [status];
    const found = await listRedemptions(
      host.db,
      {
        keyId: key.id,
        ...(statuses.length > 0 ? { statuses } : {}),
        ...(search === '' ? {} : { userIds: await host.users.search(actor, search, MOST_FOUND) }),
      },
      page,
    );
    const people = await host.users.named(found.items.flatMap(({ userId }) => userId ?? []));
    return {
      key,
      found: {
        ...found,
        items: found.items.map((redemption) => ({
          redemption,
          person: people.get(redemption.userId ?? '') ?? null,
        })),
      },
    };
  }

  /** Everybody, page by page, for a spreadsheet. */
  async *all(actor: Actor, keyId: string, filter: PeopleFilter): AsyncGenerator<Redeemer[]> {
    const perPage = 500;
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const { found } = await this.list(actor, keyId, filter, { page, perPage });
      yield found.items;
      if (found.items.length < perPage) return;
    }
  }
}

const MOST_PAGES = 200;

import type { Ground } from './compose-ground.ts';
import { CORE_OWNER } from './http/route-table.ts';
import { entityMayRemove, groupMayRemove } from './identity/index.ts';
import { system } from './shared/actor.ts';
import type { TicketServices } from './tickets/index.ts';

type Filter = Parameters<TicketServices['lists']['list']>[1];

const every: Filter = {
  q: '',
  status: 'all',
  assignee: '',
  category: '',
  entity: '',
  priority: null,
  requester: '',
  from: '',
  to: '',
  sort: 'number',
  descending: false,
};

/** What tickets point at is not taken from under them; identity, two doors down, cannot ask tickets itself. */
export function guardWhatTicketsNeed(
  { hooks }: Pick<Ground, 'hooks'>,
  { tickets }: { tickets: TicketServices },
): void {
  const isAny = async (filter: Partial<Filter>): Promise<boolean> =>
    (await tickets.lists.list(system, { ...every, ...filter }, { page: 1, perPage: 1 })).total > 0;
  hooks.onVeto(CORE_OWNER, entityMayRemove, async ({ entityId }) =>
    (await isAny({ entity: entityId })) ? { code: 'entity.in-use' } : null,
  );
  hooks.onVeto(CORE_OWNER, groupMayRemove, async ({ groupId }) =>
    (await isAny({ assignee: groupId })) ? { code: 'group.in-use' } : null,
  );
}

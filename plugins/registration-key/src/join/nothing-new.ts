import type { Host, PersonFacts } from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import type { RosterBook } from '../roster/roster-book.ts';
import { misfitOf } from '../seats/refusal.ts';
import { questionsOf } from './join-presenter.ts';

interface Deps {
  host: Host;
  rosters: Pick<RosterBook, 'of'>;
}

/**
 * Whether a key that is for somebody adds nothing to their account, so that no place is taken. A key that asks its people something, or
 * ticks them off a list, still wants to hear from them.
 */
export async function addsNothing(
  { host, rosters }: Deps,
  key: InvitationKey,
  person: Pick<PersonFacts, 'id' | 'emailNorm' | 'locale'>,
): Promise<boolean> {
  if (misfitOf(key, person.emailNorm) !== null) return false;
  if (key.ticketId !== null || !(await host.memberships.holds(person.id, key))) return false;
  if ((await newGroups(host, key.groupIds, person.id)).length > 0) return false;
  if ((await questionsOf(host, key, person.locale)).length > 0) return false;
  return (await rosters.of(key)) === null;
}

/** What it would add: the place with its groups, or to whoever is there already the groups alone. */
export async function giftsOf(
  host: Host,
  key: InvitationKey,
  userId: string,
  organisation: string,
): Promise<{ gift: string; groups: string[] }> {
  const groups = await newGroups(host, key.groupIds, userId);
  if (groups.length > 0 && (await host.memberships.holds(userId, key)))
    return { gift: groups.join(', '), groups: [] };
  const entities = await host.memberships.entities();
  return { gift: entities.find(({ id }) => id === key.entityId)?.path ?? organisation, groups };
}

/** By name; groups that are gone add nothing. */
async function newGroups(
  { memberships }: Pick<Host, 'memberships'>,
  groupIds: readonly string[],
  userId: string,
): Promise<string[]> {
  if (groupIds.length === 0) return [];
  const own = new Set((await memberships.groupsOf(userId)).map(({ id }) => id));
  const all = await memberships.groups();
  return all.filter(({ id }) => groupIds.includes(id) && !own.has(id)).map(({ name }) => name);
}

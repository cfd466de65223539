import {
  ConflictError,
  ForbiddenError,
  newId,
  NotFoundError,
  type Actor,
  type Queryable,
} from 'latchkey/plugin-api';
import { standingOf, type InvitationKey } from '../keys/invitation-key.ts';
import { mayManage } from '../keys/key-policy.ts';
import { findKey } from '../keys/key-repository.ts';
import { noTerms, type Round } from './round.ts';
import { findRound } from './round-repository.ts';

export interface SeenRound {
  round: Round;
  /** The key everybody gets, where it is one. */
  key: InvitationKey | null;
}

/** A round one may not see does not exist. */
export async function seeRound(db: Queryable, actor: Actor, id: string): Promise<SeenRound> {
  const round = await findRound(db, id);
  if (round === null || !actor.can('registration-key.read', round.entityId))
    throw new NotFoundError('round.not_found');
  return { round, key: round.keyId === null ? null : await findKey(db, round.keyId) };
}

/** With a key of its own a round is part of managing that key, without one part of making keys. */
export const mayChangeRound = (actor: Actor, { round, key }: SeenRound): boolean =>
  key === null ? actor.can('registration-key.mint', round.entityId) : mayManage(actor, key);

export function assertMayChangeRound(actor: Actor, seen: SeenRound): void {
  if (!mayChangeRound(actor, seen)) throw new ForbiddenError('round.may_not_change');
}

export function isOpenFor(key: InvitationKey, now: number): boolean {
  const standing = standingOf(key, now);
  return standing === 'active' || standing === 'scheduled' || standing === 'outside-hours';
}

/** Nobody is sent a link that opens nothing. */
export function assertOpenFor(key: InvitationKey, now: number): void {
  if (!isOpenFor(key, now)) throw new ConflictError('invitation.not_open');
}

export const newRound = (
  actor: Actor,
  now: number,
  facts: Partial<Round> & Pick<Round, 'entityId' | 'keyId' | 'kind'>,
): Round => ({
  id: newId(),
  state: 'draft',
  label: '',
  source: '',
  format: 'addresses',
  unmappedGroups: [],
  message: '',
  locale: null,
  terms: noTerms,
  ownerId: actor.userId,
  ownerName: actor.name,
  onceSlot: null,
  createdAt: now,
  startedAt: null,
  finishedAt: null,
  leaseUntil: 0,
  fence: 0,
  ...facts,
});

import { ForbiddenError, NotFoundError, type Actor } from 'latchkey/plugin-api';
import type { InvitationKey } from './invitation-key.ts';

/** A key one may not see does not exist: the same answer as for an id that was never given out. */
export function assertMaySee(actor: Actor, key: InvitationKey | null): asserts key is InvitationKey {
  if (key === null || !(isOwn(actor, key) || actor.can('registration-key.read', key.entityId)))
    throw new NotFoundError('invitation.not_found');
}

export function assertMayMint(actor: Actor, entityId: string): void {
  if (!actor.can('registration-key.mint', entityId)) throw new ForbiddenError('invitation.may_not_mint');
}

export function assertMayManage(actor: Actor, key: InvitationKey | null): asserts key is InvitationKey {
  assertMaySee(actor, key);
  if (!mayManage(actor, key)) throw new ForbiddenError('invitation.may_not_manage');
}

export function assertMayReveal(actor: Actor, key: InvitationKey | null): asserts key is InvitationKey {
  assertMaySee(actor, key);
  if (!mayReveal(actor, key)) throw new ForbiddenError('invitation.may_not_reveal');
}

/** Its owner closes, pauses and replaces what they made within their quota; other terms are an administrator's. */
export function assertMayEdit(actor: Actor, key: InvitationKey): void {
  if (!mayEdit(actor, key)) throw new ForbiddenError('invitation.may_not_manage');
}

export const mayManage = (actor: Actor, key: InvitationKey): boolean =>
  mayEdit(actor, key) || isOwn(actor, key);

export const mayEdit = (actor: Actor, key: InvitationKey): boolean =>
  actor.can('registration-key.manage', key.entityId);

export const mayReveal = (actor: Actor, key: InvitationKey): boolean =>
  isOwn(actor, key) || actor.can('registration-key.reveal', key.entityId);

/** Made within a quota by this very person. */
const isOwn = (actor: Actor, key: InvitationKey): boolean =>
  key.byMember && actor.userId !== null && key.ownerId === actor.userId;

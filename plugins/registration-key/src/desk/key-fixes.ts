import { InvalidInputError, type Actor } from 'latchkey/plugin-api';
import { standingOf, type InvitationKey, type Standing } from '../keys/invitation-key.ts';
import type { KeyService } from '../keys/key-service.ts';
import { DAY_MS } from '../keys/key-terms.ts';

/** What lets a refused person in, and is one button. */
export const fixes = ['extend-day', 'one-more', 'resume', 'restore', 'open-now', 'any-hour'] as const;
export type Fix = (typeof fixes)[number];

const byStanding: Partial<Record<Standing, Fix>> = {
  expired: 'extend-day',
  'used-up': 'one-more',
  paused: 'resume',
  revoked: 'restore',
  scheduled: 'open-now',
  'outside-hours': 'any-hour',
};

/** What stands in the way now, and not what stood there when somebody was refused. */
export const fixFor = (key: InvitationKey, now: number): Fix | null =>
  isTakenByWhomItIsFor(key, now) ? null : (byStanding[standingOf(key, now)] ?? null);

/** For one address, which has used it: a second place would be for the same one. */
export const isTakenByWhomItIsFor = (key: InvitationKey, now: number): boolean =>
  key.email !== null && standingOf(key, now) === 'used-up';

/** Mends what keeps people out, by the same use cases, rights and records as the pages that do it at length. */
export async function applyFix(
  keys: KeyService,
  actor: Actor,
  { key, fix, now }: { key: InvitationKey; fix: Fix; now: number },
): Promise<void> {
  if (fixFor(key, now) !== fix) throw new InvalidInputError('invitation.fix_no_more');
  const { id, version } = key;
  switch (fix) {
    case 'resume':
      await keys.resume(actor, id);
      return;
    case 'restore':
      await keys.restore(actor, id);
      return;
    case 'extend-day':
      await keys.edit(actor, id, version, { expiresAt: now + DAY_MS });
      return;
    case 'one-more':
      await keys.edit(actor, id, version, { maxUses: key.uses + 1 });
      return;
    case 'open-now':
      await keys.edit(actor, id, version, { notBefore: null });
      return;
    case 'any-hour':
      await keys.edit(actor, id, version, { hours: null });
  }
}

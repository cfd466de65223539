import type { Host } from 'latchkey/plugin-api';
import type { Happening } from '../guard/evidence.ts';
import { whoDid } from '../guard/guard-presenter.ts';
import {
  seatsLeft,
  standingOf,
  type InvitationKey,
  type KeyTerms,
  type Standing,
} from '../keys/invitation-key.ts';
import { DAY_MS } from '../keys/key-terms.ts';
import { regionOf, sentenceOf, type Clause } from '../keys/key-sentence.ts';
import type { Places } from '../keys/places.ts';
import type { Said } from '../carries/said-on-the-way.ts';
import type { Redemption } from '../seats/redemption.ts';
import type { SeatCounts } from '../seats/redemption-repository.ts';

const pills: Record<Standing, { tone: string; icon: string }> = {
  active: { tone: 'success', icon: 'circle-check' },
  scheduled: { tone: 'info', icon: 'calendar' },
  paused: { tone: 'warning', icon: 'pause' },
  expired: { tone: 'quiet', icon: 'clock' },
  'used-up': { tone: 'quiet', icon: 'users' },
  revoked: { tone: 'danger', icon: 'ban' },
  'needs-approval': { tone: 'warning', icon: 'user-check' },
  'outside-hours': { tone: 'info', icon: 'clock' },
  deleted: { tone: 'quiet', icon: 'trash' },
};

type Names = Awaited<ReturnType<Places['names']>>;

/** A key as a list shows it. */
export const presentRow = (key: InvitationKey, names: Names, now: number): object => ({
  id: key.id,
  label: key.label,
  hint: key.hint,
  isPerson: key.email !== null,
  email: key.email,
  pill: pillOf(key, now),
  uses: key.uses,
  maxUses: key.maxUses,
  left: seatsLeft(key),
  expiresAt: key.expiresAt,
  notBefore: key.notBefore,
  profile: names.profile(key.profileId),
  entity: names.entity(key.entityId),
  owner: key.ownerName,
});

export function pillOf(key: InvitationKey, now: number): { standing: Standing; tone: string; icon: string } {
  const standing = standingOf(key, now);
  return { standing, ...pills[standing] };
}

export async function presentSentence(
  host: Host,
  places: Places,
  terms: KeyTerms,
  locale: string,
): Promise<Clause[]> {
  const names = await places.names();
  const { timeZone } = await host.site();
  return sentenceOf(terms, {
    profile: names.profile(terms.profileId),
    entity: names.entity(terms.entityId),
    groups: terms.groupIds.map((id) => names.group(id)).filter((name) => name !== ''),
    locale,
    timeZone,
  });
}

export interface DetailFacts {
  key: InvitationKey;
  counts: SeatCounts;
  people: Redemption[];
  said: ReadonlyMap<number, Said>;
  names: ReadonlyMap<string, { name: string; email: string }>;
  history: Happening[];
  mailings: object[];
  joins: number[];
  now: number;
  timeZone: string;
  locale: string;
}

/** Everything about one key but its secret. */
export function presentDetail(facts: DetailFacts): object {
  const { key, counts, now } = facts;
  return {
    key: {
      id: key.id,
      label: key.label,
      hint: key.hint,
      note: key.note,
      weak: key.weak,
      hasCopy: key.hasCopy,
      isPaused: key.pausedAt !== null,
      pausedReason: key.pausedReason,
      createdAt: key.createdAt,
      owner: key.ownerName,
      lastUsedAt: key.lastUsedAt,
      landing: key.landing,
      // Only a list makes many keys that are each for one address.
      others:
        key.batchId === null
          ? ''
          : `/invitation-keys/${key.email === null ? 'batches' : 'rounds'}/${key.batchId}`,
      version: key.version,
      isUnused: key.uses === 0 && facts.people.length === 0,
    },
    pill: pillOf(key, now),
    seats: {
      joined: counts.active,
      pending: counts.pending_email + counts.pending_approval,
      total: key.maxUses,
      free: seatsLeft(key),
    },
    people: facts.people.map((redemption) => ({
      ...presentRedemption(redemption, facts.names),
      ...facts.said.get(redemption.seat),
    })),
    history: facts.history.map((record) => ({
      at: record.at,
      actor: whoDid(record),
      text: `registration-key:history.${record.kind}`,
      detail: detailOf(record),
      skipped: skippedGroups(record),
    })),
    mailings: facts.mailings,
    chart: joinsPerDay(facts.joins, facts),
  };
}

const presentRedemption = (
  redemption: Redemption,
  names: ReadonlyMap<string, { name: string; email: string }>,
): object => {
  const person = redemption.userId === null ? undefined : names.get(redemption.userId);
  return {
    seat: redemption.seat,
    status: redemption.status,
    tone: {
      active: 'success',
      pending_email: 'info',
      pending_approval: 'warning',
      released: 'quiet',
      declined: 'danger',
    }[redemption.status],
    name: person?.name ?? '',
    email: person?.email ?? '',
    userId: person ? redemption.userId : null,
    at: redemption.settledAt ?? redemption.at,
    isExisting: redemption.how === 'existing',
  };
};

/** Groups that could not be given to somebody who joined. */
function skippedGroups({ after }: Happening): number {
  const skipped = after?.['skippedGroupIds'];
  return Array.isArray(skipped) ? skipped.length : 0;
}

/** A refusal's reason, who it was mailed to, what changed: in a few words, and never a secret, which is not in there. */
function detailOf({ before, after }: Happening): string {
  const named = ['reason', 'to', 'name', 'seat', 'copy']
    .map((field) => after?.[field])
    .filter((value) => value !== undefined && value !== null);
  if (named.length > 0) return named.map(String).join(', ');
  const changed = Object.keys({ ...before, ...after });
  return before === null ? '' : changed.join(', ');
}

const CHART_DAYS = 30;

function joinsPerDay(
  joins: readonly number[],
  { now, timeZone, locale }: { now: number; timeZone: string; locale: string },
): { label: string; value: number }[] {
  const dayOf = (at: number): string =>
    new Intl.DateTimeFormat(regionOf(locale), { day: 'numeric', month: 'short', timeZone }).format(at);
  const days = new Map<string, number>();
  for (let back = CHART_DAYS - 1; back >= 0; back -= 1) days.set(dayOf(now - back * DAY_MS), 0);
  for (const at of joins) {
    const day = dayOf(at);
    if (days.has(day)) days.set(day, (days.get(day) ?? 0) + 1);
  }
  return [...days].map(([label, value]) => ({ label, value }));
}

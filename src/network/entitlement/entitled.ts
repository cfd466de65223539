import type { Entitlement } from './entitlement-document.ts';

const DAY_MS = 86_400_000;
/** Longest life of a paper, whatever it says. */
const LONGEST_MS = 35 * DAY_MS;
const UPDATES_WHEN_STALE_MS = 14 * DAY_MS;
const SLACK_MS = DAY_MS;
const REVOKED_AFTER_MS = DAY_MS;

export type EntitledState =
  | 'none'
  | 'not-yet'
  | 'entitled'
  /** The paper is too old: nothing was heard of the hub for long. */
  | 'stale'
  | 'ended'
  | 'revoked';

/** What may be done with plugins of an offer. What is installed runs, whatever this says (T2.2, 1). */
export interface Entitled {
  state: EntitledState;
  offer: string | null;
  mayInstall: boolean;
  mayUpdate: boolean;
  trials: Readonly<Record<string, number>>;
}

interface Times {
  /** Time as it does not go back (ruling 39). */
  now: number;
  /** What the clock of the machine shows. */
  clock: number;
  /** When a signed revocation was first seen. */
  revokedSince: number | null;
}

export const nothing: Entitled = {
  state: 'none',
  offer: null,
  mayInstall: false,
  mayUpdate: false,
  trials: {},
};

/** Pure: a document and the time, and what follows from them. A clock that jumps never gives more, and never takes what runs. */
export function entitledNow(document: Entitlement | null, { now, clock, revokedSince }: Times): Entitled {
  if (document === null) return nothing;
  const { offer, licence_until: licenceUntil } = document;
  const paperUntil = Math.min(document.doc_until, document.hub_time + LONGEST_MS);
  const trials = Object.fromEntries(
    Object.entries(document.trials).filter(([, until]) => now < until && now < paperUntil),
  );
  const as = (state: EntitledState, mayInstall: boolean, mayUpdate: boolean): Entitled => ({
    state,
    offer,
    mayInstall,
    mayUpdate,
    trials: state === 'entitled' ? trials : {},
  });
  if (document.state === 'revoked') {
    const isSure = revokedSince !== null && now - revokedSince >= REVOKED_AFTER_MS;
    return as(isSure ? 'revoked' : 'ended', false, false);
  }
  if (document.state === 'ended' || (licenceUntil !== null && now >= licenceUntil))
    return as('ended', false, false);
  if (clock + SLACK_MS < document.not_before) return as('not-yet', false, false);
  if (now >= paperUntil) return as('stale', false, now < paperUntil + UPDATES_WHEN_STALE_MS);
  return as('entitled', true, true);
}

/** Whether this offer, or a trial, covers a plugin that asks for one of `required`. */
export const covers = (
  { state, offer, trials, mayInstall }: Entitled,
  { id, required }: { id: string; required: readonly string[] },
): boolean =>
  required.length === 0 ||
  (mayInstall && required.includes(offer ?? '')) ||
  (state === 'entitled' && Object.hasOwn(trials, id));

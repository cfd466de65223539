import type { Entitlement } from './entitlement-document.ts';

const DAY_MS = 86_400_000;
/** Longest life of a paper, whatever it says. */
const LONGEST_MS = 35 * DAY_MS;
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
  /** With those that it includes. */
  offers: readonly string[];
  /** Plugins that the offer covers may be brought in and up to date. */
  mayInstall: boolean;
  /** Those that are being tried, and until when. */
  trials: Readonly<Record<string, number>>;
  /** Those that were tried. */
  triedBefore: readonly string[];
}

interface Times {
  /** Time as it does not go back (ruling 39). */
  now: number;
  /** What the clock of the machine shows. */
  clock: number;
  /** The hub's time in the first signed revocation. */
  revokedSince: number | null;
}

export const nothing: Entitled = {
  state: 'none',
  offer: null,
  offers: [],
  mayInstall: false,
  trials: {},
  triedBefore: [],
};

/** Pure: a document and the time, and what follows from them. A clock that jumps never gives more, and never takes what runs. */
export function entitledNow(document: Entitlement | null, { now, clock, revokedSince }: Times): Entitled {
  if (document === null) return nothing;
  const { offer, includes, licence_until: licenceUntil } = document;
  const paperUntil = Math.min(document.doc_until, document.hub_time + LONGEST_MS);
  const trials = Object.fromEntries(
    Object.entries(document.trials).filter(([, until]) => now < until && now < paperUntil),
  );
  const as = (state: EntitledState): Entitled => ({
    state,
    offer,
    offers: [offer, ...includes],
    mayInstall: state === 'entitled',
    trials: state === 'entitled' ? trials : {},
    triedBefore: Object.keys(document.trials).filter((plugin) => !Object.hasOwn(trials, plugin)),
  });
  if (document.state === 'revoked') {
    // Said twice, a day apart: time that passes while nobody answers does not make it surer.
    const isSure = revokedSince !== null && document.hub_time - revokedSince >= REVOKED_AFTER_MS;
    return as(isSure ? 'revoked' : 'ended');
  }
  if (document.state === 'ended' || (licenceUntil !== null && now >= licenceUntil)) return as('ended');
  if (clock + SLACK_MS < document.not_before) return as('not-yet');
  return as(now >= paperUntil ? 'stale' : 'entitled');
}

/** Whether this offer, or a trial, covers a plugin that asks for one of `required`. */
export const covers = (
  { state, offers, trials, mayInstall }: Entitled,
  { id, required }: { id: string; required: readonly string[] },
): boolean =>
  required.length === 0 ||
  (mayInstall && required.some((one) => offers.includes(one))) ||
  (state === 'entitled' && Object.hasOwn(trials, id));

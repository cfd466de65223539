import type { HubAnswer } from './hub-answer.ts';
import type { HubProblem } from './hub-problem.ts';

/** The key's own light: what it is, as far as we know. */
export type KeyLight =
  | 'none'
  /** It is there, sealed, and does not open. */
  | 'unreadable'
  /** It was given for another hub, and is not shown to this one. */
  | 'other-hub'
  | 'unconfirmed'
  | 'refused'
  /** Valid, and the subscription behind it does not run. */
  | 'ended'
  | 'valid';

/** The hub's own light, whatever is true of the key. */
export type HubLight = 'none' | 'unknown' | 'reachable' | 'failing';

/** What the last checks of one key at one hub came to. */
export interface CheckRecord {
  nextAt: number;
  checkedAt: number | null;
  failures: number;
  failingSince: number | null;
  problem: HubProblem | null;
  answer: HubAnswer | null;
  answeredAt: number | null;
}

/** All that the page, the command line and the gates go by; none of it was asked for just now. */
export interface NetworkStatus {
  hub: {
    url: string;
    isGiven: boolean;
    light: HubLight;
    /** On this very machine: null where that is nothing to ask about. */
    neighbour: 'asked' | 'allowed' | null;
  };
  key: {
    light: KeyLight;
    mark: string | null;
    isGiven: boolean;
    savedAt: number | null;
    /** Why there is none to show the hub, by the ids that page, command line and API share. */
    problem: string | null;
  };
  check: CheckRecord | null;
  uid: string;
}

export const lightOfAnswer = (answer: HubAnswer | null): KeyLight => {
  if (answer === null) return 'unconfirmed';
  if (!answer.isValid) return 'refused';
  return answer.subscription?.isRunning === true ? 'valid' : 'ended';
};

export const lightOfHub = (url: string, check: CheckRecord | null): HubLight => {
  if (url === '') return 'none';
  if (check === null || check.checkedAt === null) return 'unknown';
  return check.problem === null ? 'reachable' : 'failing';
};

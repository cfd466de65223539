import type { Latencies } from '../hooks/index.ts';

/** How long each route, hook, slot and event of a plugin took, by kind and name. */
export type Pace = ReadonlyMap<string, Latencies>;

/** What has come since; jobs are left out, since they take as long as there is to do. */
export const paceSince = (now: Pace, earlier?: Pace): Pace =>
  new Map(
    [...now]
      .filter(([what]) => !what.startsWith('job '))
      .map(([what, latencies]) => [what, latencies.since(earlier?.get(what))]),
  );

/** How a plugin has done here since this version of it began. */
export interface Doing {
  version: string;
  calls: number;
  faults: number;
  pace: Pace;
  /** Of the version before, on this server. */
  paceBefore: Pace;
  /** Why it does not run as it should. */
  problem: string | null;
}

const FAULTS_TO_RETURN = 3;
/** Of all calls. */
const FAULTY_SHARE = 0.05;

/**
 * What is compared of two versions: the usual call, and the slow one in twenty, which takes more of them to be known. The new one
 * is clearly slower when it takes twice as long and so much longer that somebody could notice.
 */
const comparisons = [
  { share: 0.5, samples: 20, noticedMs: 10 },
  { share: 0.95, samples: 100, noticedMs: 50 },
] as const;
const SLOWER_TIMES = 2;

/** Why the version on trial is worse than the one before; null while nothing speaks against it. */
export const problemWith = (doing: Doing): string | null =>
  doing.problem ?? faultsOf(doing) ?? slownessOf(doing);

/** One fault may be anybody's; a pattern is its own. */
function faultsOf({ calls, faults }: Doing): string | null {
  const isBad = faults >= FAULTS_TO_RETURN && faults > calls * FAULTY_SHARE;
  return isBad ? `It failed ${String(faults)} of ${String(calls)} times` : null;
}

function slownessOf({ pace, paceBefore }: Doing): string | null {
  for (const [what, now] of pace) {
    const before = paceBefore.get(what);
    const words = before && slowerIn(now, before);
    if (words) return `${what} ${words}`;
  }
  return null;
}

function slowerIn(now: Latencies, before: Latencies): string | null {
  for (const { share, samples, noticedMs } of comparisons) {
    if (Math.min(now.total, before.total) < samples) continue;
    const [takes, took] = [now.quantile(share), before.quantile(share)];
    if (takes > took * SLOWER_TIMES && takes > took + noticedMs)
      return `takes ${inMs(takes)} where the version before took ${inMs(took)} (${String(share * 100)} % of ${String(now.total)} calls)`;
  }
  return null;
}

const inMs = (ms: number): string => `${ms < 10 ? ms.toFixed(1) : String(Math.round(ms))} ms`;

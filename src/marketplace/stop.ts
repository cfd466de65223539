import { withdrawalOf, type HouseRules } from '../network/index.ts';
import type { PluginFacts } from '../plugin-host/index.ts';

export const causes = ['withdrawn', 'warned', 'trial'] as const;
/** Withdrawn by the hub it came from; the same said of what came another way; or a trial that is over. */
export type StopCause = (typeof causes)[number];

/** A plugin that is not to run, or of which one should know something, until that changes or somebody decides otherwise. */
export interface Stop {
  pluginId: string;
  version: string;
  cause: StopCause;
  reason: string;
  stoppedAt: number;
  allowedAt: number | null;
  allowedBy: string | null;
  allowedBecause: string | null;
}

/** A plugin that came on trial; one that was ever paid for is never suspended again. */
export interface Trial {
  pluginId: string;
  endsAt: number;
  entitledAt: number | null;
}

type Installed = Pick<PluginFacts, 'id' | 'version' | 'chosen' | 'releases'>;
interface Known {
  /** Null while the hub's rules cannot be read: then what was stopped stays so. */
  rules: HouseRules | null;
  trials: ReadonlyMap<string, Trial>;
  stops: ReadonlyMap<string, Stop>;
  now: number;
}

/** What there is against the version that is here; null when nothing. */
export function causeAgainst(
  plugin: Installed,
  { rules, trials, stops, now }: Known,
): Pick<Stop, 'version' | 'cause' | 'reason'> | null {
  const version = versionOf(plugin);
  const before = stops.get(plugin.id);
  if (rules === null && before?.version === version && before.cause !== 'trial') return before;
  const reason = rules && withdrawalOf(rules, plugin.id, version);
  if (reason !== null) return { version, cause: isFromHub(plugin) ? 'withdrawn' : 'warned', reason };
  const trial = trials.get(plugin.id);
  const isOver = trial !== undefined && trial.entitledAt === null && now >= trial.endsAt;
  return isOver && isFromHub(plugin) ? { version, cause: 'trial', reason: '' } : null;
}

export const isStopping = ({ cause, allowedAt }: Stop): boolean => cause !== 'warned' && allowedAt === null;

const versionOf = ({ chosen, version }: Pick<Installed, 'chosen' | 'version'>): string => chosen ?? version;

/** A hub stops what came from it, and only warns of what did not. */
const isFromHub = ({ chosen, releases }: Installed): boolean =>
  releases.some(({ version, trust }) => version === chosen && trust === 'vouched');

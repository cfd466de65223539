import type { Hooks } from '../hooks/index.ts';
import type { Activation } from './activation.ts';
import { textOf, type FoundPlugin } from './discovery.ts';
import { dependentsOf, requirementsOf } from './load-order.ts';
import type { Manifest } from './manifest.ts';
import { failed, OFF, type Outcome } from './outcome.ts';
import type { PluginNode, PluginState } from './plugin-repository.ts';
import type { Release } from './release-repository.ts';

/** How a plugin has done at one hook. */
export interface Listening {
  hook: string;
  calls: number;
  faults: number;
  averageMs: number | null;
  isResting: boolean;
}

/** A page, a place or a job of a plugin that went wrong. */
interface Failing {
  name: string;
  calls: number;
  faults: number;
}

const OWN_WORK: ReadonlySet<string> = new Set(['route', 'slot', 'job']);

/** A plugin as the administrator sees it. */
export interface PluginFacts extends Outcome {
  id: string;
  name: string;
  description: string;
  version: string;
  isBundled: boolean;
  desired: PluginState['desired'];
  changedAt: number;
  changedBy: string;
  manifest: Manifest | null;
  nodes: PluginNode[];
  /** What lies on disk and is loaded at the next start. */
  waitingVersion: string | null;
  /** Templates of ours that it would draw, had ours not changed since it was made. */
  drifted: readonly string[];
  /** What it costs, hook by hook, since this process started. */
  listens: Listening[];
  failing: Failing[];
  /** Titles of the rights it adds, also while it does not run. */
  rightTitles: string[];
  /** Plugins that would be disabled with it. */
  dependents: string[];
  /** Plugins that would be enabled with it. */
  requirements: string[];
  /** Its packages, oldest first, where it was installed from one. */
  releases: ReleaseFacts[];
  /** Until when its newest version is watched, on which node, and how many have it for good already. */
  watched: { on: string; until: number; done: number } | null;
  /** The plugin it was disabled with, and comes back with. */
  disabledWith: string | null;
  /** Plugins that come back with it. */
  returning: string[];
  /** The package in use everywhere, and the one that was before it. */
  chosen: string | null;
  previous: string | null;
}

type ReleaseFacts = Pick<
  Release,
  'version' | 'size' | 'addedAt' | 'addedBy' | 'trust' | 'signedBy' | 'wentWrong'
> & { madeFor: string };

/** All that this node knows of one plugin. */
interface Known {
  found: FoundPlugin;
  state: PluginState;
  outcome: Outcome | undefined;
  runs: Activation | undefined;
  nodes: readonly PluginNode[];
  releases: readonly Release[];
  listens: Listening[];
  failing: Failing[];
}

/** Of all others, what matters to one. */
interface Others {
  manifests: readonly Manifest[];
  running: ReadonlySet<string>;
  states: Iterable<PluginState>;
}

export function factsOf(
  { found, state, outcome, runs, nodes, releases, listens, failing }: Known,
  { manifests, running, states }: Others,
  locale: string,
): PluginFacts {
  const { id, manifest, isBundled } = found;
  const { desired, changedAt, changedBy, disabledWith, chosen, previous } = state;
  // Tried and kept, and put to use by nobody yet: nothing of it has to be here.
  const isMissing = manifest === null && (chosen !== null || releases.length === 0);
  const became = isMissing ? failed('manifest', found.problem ?? '') : (outcome ?? OFF);
  return {
    id,
    isBundled,
    manifest,
    drifted: runs?.drifted ?? [],
    name: manifest ? textOf(found, manifest.name, locale) : id,
    description: manifest ? textOf(found, manifest.description, locale) : '',
    version: runs?.manifest.version ?? manifest?.version ?? '',
    desired,
    changedAt,
    changedBy,
    state: became.state,
    step: became.step,
    error: became.error,
    waitingVersion: waitingIn(found, state, runs),
    nodes: nodes.filter(({ pluginId }) => pluginId === id),
    listens,
    failing,
    rightTitles: manifest?.rights.map((right) => textOf(found, `t:rights.${right.id}`, locale)) ?? [],
    dependents: dependentsOf(id, manifests).filter((other) => running.has(other)),
    requirements: requirementsOf(id, manifests).filter((other) => !running.has(other)),
    releases: releases.filter(({ pluginId }) => pluginId === id).map(releaseFacts),
    watched: watchIn(state),
    disabledWith,
    returning: [...states].filter((one) => one.disabledWith === id).map((one) => one.id),
    chosen,
    previous,
  };
}

type Accounts = Pick<Hooks, 'catalogue' | 'costs'>;

interface Work {
  listens: Listening[];
  failing: Failing[];
}

/** How each has done since this process started: where it listens, and of its own. The accounts of all are made up once. */
export function workIn(hooks: Accounts): (id: string) => Work {
  const [costs, catalogue] = [hooks.costs(), hooks.catalogue()];
  return (id) => {
    const lines = costs.filter(({ owner }) => owner === id);
    return { listens: listeningOf(catalogue, id, lines), failing: failingIn(lines) };
  };
}

const listeningOf = (
  catalogue: ReturnType<Hooks['catalogue']>,
  id: string,
  lines: ReturnType<Hooks['costs']>,
): Listening[] =>
  catalogue.flatMap(({ name, kind, listeners }) =>
    listeners
      .filter(({ owner }) => owner === id)
      .map(({ calls, faults, averageMs, breaker }) => {
        // Events are told by the dispatcher, which keeps its own account of them.
        const told = kind === 'event' && lines.find((line) => line.kind === 'event' && line.name === name);
        const counted = told || { calls, faults, averageMs };
        return {
          hook: name,
          calls: counted.calls,
          faults: counted.faults,
          averageMs: counted.averageMs,
          isResting: breaker !== 'closed',
        };
      }),
  );

const failingIn = (lines: ReturnType<Hooks['costs']>): Failing[] =>
  lines
    .filter(({ kind, faults }) => faults > 0 && OWN_WORK.has(kind))
    .map(({ name, calls, faults }) => ({ name, calls, faults }));

function waitingIn(
  { manifest }: FoundPlugin,
  { chosen }: PluginState,
  runs: Activation | undefined,
): string | null {
  const isOther = manifest !== null && runs !== undefined && runs.manifest.version !== manifest.version;
  return isOther && chosen === null ? manifest.version : null;
}

const watchIn = ({ watchedOn, watchedUntil, rolledTo }: PluginState): PluginFacts['watched'] =>
  watchedOn === null ? null : { on: watchedOn, until: watchedUntil ?? 0, done: rolledTo?.length ?? 0 };

const releaseFacts = ({
  version,
  size,
  addedAt,
  addedBy,
  trust,
  signedBy,
  wentWrong,
  manifest,
}: Release): ReleaseFacts => ({
  version,
  size,
  addedAt,
  addedBy,
  trust,
  signedBy,
  wentWrong,
  madeFor: manifest.engines.latchkey,
});

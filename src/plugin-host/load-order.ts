import semver from 'semver';
import type { Manifest } from './manifest.ts';

/** Why a plugin cannot run beside the others; also an i18n key `plugins.problem.<code>`. */
export interface OrderProblem {
  code: 'missing' | 'version' | 'conflict' | 'circle' | 'engine';
  /** The other plugin, or what is needed. */
  other: string;
  wanted: string;
}

export interface Plan {
  /** Each after what it depends on. */
  order: Manifest[];
  problems: Map<string, OrderProblem>;
}

/** Who starts after whom. Whoever cannot start takes with it those who require it, and nobody else. */
export function planOrder(wanted: readonly Manifest[], latchkeyVersion: string): Plan {
  const problems = new Map<string, OrderProblem>();
  let possible = [...wanted].sort((one, other) => one.id.localeCompare(other.id));
  for (let before = -1; before !== possible.length;) {
    before = possible.length;
    const byId = new Map(possible.map((manifest) => [manifest.id, manifest]));
    possible = possible.filter((manifest) => {
      const problem = problemOf(manifest, byId, latchkeyVersion);
      if (problem) problems.set(manifest.id, problem);
      return !problem;
    });
  }
  return { order: sorted(possible, problems), problems };
}

function problemOf(
  manifest: Manifest,
  byId: Map<string, Manifest>,
  latchkeyVersion: string,
): OrderProblem | null {
  const { requires, optional, conflicts } = manifest.dependencies;
  if (!fits(latchkeyVersion, manifest.engines.latchkey)) {
    return { code: 'engine', other: 'latchkey', wanted: manifest.engines.latchkey };
  }
  for (const [other, wanted] of Object.entries(requires)) {
    const found = byId.get(other);
    if (!found) return { code: 'missing', other, wanted };
    if (!fits(found.version, wanted)) return { code: 'version', other, wanted };
  }
  for (const [other, wanted] of Object.entries(optional)) {
    const found = byId.get(other);
    if (found && !fits(found.version, wanted)) return { code: 'version', other, wanted };
  }
  for (const [other, wanted] of Object.entries(conflicts)) {
    const found = byId.get(other);
    if (found && fits(found.version, wanted)) return { code: 'conflict', other, wanted };
  }
  return null;
}

const fits = (version: string, range: string): boolean =>
  semver.satisfies(version, range, { includePrerelease: true });

function sorted(possible: readonly Manifest[], problems: Map<string, OrderProblem>): Manifest[] {
  const order: Manifest[] = [];
  let waiting = [...possible];
  while (waiting.length > 0) {
    const ids = new Set(waiting.map(({ id }) => id));
    const ready = waiting.filter((manifest) => !needs(manifest).some((id) => ids.has(id)));
    if (ready.length === 0) {
      for (const { id } of waiting)
        problems.set(id, { code: 'circle', other: [...ids].join(', '), wanted: '' });
      return order;
    }
    order.push(...ready);
    waiting = waiting.filter((manifest) => !ready.includes(manifest));
  }
  return order;
}

const needs = ({ dependencies }: Manifest): string[] => [
  ...Object.keys(dependencies.requires),
  ...Object.keys(dependencies.optional),
];

/** All that `id` cannot do without, near and far. */
export const requirementsOf = (id: string, all: readonly Manifest[]): string[] =>
  reach(id, (at) => Object.keys(all.find((manifest) => manifest.id === at)?.dependencies.requires ?? {}));

/** All that cannot do without `id`, near and far. */
export const dependentsOf = (id: string, all: readonly Manifest[]): string[] =>
  reach(id, (at) =>
    all.filter(({ dependencies }) => at in dependencies.requires).map((manifest) => manifest.id),
  );

function reach(from: string, next: (id: string) => string[]): string[] {
  const seen = new Set([from]);
  for (const id of seen) for (const other of next(id)) seen.add(other);
  seen.delete(from);
  return [...seen];
}

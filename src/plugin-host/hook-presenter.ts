import type { CatalogueEntry, CostLine } from '../hooks/index.ts';
import { CORE_OWNER } from '../http/route-table.ts';
import { formatDistance, presentStep } from '../views/index.ts';
import type { KeptTrace } from './hook-trace-repository.ts';
import type { MemoryLog } from './memory-log.ts';

interface Tab {
  path: string;
  key: string;
  icon: string;
  active: boolean;
}

type Place = 'plugins' | 'discover' | 'hooks' | 'costs' | 'traces';

/** The pages about plugins, beside each other. */
export const tabsAt = (place: Place): Tab[] =>
  (
    [
      ['plugins', '/admin/plugins', 'puzzle'],
      ['discover', '/admin/marketplace', 'sparkles'],
      ['hooks', '/admin/hooks', 'plug-connected'],
      ['costs', '/admin/hooks/costs', 'gauge'],
      ['traces', '/admin/hooks/traces', 'git-merge'],
    ] as const
  ).map(([name, path, icon]) => ({ path, icon, key: `plugins:tab.${name}`, active: name === place }));

const SHOWN_OWNERS = 10;

export function presentHooks(entries: readonly CatalogueEntry[]): object {
  const kinds = ['filter', 'veto', 'event', 'contribution'] as const;
  return {
    tabs: tabsAt('hooks'),
    total: entries.length,
    groups: kinds
      .map((kind) => ({
        key: `plugins:hook.kind.${kind}`,
        hooks: entries.filter((entry) => entry.kind === kind).map(rowOf),
      }))
      .filter(({ hooks }) => hooks.length > 0),
  };
}

const rowOf = (entry: CatalogueEntry): object => ({
  ...entry,
  path: `/admin/hooks/${entry.name}`,
  isClosed: entry.failure === 'closed',
  owners: entry.listeners.map(({ owner }) => owner),
});

export const presentHook = (entry: CatalogueEntry): object => ({
  ...rowOf(entry),
  kindKey: `plugins:hook.kind.${entry.kind ?? 'event'}`,
  listeners: entry.listeners.map((listener, at) => ({
    ...listener,
    place: at + 1,
    average: listener.averageMs === null ? null : milliseconds(listener.averageMs),
    slowest: milliseconds(listener.slowestMs),
    isSlow: listener.averageMs !== null && listener.averageMs > (entry.budgetMs ?? Infinity),
    isResting: listener.breaker !== 'closed',
  })),
});

/** Dearest first: who, and then where. What is ours nobody can switch off. */
export function presentCosts(lines: readonly CostLine[]): object {
  const asked = lines.filter(({ owner, calls }) => owner !== CORE_OWNER && calls > 0);
  const totals = new Map<string, number>();
  for (const { owner, totalMs } of asked) totals.set(owner, (totals.get(owner) ?? 0) + totalMs);
  const owners = [...totals].sort(([, one], [, other]) => other - one).slice(0, SHOWN_OWNERS);
  return {
    tabs: tabsAt('costs'),
    chart: owners.map(([label, value]) => ({ label, value: milliseconds(value) })),
    lines: asked.map((line) => ({
      ...line,
      kindKey: `plugins:hook.kind.${line.kind}`,
      average: milliseconds(line.averageMs),
      slowest: milliseconds(line.slowestMs),
      total: milliseconds(line.totalMs),
    })),
  };
}

const A_LINE = 2;

/** What this server held, in stretches, and what grew since plugins came. */
export function presentMemory(
  memory: Pick<MemoryLog, 'stretches' | 'growths'>,
  { locale, now }: { locale: string; now: number },
): object {
  const stretches = memory.stretches();
  return {
    memory: {
      // One stretch is no line yet.
      chart:
        stretches.length < A_LINE
          ? []
          : stretches.map(({ at, megabytes }) => ({
              label: formatDistance(at, { locale, now }),
              value: Math.round(megabytes),
            })),
      now: Math.round(stretches.at(-1)?.megabytes ?? 0),
      growths: memory.growths().map((growth) => ({
        ...growth,
        before: Math.round(growth.before),
        more: Math.round(growth.now - growth.before),
      })),
    },
  };
}

export const presentTraces = (traces: readonly KeptTrace[]): { tabs: Tab[]; traces: object[] } => ({
  tabs: tabsAt('traces'),
  traces: traces.map((trace) => ({
    ...trace,
    url: `/admin/hooks/traces/${trace.id}`,
    asked: trace.steps.length,
    changed: trace.steps.filter(({ changes }) => changes.length > 0).length,
  })),
});

export const presentTrace = (trace: KeptTrace): object => ({
  ...trace,
  steps: trace.steps.map((step) => presentStep(step)),
});

const milliseconds = (value: number): number =>
  value >= 100 ? Math.round(value) : Math.round(value * 100) / 100;

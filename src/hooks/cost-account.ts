import type { CatalogueEntry } from './hook-catalogue.ts';
import { Latencies } from './latencies.ts';

/** Where plugins run besides filters and vetoes. */
export type ChargedKind = 'event' | 'slot' | 'route' | 'job' | 'service';

export interface Charge {
  owner: string;
  kind: ChargedKind;
  /** Of the event, the slot, the route, the job or the service. */
  name: string;
  tookMs: number;
  isFault: boolean;
}

/** What one owner costs in one place, since this process started. */
export interface CostLine {
  owner: string;
  kind: ChargedKind | NonNullable<CatalogueEntry['kind']>;
  name: string;
  calls: number;
  faults: number;
  averageMs: number;
  slowestMs: number;
  totalMs: number;
}

/** Each of these takes a good deal longer than reading the clock twice, so every one is timed. */
export class CostAccount {
  readonly #lines = new Map<string, CostLine>();
  readonly #latencies = new Map<string, Latencies>();

  charge({ owner, kind, name, tookMs, isFault }: Charge): void {
    const key = `${owner} ${kind} ${name}`;
    const line = this.#lines.get(key) ?? newLine(owner, kind, name);
    this.#lines.set(key, line);
    line.calls += 1;
    line.faults += isFault ? 1 : 0;
    line.totalMs += tookMs;
    line.averageMs = line.totalMs / line.calls;
    line.slowestMs = Math.max(line.slowestMs, tookMs);
    const latencies = this.#latencies.get(key) ?? new Latencies();
    this.#latencies.set(key, latencies);
    latencies.add(tookMs);
  }

  /** By kind and name. */
  latenciesOf(owner: string): [string, Latencies][] {
    const prefix = `${owner} `;
    return [...this.#latencies]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, latencies]) => [key.slice(prefix.length), latencies]);
  }

  lines(): CostLine[] {
    return [...this.#lines.values()].map((line) => ({ ...line }));
  }
}

const newLine = (owner: string, kind: ChargedKind, name: string): CostLine => ({
  owner,
  kind,
  name,
  calls: 0,
  faults: 0,
  averageMs: 0,
  slowestMs: 0,
  totalMs: 0,
});

/** What is sampled of the listeners of a hook, in the same shape. */
export const linesOf = ({ name, kind, listeners }: CatalogueEntry): CostLine[] =>
  kind === null || kind === 'event'
    ? []
    : listeners.map(({ owner, calls, faults, averageMs, slowestMs, estimatedMs }) => ({
        owner,
        kind,
        name,
        calls,
        faults,
        averageMs: averageMs ?? 0,
        slowestMs,
        totalMs: estimatedMs,
      }));

import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestMeter } from './request-log.ts';

const PLUGIN_LABELS = ['owner', 'kind', 'name'] as const;
type PluginLabel = (typeof PLUGIN_LABELS)[number];

/** Numbers for Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export class Metrics implements RequestMeter {
  readonly #registry = new Registry();
  readonly #requests: Histogram;

  constructor() {
    collectDefaultMetrics({ register: this.#registry, prefix: 'latchkey_' });
    this.#requests = new Histogram({
      name: 'latchkey_http_request_seconds',
      help: 'How long requests took, by route pattern.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
      registers: [this.#registry],
    });
  }

  observe({
    method,
    route,
    status,
    seconds,
  }: {
    method: string;
    route: string;
    status: number;
    seconds: number;
  }): void {
    this.#requests.observe({ method, route, status: String(status) }, seconds);
  }

  /** A number that is read when somebody asks; NaN when it cannot be read, so that the others are still told. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name: `latchkey_${name}`,
      help,
      registers: [this.#registry],
      async collect() {
        this.set(
          await Promise.resolve()
            .then(read)
            .catch(() => NaN),
        );
      },
    });
  }

  /** Several numbers under one name, read when somebody asks. */
  series(
    name: string,
    help: string,
    read: () => { labels: Record<PluginLabel, string>; value: number }[],
  ): void {
    new Gauge({
      name: `latchkey_${name}`,
      help,
      labelNames: PLUGIN_LABELS,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.set(labels, value);
      },
    });
  }

  async text(): Promise<{ text: string; mediaType: string }> {
    return { text: await this.#registry.metrics(), mediaType: this.#registry.contentType };
  }
}

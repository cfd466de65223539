import type { RequestHandler, Response } from 'express';
import { Trace, type Hooks, type TracedStep } from '../hooks/index.ts';
import type { Log } from '../log.ts';
import { cookieHeader, type CookieNames } from './cookies.ts';
import { routePatternOf } from './error-handler.ts';
import type { ExchangeSource } from './exchange-source.ts';

/** What listeners did during one request. */
export interface RequestTrace {
  userId: string;
  method: string;
  path: string;
  status: number;
  tookMs: number;
  steps: readonly TracedStep[];
}

export interface RequestWatch {
  hooks: Pick<Hooks, 'observe'>;
  log: Pick<Log, 'warn'>;
  cookieNames: CookieNames;
  /** Keeps what was seen of a request for which that was asked. */
  keepTrace: (trace: RequestTrace) => Promise<void>;
}

/** Asks for the next request to be traced. It needs no signature: it counts only with the session of somebody who may. */
export const TRACE_COOKIE = 'trace';
const TRACE_HEADER = 'x-latchkey-trace';
/** Where traces are read: looking at one is not the request that one wanted to see. */
const TRACES_PATH = '/admin/hooks';
const RIGHT = 'plugin.manage';

/**
 * For those who manage plugins, and nobody else: `Server-Timing` says what each plugin took of the request, and the one request
 * they asked for is written down whole.
 */
export function watchRequest(exchanges: ExchangeSource, deps: RequestWatch): RequestHandler {
  return (req, res, next) => {
    const { actor, cookies } = exchanges.of(req);
    const { userId } = actor;
    if (userId === null || !actor.can(RIGHT)) {
      next();
      return;
    }
    const isWanted = cookies.has(TRACE_COOKIE) || req.get(TRACE_HEADER) !== undefined;
    const isTraced = isWanted && !req.path.startsWith(TRACES_PATH);
    const trace = new Trace({ keepsValues: isTraced });
    const begun = performance.now();
    beforeHeaders(res, () => {
      res.setHeader('Server-Timing', timingOf(trace.steps, performance.now() - begun));
      if (isTraced && cookies.has(TRACE_COOKIE))
        res.append('Set-Cookie', cookieHeader({ name: TRACE_COOKIE, value: null }, deps.cookieNames));
    });
    const answered = deps.hooks.observe(trace, () => {
      const closed = new Promise<void>((resolve) => {
        res.once('close', resolve);
      });
      next();
      return closed;
    });
    const kept = answered.then(() => {
      if (!isTraced) return undefined;
      const tookMs = Math.round(performance.now() - begun);
      const { method, path: asked } = req;
      const path = pathWithoutSecrets(routePatternOf(req), asked);
      return deps.keepTrace({ userId, method, path, status: res.statusCode, tookMs, steps: trace.steps });
    });
    kept.catch((error: unknown) => {
      deps.log.warn({ error }, 'A trace could not be kept');
    });
  };
}

/** As it was asked for, with numbers and ids; whatever else stands in the place of a parameter may be a key that opens something. */
export const pathWithoutSecrets = (pattern: string, path: string): string => {
  const asked = path.split('/');
  return pattern
    .split('/')
    .map((part, at) => (/^:(?:id|number|\w+Id)$/.test(part) ? (asked[at] ?? part) : part))
    .join('/');
};

function beforeHeaders(res: Response, task: () => void): void {
  const writeHead = res.writeHead.bind(res);
  res.writeHead = ((...args: Parameters<typeof writeHead>) => {
    res.writeHead = writeHead;
    task();
    return writeHead(...args);
  }) as typeof res.writeHead;
}

/** `total;dur=12.4, tag;dur=0.8;desc="3 calls"`, as browsers show under network timing. */
function timingOf(steps: readonly TracedStep[], totalMs: number): string {
  const byOwner = new Map<string, { calls: number; tookMs: number }>();
  for (const { owner, tookMs } of steps) {
    const sum = byOwner.get(owner) ?? { calls: 0, tookMs: 0 };
    byOwner.set(owner, { calls: sum.calls + 1, tookMs: sum.tookMs + tookMs });
  }
  const owners = [...byOwner].sort(([, one], [, other]) => other.tookMs - one.tookMs);
  const parts = owners.map(
    ([owner, { calls, tookMs }]) => `${owner};dur=${tookMs.toFixed(2)};desc="${String(calls)} calls"`,
  );
  return [`total;dur=${totalMs.toFixed(2)}`, ...parts.slice(0, 20)].join(', ');
}

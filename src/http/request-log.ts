import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { Log } from '../log.ts';
import { routePatternOf } from './error-handler.ts';

export interface RequestMeter {
  observe(facts: { method: string; route: string; status: number; seconds: number }): void;
}

/** Gives each request an id and, when it is over, one line: route pattern, status, time. */
export function requestLog({ log, meter }: { log: Log; meter: RequestMeter }): RequestHandler {
  return (req, res, next) => {
    const begun = performance.now();
    const requestId = randomUUID().slice(0, 8);
    res.set('X-Request-Id', requestId);
    res.on('finish', () => {
      const seconds = (performance.now() - begun) / 1000;
      const route = routePatternOf(req);
      meter.observe({ method: req.method, route, status: res.statusCode, seconds });
      log.info(
        { requestId, method: req.method, route, status: res.statusCode, ms: Math.round(seconds * 1000) },
        'request',
      );
    });
    next();
  };
}

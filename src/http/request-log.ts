import type { RequestHandler } from 'express';
import { customAlphabet } from 'nanoid';
import type { Log } from '../log.ts';
import { routePatternOf } from './error-handler.ts';

export interface RequestMeter {
  observe(facts: { method: string; route: string; status: number; seconds: number }): void;
}

interface Tools {
  log: Log;
  meter: RequestMeter;
}

interface RequestFacts {
  requestId: string;
  method: string;
  route: string;
  status: number;
  seconds: number;
}

export const newRequestId = customAlphabet('0123456789abcdef', 8);

/** One line: route pattern, status, time. */
export function noteRequest({ log, meter }: Tools, facts: RequestFacts): void {
  const { seconds, ...said } = facts;
  meter.observe({ method: facts.method, route: facts.route, status: facts.status, seconds });
  log.info({ ...said, ms: Math.round(seconds * 1000) }, 'request');
}

/** Gives each request an id and, when it is over, its line. */
export function requestLog(tools: Tools): RequestHandler {
  return (req, res, next) => {
    const begun = performance.now();
    const requestId = newRequestId();
    res.set('X-Request-Id', requestId);
    res.on('finish', () => {
      const seconds = (performance.now() - begun) / 1000;
      const { method } = req;
      noteRequest(tools, { requestId, method, route: routePatternOf(req), status: res.statusCode, seconds });
    });
    next();
  };
}

import type { ErrorRequestHandler, Request, Response } from 'express';
import { isPassingTrouble } from '../db/passing-trouble.ts';
import type { Log } from '../log.ts';
import { KnownError, NotFoundError, UnavailableError } from '../shared/errors.ts';
import type { ExchangeSource } from './exchange-source.ts';
import { problemOf, type Translate } from './problem.ts';
import { view } from './reply.ts';
import { sendReply, type ReplyTools } from './send-reply.ts';

export interface ErrorTools extends ReplyTools {
  exchanges: ExchangeSource;
  log: Log;
  /** Hears of what nobody foresaw: it may be a plugin's. */
  onFault?: (thrown: unknown) => void;
  translate(locale: string): Translate;
}

/** The last stop: a problem for programs, a page for people, the log for whoever runs the server. Never a stack trace. */
export function errorHandler(tools: ErrorTools): ErrorRequestHandler {
  return async (thrown: unknown, req, res, next) => {
    const error = asKnown(thrown);
    note(thrown, error, { req, res, log: tools.log });
    if (isFault(error)) tools.onFault?.(thrown);
    if (res.headersSent) {
      next(thrown);
      return;
    }
    if (error.retryAfter !== undefined) res.set('Retry-After', String(Math.ceil(error.retryAfter)));
    try {
      await answer(error, req, res, tools);
    } catch (failure) {
      tools.log.error(
        { error: failure, requestId: res.getHeader('x-request-id') },
        'The error page could not be made',
      );
      res.status(500).type('text').send('Something went wrong. Please try again in a moment.');
    }
  };
}

/** What nobody foresaw is ours to mend, not the reader's: they get a code to quote, and nothing of the inside. */
function asKnown(thrown: unknown): KnownError {
  if (thrown instanceof KnownError) return thrown;
  if (thrown instanceof URIError) return new NotFoundError('page.not-found', { cause: thrown });
  if (isPassingTrouble(thrown))
    return new UnavailableError('database.busy', { cause: thrown, retryAfter: 2 });
  return new UnavailableError('server.fault', { cause: thrown });
}

const isFault = (error: KnownError): boolean => error.code === 'server.fault';

function note(
  thrown: unknown,
  error: KnownError,
  { req, res, log }: { req: Request; res: Response; log: Log },
): void {
  const facts = { requestId: res.getHeader('x-request-id'), route: routePatternOf(req), code: error.code };
  if (isFault(error)) log.error({ ...facts, error: thrown }, 'A request failed');
  else if (error.kind === 'unavailable')
    log.warn({ ...facts, error: error.cause }, 'A request could not be served');
  else log.debug(facts, 'A request was refused');
}

async function answer(error: KnownError, req: Request, res: Response, tools: ErrorTools): Promise<void> {
  const requestId = String(res.getHeader('x-request-id'));
  const locale = tools.exchanges.has(req) ? tools.exchanges.of(req).locale : 'en';
  const problem = problemOf(error, { requestId, t: tools.translate(locale) });
  const status = isFault(error) ? 500 : problem.status;
  if (!tools.exchanges.has(req) || req.path.startsWith('/api/')) {
    res
      .status(status)
      .type('application/problem+json')
      .send(JSON.stringify({ ...problem, status }));
    return;
  }
  const model = { ...problem, status, kind: error.kind, retryAfter: error.retryAfter };
  await sendReply(tools.exchanges.of(req), view('errors/error', model, { status }), tools);
}

/** `/join/:key`, never the path itself: what people type into paths may be secret (ruling 29). */
export function routePatternOf(req: Request): string {
  const route = req.route as { path?: unknown } | undefined;
  return typeof route?.path === 'string' ? route.path : '(none)';
}

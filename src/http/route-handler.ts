import { json as jsonBody, urlencoded, type Request, type RequestHandler, type Response } from 'express';
import {
  ForbiddenError,
  InvalidInputError,
  KnownError,
  NotFoundError,
  UnauthenticatedError,
} from '../shared/errors.ts';
import { networkOf } from './client-address.ts';
import { assertCsrfToken, assertSameSource, isSafe } from './csrf.ts';
import type { Exchange } from './exchange.ts';
import { parse } from './parse.ts';
import { SHAPE, statusOf } from './problem.ts';
import { redirect, type Reply } from './reply.ts';
import type { Incoming, Route, UploadedFile } from './route.ts';
import { sendReply, type ReplyTools } from './send-reply.ts';
import { receiveUploads, type UploadLimits } from './uploads.ts';

export interface RouteTools extends ReplyTools {
  exchangeOf(req: Request): Exchange;
  /** What a handler has answered before the request came this way, or thrown. */
  answers: WeakMap<object, Promise<Reply>>;
  uploads: UploadLimits;
  /** In tests: an answer that is not what OpenAPI says fails the request. */
  strict: boolean;
}

const MAX_BODY = '1mb';
const parseForm = urlencoded({ extended: false, limit: MAX_BODY, parameterLimit: 2000 });
const parseJson = jsonBody({ limit: MAX_BODY, strict: true });

interface Body {
  fields: Record<string, unknown>;
  files: readonly UploadedFile[];
  discard(): Promise<void>;
}

const NO_BODY: Body = { fields: {}, files: [], discard: () => Promise.resolve() };

/** Everything that must hold before a handler runs, in this order: who, whether, from where, what. */
export function routeHandler(route: Route, tools: RouteTools): RequestHandler {
  return async (req, res) => {
    const exchange = tools.exchangeOf(req);
    const wayIn = assertAccess(route, exchange);
    if (wayIn) {
      await sendReply(exchange, wayIn, tools);
      return;
    }
    await assertSource(exchange, tools);
    await route.admit?.(incomingOf(exchange, NO_BODY, await tools.origin()));
    const body = await readBody(route, req, res, tools.uploads);
    try {
      if (!exchange.isApi && !isSafe(req.method)) {
        assertCsrfToken(
          tools.csrfKey,
          exchange.heldByBrowser,
          body.fields['_csrf'] ?? req.get('x-csrf-token'),
        );
      }
      const reply = await answer(route, exchange, body, tools);
      if (tools.strict) assertPromised(route, reply);
      await sendReply(exchange, reply, tools);
    } finally {
      await body.discard();
    }
  };
}

async function answer(route: Route, exchange: Exchange, body: Body, tools: RouteTools): Promise<Reply> {
  const incoming = incomingOf(exchange, body, await tools.origin());
  assertPlainIds(exchange.req.params);
  try {
    const params = route.params ? parse(route.params, incoming.params) : incoming.params;
    const query = route.query ? parse(route.query, incoming.query) : incoming.query;
    const { _csrf, ...fields } = body.fields;
    const parsed = route.body ? parse(route.body, fields) : fields;
    const answered = tools.answers.get(exchange.req);
    return await (answered ?? route.handler({ ...incoming, params, query, body: parsed }));
  } catch (error) {
    if (!(error instanceof KnownError) || !route.onRefused) throw error;
    const reply = await route.onRefused(incoming, error);
    return { ...reply, status: reply.status ?? statusOf(error) };
  }
}

/** Nothing has an id outside ASCII; MariaDB would rather fail than compare one with a column of ids. */
function assertPlainIds(params: object): void {
  for (const [name, value] of Object.entries(params)) {
    if (/^id$|Id$/.test(name) && !/^[\x21-\x7e]+$/.test(String(value)))
      throw new NotFoundError('page.not-found');
  }
}

/** In tests. */
export function assertPromised({ method, path, api }: Route, reply: Reply): void {
  if (!api || (reply.kind !== 'json' && reply.kind !== 'empty')) return;
  const promised = api.responses[reply.status ?? 200];
  const said = `${method} ${path} answered ${String(reply.status ?? 200)}`;
  if (!promised) throw new TypeError(`${said}, which its API facts do not name`);
  const checked = reply.kind === 'json' ? promised.schema?.safeParse(reply.body) : undefined;
  if (checked?.success === false) throw new TypeError(`${said}, not as promised: ${checked.error.message}`);
}

/** A signed-out visitor of a page is shown the way in; everybody else who may not gets an error. */
function assertAccess({ access, api }: Route, exchange: Exchange): Reply | null {
  const { actor, isApi, req } = exchange;
  if (access === 'public') return null;
  if (actor.kind === 'guest') {
    if (isApi || !isSafe(req.method)) throw new UnauthenticatedError('access.sign-in');
    return redirect(`/login?next=${encodeURIComponent(req.originalUrl)}`);
  }
  if (access !== 'signed-in' && !actor.can(access.right)) throw new ForbiddenError('access.right');
  if (isApi) assertScope(exchange.scopes ?? [], api?.scope);
  return null;
}

function assertScope(scopes: readonly string[], wanted: string | undefined): void {
  if (wanted === undefined || scopes.includes('*') || scopes.includes(wanted)) return;
  throw new ForbiddenError('access.scope', { params: { scope: wanted } });
}

async function assertSource({ req, isApi }: Exchange, { origin }: RouteTools): Promise<void> {
  const source = {
    method: req.method,
    fetchSite: req.get('sec-fetch-site'),
    origin: req.get('origin'),
    referer: req.get('referer'),
  };
  const own = [await origin()];
  if (!isApi) {
    assertSameSource(source, own);
    return;
  }
  // Programs send neither; a browser on another site sends at least one (ruling 35).
  const saysWhere = source.fetchSite !== undefined || source.origin !== undefined;
  if (saysWhere) assertSameSource({ ...source, method: 'POST', referer: undefined }, own);
}

async function readBody(route: Route, req: Request, res: Response, limits: UploadLimits): Promise<Body> {
  if (isSafe(req.method) || !hasBody(req)) return NO_BODY;
  const isApi = req.path.startsWith('/api/');
  if (route.uploads === true && req.is('multipart/form-data')) return receiveUploads(req, limits);
  if (!isApi && req.is('application/x-www-form-urlencoded')) return parsedBy(parseForm, req, res);
  if (req.is('application/json')) return parsedBy(parseJson, req, res);
  throw new InvalidInputError('input.media-type');
}

const hasBody = (req: Request): boolean =>
  req.get('transfer-encoding') !== undefined || Number(req.get('content-length') ?? 0) > 0;

function parsedBy(parser: RequestHandler, req: Request, res: Response): Promise<Body> {
  return new Promise((resolve, reject) => {
    void parser(req, res, (error?: unknown) => {
      const content: unknown = req.body;
      if (error) reject(new InvalidInputError(SHAPE, { cause: error }));
      else if (!isRecord(content)) reject(new InvalidInputError(SHAPE));
      else resolve({ ...NO_BODY, fields: content });
    });
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function incomingOf(exchange: Exchange, body: Body, origin: string): Incoming {
  const { req } = exchange;
  return {
    actor: exchange.actor,
    session: exchange.session,
    params: { ...req.params },
    query: { ...req.query },
    body: body.fields,
    files: body.files,
    cookies: exchange.cookies,
    url: req.originalUrl,
    origin,
    ip: exchange.ip,
    network: networkOf(exchange.ip),
    userAgent: (req.get('user-agent') ?? '').slice(0, 300),
    isHead: req.method === 'HEAD',
    locale: exchange.locale,
    requestId: exchange.requestId,
    wantsFragment: req.get('hx-request') === 'true',
    header: (name) => req.get(name),
  };
}

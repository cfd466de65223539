import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { parse as parseQuery } from 'node:querystring';
import proxyAddr from 'proxy-addr';
import { guest } from '../shared/actor.ts';
import { judgedOnce, plainAddress, networkOf, trustedProxies } from './client-address.ts';
import { cookieHeader, readCookies, SESSION_COOKIE } from './cookies.ts';
import { csrfToken } from './csrf.ts';
import { localeOf, type ExchangeDeps } from './exchange-source.ts';
import { FLASH_COOKIE } from './flash.ts';
import { parse } from './parse.ts';
import type { Reply } from './reply.ts';
import { newRequestId, noteRequest, type RequestMeter } from './request-log.ts';
import type { Incoming, Route } from './route.ts';
import { assertPromised } from './route-handler.ts';
import type { RouteTable } from './route-table.ts';
import { commonHeaders, dataHeaders, newNonce, pageHeaders } from './security-headers.ts';
import { newHold, VISITOR_COOKIE, visitorCookie, type ReplyTools } from './send-reply.ts';
import type { Log } from '../log.ts';

interface Deps extends ReplyTools, ExchangeDeps {
  log: Log;
  meter: RequestMeter;
  routes: RouteTable;
  trustProxy: string;
  /** What a handler has answered to a request that goes on the usual way, or thrown. */
  answers: WeakMap<object, Promise<Reply>>;
  strict: boolean;
}

type Cookies = ReadonlyMap<string, string>;

type SharedPage = Extract<Reply, { kind: 'view' }> & { fresh: Readonly<Record<string, string>> };
type Data = Extract<Reply, { kind: 'json' | 'text' }>;

/** What is written: headers in a row, as Node takes them quickest, and a character for each byte. */
interface Packet {
  headers: readonly string[];
  body: string | Buffer;
}

/** Above this copying costs more than a second buffer in the same write. */
const LONG_BODY = 16 * 1024;

/**
 * What hundreds ask for in the same minute (`rush: true`), answered before Express: a page that is drawn once for all and a visitor
 * without a session, or data and a program without a token. The same handler, headers, log line and count as on the usual way; whatever is
 * not as simple goes that way and takes along what the handler has answered. Express alone costs more than all of this together
 * (`npm run bench -- join-page`, `npm run bench -- hub`).
 */
export class RushLane {
  readonly #deps: Deps;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #trust: ReturnType<typeof proxyAddr.compile>;
  /** As long as a handler answers with the very same reply, it is the very same bytes. */
  readonly #packets = new WeakMap<Data, Packet>();

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#headers = commonHeaders({ https: deps.cookieNames.secure });
    this.#trust = judgedOnce(proxyAddr.compile(trustedProxies(deps.trustProxy) || []));
  }

  /** `usual` answers what the lane does not. */
  before(usual: RequestListener): RequestListener {
    return (req, res) => {
      const route = this.#routeOf(req);
      if (route === null) {
        usual(req, res);
        return;
      }
      this.#answer(route, req, res).then(
        (isAnswered) => {
          if (!isAnswered) usual(req, res);
        },
        () => {
          // The usual way meets the same fault, and has a page for it.
          usual(req, res);
        },
      );
    };
  }

  #routeOf({ method, url = '' }: IncomingMessage): Route | null {
    if (method !== 'GET') return null;
    const route = this.#deps.routes.find('GET', pathOf(url));
    return route?.rush === true && route.access === 'public' ? route : null;
  }

  async #answer(route: Route, req: IncomingMessage, res: ServerResponse): Promise<boolean> {
    const isApi = route.path.startsWith('/api/');
    const cookies = isApi ? NO_COOKIES : readCookies(req.headers.cookie, this.#deps.cookieNames);
    if (isApi ? isKnownOrForeign(req) : cookies.has(SESSION_COOKIE) || cookies.has(FLASH_COOKIE))
      return false;
    const begun = performance.now();
    const incoming = await this.#incomingOf(route, req, cookies);
    const reply = await this.#ask(route, req, incoming);
    if (!isApi && isShared(reply)) await this.#sendPage(reply, incoming, res);
    else if (isApi && isData(reply)) this.#sendData(reply, incoming, res);
    else {
      this.#deps.answers.set(req, Promise.resolve(reply));
      return false;
    }
    const { requestId } = incoming;
    const seconds = (performance.now() - begun) / 1000;
    const status = reply.status ?? 200;
    noteRequest(this.#deps, { requestId, method: 'GET', route: route.path, status, seconds });
    return true;
  }

  /** Once, also where that is refused: what is counted is counted once. */
  #ask(route: Route, req: IncomingMessage, incoming: Incoming): Promise<Reply> {
    const answered = this.#replyOf(route, incoming);
    answered.catch(() => this.#deps.answers.set(req, answered));
    return answered;
  }

  async #replyOf(route: Route, incoming: Incoming): Promise<Reply> {
    const reply = await route.handler(incoming);
    if (this.#deps.strict) assertPromised(route, reply);
    return reply;
  }

  async #sendPage(reply: SharedPage, incoming: Incoming, res: ServerResponse): Promise<void> {
    const { nonce, html, held } = await this.#draw(reply, incoming);
    const headers: Record<string, string> = { ...this.#headers, ...pageHeaders(nonce), ...reply.headers };
    headers['X-Request-Id'] = incoming.requestId;
    headers['Content-Type'] = 'text/html; charset=utf-8';
    headers['Content-Length'] = String(html.length);
    if (incoming.cookies.get(VISITOR_COOKIE) !== held)
      headers['Set-Cookie'] = cookieHeader(visitorCookie(held), this.#deps.cookieNames);
    res.writeHead(reply.status ?? 200, headers).end(html, 'latin1');
  }

  #sendData(reply: Data, { requestId }: Incoming, res: ServerResponse): void {
    const packet = this.#packets.get(reply) ?? this.#pack(reply);
    this.#packets.set(reply, packet);
    res
      .writeHead(reply.status ?? 200, [...packet.headers, 'X-Request-Id', requestId])
      .end(packet.body, 'latin1');
  }

  #pack(reply: Data): Packet {
    const isText = reply.kind === 'text';
    const bytes = Buffer.from(isText ? reply.text : JSON.stringify(reply.body));
    const headers = {
      ...this.#headers,
      ...dataHeaders,
      ...reply.headers,
      'Content-Type': isText ? reply.mediaType : 'application/json; charset=utf-8',
      'Content-Length': String(bytes.length),
    };
    const body = bytes.length > LONG_BODY ? bytes : bytes.toString('latin1');
    return { headers: Object.entries(headers).flat(), body };
  }

  async #incomingOf(route: Route, req: IncomingMessage, cookies: Cookies): Promise<Incoming> {
    const { url = '', headers } = req;
    const asked: Record<string, unknown> = parseQuery(url.slice(pathOf(url).length + 1));
    const locale = localeOf(this.#deps, { query: asked, cookies, header: headers['accept-language'] });
    const ip = plainAddress(proxyAddr(req, this.#trust));
    return {
      actor: guest(locale),
      session: null,
      params: {},
      query: route.query ? parse(route.query, asked) : asked,
      body: {},
      files: [],
      cookies,
      url,
      origin: await this.#deps.origin(),
      ip,
      network: networkOf(ip),
      userAgent: (headers['user-agent'] ?? '').slice(0, 300),
      isHead: false,
      locale,
      requestId: newRequestId(),
      wantsFragment: false,
      header: (name) => {
        const value = headers[name.toLowerCase()];
        return Array.isArray(value) ? value.join(', ') : value;
      },
    };
  }

  async #draw(
    reply: SharedPage,
    { actor, locale, url, origin, requestId, cookies }: Incoming,
  ): Promise<{ nonce: string; html: string; held: string }> {
    const { csrfKey, renderer } = this.#deps;
    const held = cookies.get(VISITOR_COOKIE) ?? newHold();
    const nonce = newNonce();
    const facts = {
      actor,
      session: null,
      locale,
      nonce,
      csrf: csrfToken(csrfKey, held),
      flash: null,
      path: pathOf(url),
      url,
      origin,
      fragment: false,
      requestId,
    };
    return { nonce, held, html: await renderer.shared(reply.template, reply.model, facts, reply.fresh) };
  }
}

const isShared = (reply: Reply): reply is SharedPage =>
  reply.kind === 'view' &&
  reply.fresh !== undefined &&
  reply.cookies === undefined &&
  reply.flash === undefined;

/** Without cookies; in UTF-8, as everything of ours is. */
const isData = (reply: Reply): reply is Data =>
  (reply.kind === 'json' || (reply.kind === 'text' && reply.mediaType.endsWith('; charset=utf-8'))) &&
  reply.cookies === undefined;

const NO_COOKIES: Cookies = new Map();

/** Shows a token, or comes from a page in a browser: then it matters who asks and from where (ruling 35). */
const isKnownOrForeign = ({ headers }: IncomingMessage): boolean =>
  headers.authorization !== undefined ||
  headers['sec-fetch-site'] !== undefined ||
  headers.origin !== undefined;

function pathOf(url: string): string {
  const at = url.indexOf('?');
  return at < 0 ? url : url.slice(0, at);
}

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { parse as parseQuery } from 'node:querystring';
import proxyAddr from 'proxy-addr';
import { guest } from '../shared/actor.ts';
import { plainAddress, networkOf, trustedProxies } from './client-address.ts';
import { cookieHeader, readCookies, SESSION_COOKIE } from './cookies.ts';
import { csrfToken } from './csrf.ts';
import { localeOf, type ExchangeDeps } from './exchange-source.ts';
import { FLASH_COOKIE } from './flash.ts';
import { parse } from './parse.ts';
import type { Reply } from './reply.ts';
import { newRequestId, noteRequest, type RequestMeter } from './request-log.ts';
import type { Incoming, Route } from './route.ts';
import type { RouteTable } from './route-table.ts';
import { commonHeaders, newNonce, pageHeaders } from './security-headers.ts';
import { newHold, VISITOR_COOKIE, visitorCookie, type ReplyTools } from './send-reply.ts';
import type { Log } from '../log.ts';

interface Deps extends ReplyTools, ExchangeDeps {
  log: Log;
  meter: RequestMeter;
  routes: RouteTable;
  trustProxy: string;
  /** What a handler has answered to a request that goes on the usual way. */
  answers: WeakMap<object, Reply>;
}

type Cookies = ReadonlyMap<string, string>;

type SharedPage = Extract<Reply, { kind: 'view' }> & { fresh: Readonly<Record<string, string>> };

/**
 * Pages that hundreds open in the same minute (`rush: true`), answered before Express: a visitor without a session, a page that is
 * drawn once for all. The same handler, headers, log line and count as on the usual way; whatever is not as simple goes that way and
 * takes along what the handler has answered. Express alone costs more than all of this together (`npm run bench -- join-page`).
 */
export class RushLane {
  readonly #deps: Deps;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #trust: ReturnType<typeof proxyAddr.compile>;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#headers = commonHeaders({ https: deps.cookieNames.secure });
    this.#trust = proxyAddr.compile(trustedProxies(deps.trustProxy) || []);
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
    const cookies = readCookies(req.headers.cookie, this.#deps.cookieNames);
    if (cookies.has(SESSION_COOKIE) || cookies.has(FLASH_COOKIE)) return false;
    const begun = performance.now();
    const incoming = await this.#incomingOf(route, req, cookies);
    const reply = await route.handler(incoming);
    if (!isShared(reply)) {
      this.#deps.answers.set(req, reply);
      return false;
    }
    const { nonce, html, held } = await this.#draw(reply, incoming);
    const status = reply.status ?? 200;
    const headers = { ...this.#headers, ...pageHeaders(nonce), ...reply.headers };
    headers['X-Request-Id'] = incoming.requestId;
    headers['Content-Type'] = 'text/html; charset=utf-8';
    headers['Content-Length'] = String(html.length);
    if (cookies.get(VISITOR_COOKIE) !== held)
      headers['Set-Cookie'] = cookieHeader(visitorCookie(held), this.#deps.cookieNames);
    res.writeHead(status, headers).end(html, 'latin1');
    const seconds = (performance.now() - begun) / 1000;
    const { requestId } = incoming;
    noteRequest(this.#deps, { requestId, method: 'GET', route: route.path, status, seconds });
    return true;
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

function pathOf(url: string): string {
  const at = url.indexOf('?');
  return at < 0 ? url : url.slice(0, at);
}

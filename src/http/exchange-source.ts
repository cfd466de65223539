import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { guest, type Actor } from '../shared/actor.ts';
import type { Authenticator } from './authenticator.ts';
import { plainAddress } from './client-address.ts';
import { readCookies, SESSION_COOKIE, type CookieNames } from './cookies.ts';
import type { Exchange } from './exchange.ts';
import type { SessionInfo } from './route.ts';
import { VISITOR_COOKIE } from './send-reply.ts';

export interface ExchangeDeps {
  authenticator: Authenticator;
  cookieNames: CookieNames;
  /** The best language of ours for an `Accept-Language` header. */
  readonly negotiate: (acceptLanguage: string | undefined) => string;
  languages: readonly string[];
}

interface LocaleWishes {
  query: Readonly<Record<string, unknown>>;
  cookies: ReadonlyMap<string, string>;
  /** `Accept-Language`. */
  header: string | undefined;
}

const LANGUAGE_COOKIE = 'lang';

/** Finds out, once a request, who it is from; handlers and the error page look it up here. */
export class ExchangeSource {
  readonly #deps: ExchangeDeps;
  readonly #known = new WeakMap<Request, Exchange>();

  constructor(deps: ExchangeDeps) {
    this.#deps = deps;
  }

  readonly middleware: RequestHandler = async (req: Request, res: Response, next: NextFunction) => {
    this.#known.set(req, this.#strangerFrom(req, res));
    this.#known.set(req, await this.#recognise(this.of(req)));
    next();
  };

  of(req: Request): Exchange {
    const known = this.#known.get(req);
    if (!known) throw new Error('The request was not seen by the exchange middleware');
    return known;
  }

  has(req: Request): boolean {
    return this.#known.has(req);
  }

  #strangerFrom(req: Request, res: Response): Exchange {
    const isApi = req.path.startsWith('/api/');
    const cookies = isApi
      ? new Map<string, string>()
      : readCookies(req.headers.cookie, this.#deps.cookieNames);
    const header = req.get('accept-language');
    const locale = localeOf(this.#deps, { query: req.query, cookies, header });
    return {
      req,
      res,
      requestId: String(res.getHeader('x-request-id')),
      ip: plainAddress(req.ip),
      cookies,
      isApi,
      locale,
      actor: guest(locale),
      session: null,
      heldByBrowser: cookies.get(VISITOR_COOKIE),
      scopes: null,
    };
  }

  async #recognise(stranger: Exchange): Promise<Exchange> {
    return stranger.isApi ? this.#byBearer(stranger) : this.#bySession(stranger);
  }

  async #byBearer(stranger: Exchange): Promise<Exchange> {
    const token = /^Bearer (\S+)$/i.exec(stranger.req.get('authorization') ?? '')?.[1];
    if (token === undefined) return stranger;
    const known = await this.#deps.authenticator.byBearer(token);
    return known === null ? stranger : { ...stranger, actor: known.actor, scopes: known.scopes };
  }

  async #bySession(stranger: Exchange): Promise<Exchange> {
    const token = stranger.cookies.get(SESSION_COOKIE);
    if (token === undefined || token === '') return stranger;
    const known = await this.#deps.authenticator.bySession(token);
    return known === null ? stranger : signedIn(stranger, token, known);
  }
}

/** Asked for in the address, else chosen before, else the browser's. */
export function localeOf(
  { languages, negotiate }: Pick<ExchangeDeps, 'languages' | 'negotiate'>,
  { query, cookies, header }: LocaleWishes,
): string {
  const asked = [query['lang'], cookies.get(LANGUAGE_COOKIE)];
  return languages.find((language) => asked.includes(language)) ?? negotiate(header);
}

const signedIn = (
  stranger: Exchange,
  token: string,
  { actor, session }: { actor: Actor; session: SessionInfo },
): Exchange => ({ ...stranger, actor, session, locale: actor.locale, heldByBrowser: token });

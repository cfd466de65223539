import type { z } from 'zod';
import type { Actor } from '../shared/actor.ts';
import type { KnownError } from '../shared/errors.ts';
import type { Reply } from './reply.ts';

/** Who may call a route. Every route says so; the matrix in the tests is made from it. */
export type Access =
  | 'public'
  /** Anybody with an account that is active. */
  | 'signed-in'
  /** Somebody who has this right in at least one entity; the use case checks which. */
  | { right: string };

/** The session behind a request for a page; API requests have none. */
export interface SessionInfo {
  id: string;
  /** When the person last proved who they are: revealing and dangerous actions ask for a recent one. */
  authenticatedAt: number;
}

/** A file as it arrived, on disk under a name of ours. Gone when the request ends unless somebody kept it. */
export interface UploadedFile {
  field: string;
  /** As the sender called it, cleaned of control and invisible characters. */
  name: string;
  path: string;
  size: number;
  /** By its first bytes, never by its name. */
  mediaType: string;
  /** All of it, for what is small. */
  read(this: void): Promise<Buffer>;
}

/** What a handler gets. Everything in it was parsed or is ours. */
export interface Incoming<P = unknown, Q = unknown, B = unknown> {
  readonly actor: Actor;
  readonly session: SessionInfo | null;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly files: readonly UploadedFile[];
  readonly cookies: ReadonlyMap<string, string>;
  /** Path and query as asked for. */
  readonly url: string;
  /** Scheme and host that links must carry (`LATCHKEY_BASE_URL`, else the origin stored at set-up). Never from the request. */
  readonly origin: string;
  /** The client's address as far as trusted proxies tell. */
  readonly ip: string;
  /** `ip` cut to /24 or /48: what may be kept. */
  readonly network: string;
  readonly userAgent: string;
  /** Only the head was asked for: a look, not a visit. */
  readonly isHead?: boolean;
  readonly locale: string;
  readonly requestId: string;
  /** htmx asks for a part of the page only. */
  readonly wantsFragment: boolean;
  header(name: string): string | undefined;
}

export type Method = 'get' | 'post' | 'patch' | 'put' | 'delete';

/** A route is data: what it is for, who may, what comes in, what goes out. */
export interface Route<P = unknown, Q = unknown, B = unknown> {
  readonly method: Method;
  /** Express 5 path, e.g. `/tickets/:number`. */
  readonly path: string;
  readonly access: Access;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  /** Accepts `multipart/form-data` with files. */
  readonly uploads?: boolean;
  /** Asked before the body is read, and throws for whoever is not to send one: a public route with `uploads` needs it. */
  readonly admit?: (head: Incoming) => void | Promise<void>;
  /**
   * Hundreds ask for it in the same minute, and it is the same for them all: a public page with `fresh` texts and a visitor without a
   * session, or text or JSON of a public API for a program without a token. It is answered before everything else, and a reply that is
   * handed out again, the very same object, is put into bytes once. Its handler must ask for nothing that a GET of a stranger does not have.
   */
  readonly rush?: true;
  /** Of a page about one thing: whether it would open for this actor, for whoever wants to lead there. */
  readonly mayOpen?: (actor: Actor, params: P) => Promise<boolean>;
  /** A page whose form is shown again, with what was typed, when the handler throws a known error. */
  readonly onRefused?: (incoming: Incoming<P, Q>, error: KnownError) => Reply | Promise<Reply>;
  /** For `/api/…` routes: what OpenAPI says. */
  readonly api?: ApiFacts;
  readonly handler: (incoming: Incoming<P, Q, B>) => Reply | Promise<Reply>;
}

export interface ApiFacts {
  summary: string;
  description?: string;
  tag: string;
  /** Scope that a token must hold, e.g. `tickets:read`. */
  scope?: string;
  responses: Record<number, { description: string; schema?: z.ZodType }>;
}

/** Types a route by its schemas and forgets them, so that routes of all kinds fit in one list. */
export function route<P = Record<string, string>, Q = Record<string, unknown>, B = Record<string, unknown>>(
  definition: Route<P, Q, B>,
): Route {
  return definition as unknown as Route;
}

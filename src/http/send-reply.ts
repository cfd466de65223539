import { randomBytes, type KeyObject } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { cookieHeader, type CookieNames } from './cookies.ts';
import { csrfToken } from './csrf.ts';
import type { Exchange } from './exchange.ts';
import { FLASH_COOKIE, flashCookie, readFlash } from './flash.ts';
import type { PageRenderer } from './renderer.ts';
import type { CookieChange, Reply } from './reply.ts';
import { dataHeaders, newNonce, pageHeaders } from './security-headers.ts';

/** Binds the forms of somebody who has not signed in. */
export const VISITOR_COOKIE = 'visitor';

export interface ReplyTools {
  renderer: PageRenderer;
  cookieNames: CookieNames;
  csrfKey: KeyObject;
  readonly origin: () => Promise<string>;
}

type ViewReply = Extract<Reply, { kind: 'view' }>;
type FileReply = Extract<Reply, { kind: 'file' }>;

/** Puts a reply on the wire. */
export async function sendReply(exchange: Exchange, reply: Reply, tools: ReplyTools): Promise<void> {
  const { res } = exchange;
  res.status(reply.status ?? 200);
  const html = reply.kind === 'view' ? await renderPage(exchange, reply, tools) : '';
  setCookies(exchange, reply, tools);
  if (reply.kind === 'view') {
    res
      .set(reply.headers ?? {})
      .type('html')
      .send(html);
    return;
  }
  res.set(dataHeaders);
  if (reply.kind === 'file') setFileHeaders(exchange, reply);
  res.set(reply.headers ?? {});
  switch (reply.kind) {
    case 'redirect':
      res.redirect(reply.status ?? 303, reply.to);
      return;
    case 'json':
      res.json(reply.body);
      return;
    case 'text':
      res.type(reply.mediaType).send(reply.text);
      return;
    case 'empty':
      res.end();
      return;
    case 'file':
      await sendFile(exchange, reply);
  }
}

async function renderPage(
  exchange: Exchange,
  reply: ViewReply,
  { renderer, csrfKey, origin }: ReplyTools,
): Promise<string> {
  const { req, res, actor, session, locale, requestId, cookies } = exchange;
  const nonce = newNonce();
  res.set(pageHeaders(nonce));
  const facts = {
    actor,
    session,
    locale,
    nonce,
    csrf: csrfToken(csrfKey, heldOrNew(exchange)),
    flash: reply.flash ?? readFlash(cookies.get(FLASH_COOKIE)),
    path: req.path,
    url: req.originalUrl,
    origin: await origin(),
    fragment: req.get('hx-request') === 'true' && req.get('hx-boosted') !== 'true',
    requestId,
  };
  return renderer.page(reply.template, reply.model, facts, reply.fresh);
}

/** A visitor's first form gives the browser something to hold. */
function heldOrNew(exchange: Exchange): string {
  exchange.heldByBrowser ??= newHold();
  return exchange.heldByBrowser;
}

export const newHold = (): string => randomBytes(18).toString('base64url');

export const visitorCookie = (held: string): CookieChange => ({
  name: VISITOR_COOKIE,
  value: held,
  maxAge: 86_400,
});

function setCookies(exchange: Exchange, reply: Reply, { cookieNames }: ReplyTools): void {
  if (exchange.isApi) return;
  const changes: CookieChange[] = [...(reply.cookies ?? [])];
  const { session, heldByBrowser, cookies } = exchange;
  const isNewVisitor =
    session === null && heldByBrowser !== undefined && cookies.get(VISITOR_COOKIE) !== heldByBrowser;
  if (isNewVisitor) changes.push(visitorCookie(heldByBrowser));
  if (reply.kind === 'redirect' && reply.flash) changes.push(flashCookie(reply.flash));
  else if (reply.kind === 'view' && cookies.has(FLASH_COOKIE))
    changes.push({ name: FLASH_COOKIE, value: null });
  for (const change of changes) exchange.res.append('Set-Cookie', cookieHeader(change, cookieNames));
}

function setFileHeaders({ res }: Exchange, { name, mediaType, inline, size }: FileReply): void {
  const plain = name.replace(/[^\x20-\x7e]|["\\]/g, '_');
  res.set('Content-Type', mediaType);
  res.set(
    'Content-Disposition',
    `${inline === true ? 'inline' : 'attachment'}; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name)}`,
  );
  if (size !== undefined) res.set('Content-Length', String(size));
}

async function sendFile({ req, res }: Exchange, { content }: FileReply): Promise<void> {
  if (Buffer.isBuffer(content)) {
    res.end(content);
    return;
  }
  if (req.method === 'HEAD') {
    content.destroy();
    res.end();
    return;
  }
  await pipeline(content, res).catch((error: unknown) => {
    // The reader went away: nobody is left to be told.
    if (!res.destroyed) throw error;
  });
}

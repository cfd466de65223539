import type { Outbound, OutboundBytes } from '../../outbound/outbound.ts';
import { headersFor, type HubCredentials } from '../hub-client.ts';
import { problemOfError, problemOfStatus, type HubProblem } from '../hub-problem.ts';
import {
  knownOf,
  readNews,
  readRefusal,
  readStanding,
  type News,
  type Outcome,
  type Standing,
} from './support-wire.ts';
import type { SupportMessage, SupportRequest } from './support.ts';

interface Deps {
  outbound: Pick<Outbound, 'fetch'>;
  version: string;
}

interface Packed {
  name: string;
  bytes: Buffer;
}

const ROOT = '/api/network/v1/support';
const SENDING_MS = 60_000;
const NEWS_BYTES = 8 * 1024 * 1024;
/** Where no connection came about, nothing went out. */
const neverLeft = new Set<HubProblem>(['N01', 'N02', 'N03', 'N04', 'N06', 'N07', 'N08', 'N09', 'N18']);

/** The wire of support requests. The key goes to the hub's own address only: redirects are not followed. */
export class SupportLine {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async send(
    hub: HubCredentials,
    {
      request,
      message,
      files,
    }: { request: SupportRequest; message: SupportMessage; files: readonly Packed[] },
    signal: AbortSignal,
  ): Promise<Outcome<Standing>> {
    const { id, kind, body, authorName: author } = message;
    const isFirst = kind === 'open';
    const { title, plugin, diagnostics } = request;
    const form = new FormData();
    const fields = isFirst
      ? { id: request.id, title, body, author, plugin: plugin ?? '', diagnostics }
      : { id, kind, body, author };
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    for (const { name, bytes } of files) form.append('files', new File([new Uint8Array(bytes)], name));
    const packed = new Response(form);
    const path = isFirst ? '/requests' : `/requests/${request.id}/messages`;
    return this.#ask(hub, readStanding, {
      path,
      body: Buffer.from(await packed.arrayBuffer()),
      mediaType: packed.headers.get('content-type') ?? '',
      signal,
    });
  }

  news(
    hub: HubCredentials,
    requests: readonly SupportRequest[],
    signal: AbortSignal,
  ): Promise<Outcome<News[]>> {
    const body = Buffer.from(JSON.stringify({ known: requests.map(knownOf) }));
    return this.#ask(hub, readNews, { path: '/news', body, mediaType: 'application/json', signal });
  }

  async file(
    hub: HubCredentials,
    { requestId, fileId, size }: { requestId: string; fileId: string; size: number },
    signal: AbortSignal,
  ): Promise<Outcome<Buffer>> {
    const { outbound, version } = this.#deps;
    const url = `${hub.hub}${ROOT}/requests/${requestId}/files/${fileId}`;
    const headers = { ...headersFor(hub, version), accept: '*/*' };
    return judged(
      () => outbound.fetch({ url, method: 'GET', headers, maxBytes: size, timeoutMs: SENDING_MS, signal }),
      ({ bytes }) => (bytes.length === size ? bytes : null),
    );
  }

  #ask<T>(
    hub: HubCredentials,
    read: (text: string) => T | null,
    { path, body, mediaType, signal }: { path: string; body: Buffer; mediaType: string; signal: AbortSignal },
  ): Promise<Outcome<T>> {
    const { outbound, version } = this.#deps;
    return judged(
      () =>
        outbound.fetch({
          url: `${hub.hub}${ROOT}${path}`,
          method: 'POST',
          headers: { ...headersFor(hub, version), 'content-type': mediaType },
          body,
          maxBytes: NEWS_BYTES,
          timeoutMs: SENDING_MS,
          signal,
        }),
      ({ bytes }) => read(bytes.toString('utf8')),
    );
  }
}

async function judged<T>(
  ask: () => Promise<OutboundBytes>,
  read: (answer: OutboundBytes) => T | null,
): Promise<Outcome<T>> {
  try {
    const answer = await ask();
    const { status, headers, bytes, isCut } = answer;
    const found = status === 200 && !isCut ? read(answer) : null;
    if (found !== null) return { answer: found };
    const refused = readRefusal(status, bytes.toString('utf8'));
    if (refused) return { refused };
    const problem = isCut ? 'N17' : problemOfStatus(status, headers['content-type'] ?? '');
    return { problem, isGone: status < 300 };
  } catch (error) {
    const problem = problemOfError(error);
    return { problem, isGone: !neverLeft.has(problem) };
  }
}

import type { HostOutbound } from 'latchkey/plugin-api';
import type { CustomFetch, FetchBody } from 'openid-client';

const MOST_BYTES = 512 * 1024;
const TIMEOUT_MS = 8_000;
const methods = ['GET', 'POST'] as const;
/** They speak of the bytes on the wire, which are read already. */
const OF_THE_WIRE = ['content-encoding', 'content-length', 'transfer-encoding', 'connection'];

/** What the library asks of the network goes the house's own way out: guarded addresses, deadlines, caps, no redirects. */
export const houseFetch =
  (outbound: Pick<HostOutbound, 'send'>): CustomFetch =>
  async (url, { method: asked, headers, body, signal }) => {
    const method = methods.find((one) => one === asked);
    if (method === undefined) throw new Error(`Nothing is asked for by ${asked}`);
    const sent = textOf(body);
    const answer = await outbound.send({
      url,
      method,
      headers,
      ...(sent === null ? {} : { body: sent }),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MOST_BYTES,
      ...(signal ? { signal } : {}),
    });
    if (answer.isCut) throw new Error('The answer was longer than it may be');
    const kept = Object.entries(answer.headers).filter(([name]) => !OF_THE_WIRE.includes(name.toLowerCase()));
    const hasBody = answer.status !== 204 && answer.status !== 304;
    return new Response(hasBody ? answer.text : null, { status: answer.status, headers: kept });
  };

function textOf(body: FetchBody): string | null {
  if (body === null || body === undefined) return null;
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new Error('Only text is sent');
}

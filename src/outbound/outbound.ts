import { Agent, ProxyAgent, request, type Dispatcher } from 'undici';
import { AddressGuard, type LookUp } from './address-guard.ts';
import { refusalOf, throughProxy, type ProxyRule } from './proxy.ts';

export interface OutboundRequest {
  /** http or https, without user and password. */
  url: string;
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** All of it, from the look-up to the last byte. */
  timeoutMs?: number;
  /** What is longer is cut off. */
  maxBytes?: number;
  signal?: AbortSignal;
}

export interface OutboundAnswer {
  status: number;
  headers: Record<string, string>;
  text: string;
  /** The answer went on; the rest was not read. */
  isCut: boolean;
  tookMs: number;
}

/** The same for what is no text. */
export type OutboundBytes = Omit<OutboundAnswer, 'text'> & { bytes: Buffer };

const TIMEOUT_MS = 15_000;
const CONNECT_MS = 5_000;
const MOST_BYTES = 64 * 1024;
const LONGEST_URL = 2_000;
const poolOptions = {
  connections: 8,
  pipelining: 1,
  keepAliveTimeout: 4_000,
  maxHeaderSize: 16 * 1024,
};

/** A request that was not even sent: its address is not one to call. */
export class UnsendableError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'UnsendableError';
  }
}

interface OutboundOptions {
  /** As `AddressGuard` reads it. */
  allowed: string;
  connectMs?: number;
  proxy?: ProxyRule;
  lookUp?: LookUp;
  /** An address of this house itself, which it may call wherever it stands. */
  isOwn?: (url: URL) => Promise<boolean>;
}

interface Way {
  dispatcher: Dispatcher;
  url: URL;
  headers: Record<string, string>;
  proxy: URL | null;
}

/**
 * The one way out. Every call has a deadline and a cap, follows no redirects (they could lead inside), and its address is guarded at the
 * moment of connecting. A proxy looks names up by itself, so it is asked for the address that was judged here, never for the name; only
 * where everything is allowed does it get the name.
 */
export class Outbound {
  readonly #guard: AddressGuard;
  readonly #agent: Agent;
  readonly #rule: ProxyRule | undefined;
  readonly #connectMs: number;
  readonly #isOwn: (url: URL) => Promise<boolean>;
  /** To this house itself; nobody guards it. */
  readonly #home: Agent;
  #tunnels: ProxyAgent | null = null;

  constructor({ allowed, connectMs = CONNECT_MS, proxy, lookUp, isOwn }: OutboundOptions) {
    this.#guard = new AddressGuard(allowed, lookUp);
    this.#rule = proxy;
    this.#connectMs = connectMs;
    this.#isOwn = isOwn ?? (() => Promise.resolve(false));
    this.#home = new Agent({ ...poolOptions, connect: { timeout: connectMs } });
    this.#agent = new Agent({
      ...poolOptions,
      connect: { lookup: this.#guard.lookup, timeout: connectMs },
    });
  }

  async send(wanted: OutboundRequest): Promise<OutboundAnswer> {
    const { bytes, ...answer } = await this.fetch(wanted);
    return { ...answer, text: bytes.toString('utf8') };
  }

  /** `onBytes` hears how many have come so far. */
  async fetch(
    wanted: OutboundRequest,
    { onBytes }: { onBytes?: (size: number) => void } = {},
  ): Promise<OutboundBytes> {
    const url = addressIn(wanted.url);
    const { timeoutMs = TIMEOUT_MS, maxBytes = MOST_BYTES } = wanted;
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = wanted.signal ? AbortSignal.any([deadline, wanted.signal]) : deadline;
    const startedAt = performance.now();
    const way = await this.#wayTo(url);
    const { statusCode, headers, body } = await request(way.url, {
      method: wanted.method,
      headers: { 'user-agent': 'Latchkey', ...wanted.headers, ...way.headers },
      ...(wanted.body === undefined ? {} : { body: wanted.body }),
      dispatcher: way.dispatcher,
      signal,
      // One clock only: undici's own, set to the same time, now and then rang first with another error.
      headersTimeout: 0,
      bodyTimeout: 0,
    }).catch((error: unknown) => {
      throw way.proxy ? throughProxy(error, way.proxy) : error;
    });
    if (way.proxy && statusCode === 407) throw refusalOf(statusCode, { proxy: way.proxy.host });
    const { bytes, isCut } = await readUpTo(body, maxBytes, onBytes);
    return {
      status: statusCode,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
      ),
      bytes,
      isCut,
      tookMs: Math.round(performance.now() - startedAt),
    };
  }

  /** Whether it is an address that could be called at all, for a form. @throws {UnsendableError} */
  assertCallable(address: string): URL {
    const url = addressIn(address);
    this.#guard.assertHost(url.hostname);
    return url;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
    await this.#home.destroy();
    await this.#tunnels?.destroy();
  }

  async #wayTo(url: URL): Promise<Way> {
    if (await this.#isOwn(url)) return { dispatcher: this.#home, url, headers: {}, proxy: null };
    this.#guard.assertHost(url.hostname);
    const proxy = this.#rule?.for(url).proxy ?? null;
    if (proxy === null) return { dispatcher: this.#agent, url, headers: {}, proxy };
    const dispatcher = (this.#tunnels ??= this.#tunnelsThrough(proxy));
    if (this.#guard.allowsAll) return { dispatcher, url, headers: {}, proxy };
    const judged = new URL(url);
    judged.hostname = await this.#guard.addressOf(url.hostname);
    return { dispatcher, url: judged, headers: { host: url.host }, proxy };
  }

  #tunnelsThrough(proxy: URL): ProxyAgent {
    return new ProxyAgent({
      ...poolOptions,
      uri: proxy.href,
      // What is not encrypted is handed over whole, as proxies know it: many let no tunnel through to port 80.
      proxyTunnel: false,
      proxyTls: { timeout: this.#connectMs },
    });
  }
}

function addressIn(text: string): URL {
  const url = text.length <= LONGEST_URL ? URL.parse(text) : null;
  if (url === null) throw new UnsendableError('It is not an address');
  if (!/^https?:$/.test(url.protocol)) throw new UnsendableError('Only http and https are called');
  if (url.username !== '' || url.password !== '')
    throw new UnsendableError('An address with a password in it is not called');
  return url;
}

async function readUpTo(
  body: AsyncIterable<Buffer> & { destroy(): unknown },
  maxBytes: number,
  onBytes: ((size: number) => void) | undefined,
): Promise<{ bytes: Buffer; isCut: boolean }> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    parts.push(part);
    size += part.length;
    onBytes?.(size);
    if (size > maxBytes) break;
  }
  const isCut = size > maxBytes;
  return { bytes: Buffer.concat(parts).subarray(0, maxBytes), isCut };
}

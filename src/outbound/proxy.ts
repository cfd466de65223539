import { BlockList, isIP } from 'node:net';

/** The proxy that the operator has named, and where they did. */
export interface ProxySettings {
  url: string;
  /** The variable that names it. */
  from: string;
  /** Hosts that are called without it, with commas, as in `NO_PROXY`. */
  bypass: string;
}

/** Which way leads to a host, and why that one. */
export interface ProxyChoice {
  proxy: URL | null;
  why: 'none' | 'this-machine' | 'bypassed' | 'set';
}

/** A call that did not get past the proxy; what is behind it had no say. */
export class ProxyError extends Error {
  readonly code: 'PROXY_UNREACHABLE' | 'PROXY_LOGIN' | 'PROXY_FORBIDS' | 'PROXY_FAULT';
  readonly facts: Record<string, string>;

  constructor(code: ProxyError['code'], { cause, ...facts }: { cause?: unknown; [fact: string]: unknown }) {
    super(code, { cause });
    this.name = 'ProxyError';
    this.code = code;
    this.facts = Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, String(value)]));
  }
}

/** One proxy for all that is called, but for this machine itself and the hosts that are excepted. */
export class ProxyRule {
  readonly #proxy: URL | null;
  readonly #entries: readonly Entry[];
  readonly from: string;

  constructor(settings: ProxySettings | null) {
    this.#proxy = settings && new URL(settings.url);
    this.#entries = (settings?.bypass ?? '')
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(entryOf);
    this.from = settings?.from ?? '';
  }

  for({ hostname, port, protocol }: URL): ProxyChoice {
    if (this.#proxy === null) return { proxy: null, why: 'none' };
    const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
    if (isThisMachine(host)) return { proxy: null, why: 'this-machine' };
    const asked = { host, port: port || (protocol === 'https:' ? '443' : '80') };
    if (this.#entries.some((entry) => covers(entry, asked))) return { proxy: null, why: 'bypassed' };
    return { proxy: this.#proxy, why: 'set' };
  }
}

interface Entry {
  host: string;
  port: string | undefined;
  network: BlockList | null;
}

function entryOf(text: string): Entry {
  const [, address = '', bits] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  if (family !== 0) {
    const network = new BlockList();
    const kind = family === 6 ? 'ipv6' : 'ipv4';
    network.addSubnet(address, Number(bits ?? (family === 6 ? 128 : 32)), kind);
    return { host: '', port: undefined, network };
  }
  const [, name = text, port] = /^(.+):(\d+)$/.exec(text) ?? [];
  return { host: name.replace(/^\*?\./, '').toLowerCase(), port, network: null };
}

function covers({ host, port, network }: Entry, asked: { host: string; port: string }): boolean {
  const family = isIP(asked.host);
  if (network) return family !== 0 && network.check(asked.host, family === 6 ? 'ipv6' : 'ipv4');
  if (port !== undefined && port !== asked.port) return false;
  return host === '*' || asked.host === host || asked.host.endsWith(`.${host}`);
}

const isThisMachine = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\./.test(host);

const outOfReach = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** What a proxy's status means for the call that asked it for a way. */
export function refusalOf(status: number, facts: Record<string, string> = {}): ProxyError {
  if (status === 407) return new ProxyError('PROXY_LOGIN', { status, ...facts });
  return new ProxyError(status < 500 ? 'PROXY_FORBIDS' : 'PROXY_FAULT', { status, ...facts });
}

/** On the way through a proxy only the proxy itself is connected to: whatever fails before its answer is the proxy. */
export function throughProxy(error: unknown, proxy: URL): unknown {
  for (let at = error; at instanceof Error; at = at.cause) {
    const status = /Proxy (?:response|Authentication Required) \((\d{3})\)/.exec(at.message)?.[1];
    if (status !== undefined) return refusalOf(Number(status), { proxy: proxy.host });
    if ('code' in at && outOfReach.has(String(at.code)))
      return new ProxyError('PROXY_UNREACHABLE', { cause: error, proxy: proxy.host });
  }
  return error;
}

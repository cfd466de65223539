import { getServers } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { AddressGuard } from './address-guard.ts';
import { refusalOf } from './proxy.ts';

const STEP_MS = 5_000;
/** What a proxy may say before the way is free. */
const MOST_ANSWER = 16 * 1024;

/** What was said of the other side, when its certificate was looked at. */
export interface TlsFacts {
  version: string;
  issuer: string;
  validTo: string;
  [fact: string]: string;
}

/** A look that failed, with what was seen all the same. */
class ProbeError extends Error {
  readonly code: string;
  readonly facts: Record<string, string>;

  constructor(code: string, facts: Record<string, string> = {}) {
    super(code);
    this.name = 'ProbeError';
    this.code = code;
    this.facts = facts;
  }
}

/** One layer of a connection at a time, for whoever looks for the one that fails. Each has a deadline, and addresses are guarded. */
export class Probe {
  readonly #guard: AddressGuard;
  readonly #stepMs: number;

  constructor(guard: AddressGuard, { stepMs = STEP_MS }: { stepMs?: number } = {}) {
    this.#guard = guard;
    this.#stepMs = stepMs;
  }

  resolvers(): string[] {
    return getServers();
  }

  /** The first address that may be called. */
  address(host: string): Promise<string> {
    return within(this.#guard.addressOf(host).then(bare), { ms: this.#stepMs, code: 'EAI_AGAIN' });
  }

  /** The address of the proxy itself, which the operator has named, or of this house; nobody guards it. */
  unguardedAddress({ hostname }: URL): Promise<string> {
    const looked = lookup(bare(hostname));
    return within(
      looked.then(({ address }) => address),
      { ms: this.#stepMs, code: 'EAI_AGAIN' },
    );
  }

  async tcp(address: string, port: number): Promise<void> {
    (await this.#connected(address, port)).destroy();
  }

  /** Asks a proxy for the way to the hub, as a call would, and answers the open way. @throws {ProxyError} with its status and realm */
  async tunnel(proxy: URL, { host, port }: { host: string; port: number }): Promise<Socket> {
    const named = this.#guard.allowsAll ? host : await this.#guard.addressOf(host);
    const socket = await this.#toProxy(proxy);
    const to = `${named}:${String(port)}`;
    socket.write(`CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n${authorization(proxy)}\r\n`);
    const head = await within(headOf(socket), { ms: this.#stepMs, code: 'UND_ERR_HEADERS_TIMEOUT' });
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
    if (status === 200) return socket;
    socket.destroy();
    const asks = /^proxy-authenticate: *(.{1,120})/im.exec(head)?.[1]?.trim();
    throw refusalOf(status, { proxy: proxy.host, ...(asks === undefined ? {} : { asks }) });
  }

  /** Looks at a certificate without believing it, so that what is wrong can be told with whose it is; nothing is sent. */
  tls(way: Socket | string, { port, host }: { port: number; host: string }): Promise<TlsFacts> {
    const to = typeof way === 'string' ? { host: way, port } : { socket: way };
    return new Promise((resolve, reject) => {
      const socket = connectTls({
        ...to,
        timeout: this.#stepMs,
        rejectUnauthorized: false,
        // A bare address is no name to ask for, and still the name that the certificate is held against.
        ...(isIP(host) === 0 ? { servername: host } : { host }),
      });
      socket.once('secureConnect', () => {
        const facts = { version: socket.getProtocol() ?? '', ...factsOf(socket.getPeerCertificate()) };
        const wrong = faultOf(socket);
        socket.destroy();
        if (wrong === '') resolve(facts);
        else reject(new ProbeError(wrong, facts));
      });
      socket.once('timeout', () => {
        socket.destroy();
        reject(new ProbeError('ETIMEDOUT'));
      });
      socket.once('error', reject);
    });
  }

  async #toProxy(proxy: URL): Promise<Socket> {
    const isTls = proxy.protocol === 'https:';
    const port = Number(proxy.port || (isTls ? 443 : 80));
    const address = await this.unguardedAddress(proxy);
    if (!isTls) return this.#connected(address, port);
    const name = bare(proxy.hostname);
    const socket = connectTls({ host: address, port, ...(isIP(name) === 0 ? { servername: name } : {}) });
    return this.#open(socket, 'secureConnect');
  }

  #connected(address: string, port: number): Promise<Socket> {
    return this.#open(connect({ host: address, port }), 'connect');
  }

  #open(socket: Socket, event: string): Promise<Socket> {
    const opened = new Promise<Socket>((resolve, reject) => {
      socket.once(event, () => {
        resolve(socket);
      });
      socket.once('error', reject);
    });
    return within(opened, { ms: this.#stepMs, code: 'ETIMEDOUT' }).catch((error: unknown) => {
      socket.destroy();
      throw error;
    });
  }
}

const bare = (host: string): string => host.replace(/^\[|\]$/g, '');

const authorization = ({ username, password }: URL): string => {
  if (username === '') return '';
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Proxy-Authorization: Basic ${Buffer.from(login).toString('base64')}\r\n`;
};

function headOf(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let head = '';
    const hear = (part: Buffer): void => {
      head += part.toString('latin1');
      if (!head.includes('\r\n\r\n') && head.length < MOST_ANSWER) return;
      socket.off('data', hear);
      socket.pause();
      resolve(head);
    };
    socket.on('data', hear);
    socket.once('error', reject);
    socket.once('close', () => {
      reject(new ProbeError('UND_ERR_SOCKET'));
    });
  });
}

/** The typings promise an error; Node gives its code. */
const faultOf = ({ authorized, authorizationError }: TLSSocket): string =>
  authorized ? '' : String(authorizationError);

const factsOf = ({ issuer, valid_to: validTo }: PeerCertificate): { issuer: string; validTo: string } => ({
  issuer: [issuer.O, issuer.CN].flat().filter(Boolean).join(', '),
  validTo,
});

const within = <T>(work: Promise<T>, { ms, code }: { ms: number; code: string }): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      setTimeout(() => {
        reject(new ProbeError(code));
      }, ms).unref();
    }),
  ]);

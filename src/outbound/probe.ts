import { getServers, lookup } from 'node:dns';
import { connect, isIP } from 'node:net';
import { connect as connectTls, type PeerCertificate } from 'node:tls';
import { promisify } from 'node:util';
import type { AddressGuard } from './address-guard.ts';

const STEP_MS = 5_000;

/** What was said of the other side, when its certificate was looked at. */
export interface TlsFacts {
  version: string;
  issuer: string;
  validTo: string;
  [fact: string]: string;
}

/** One layer of a connection at a time, for whoever looks for the one that fails. Each has a deadline, and addresses are guarded. */
export class Probe {
  readonly #guard: AddressGuard;

  constructor(guard: AddressGuard) {
    this.#guard = guard;
  }

  resolvers(): string[] {
    return getServers();
  }

  /** The first address that may be called. */
  async address(host: string): Promise<string> {
    this.#guard.assertHost(host);
    const bare = host.replace(/^\[|\]$/g, '');
    const lookUp = promisify(lookup);
    const { address } = await within(lookUp(bare), 'EAI_AGAIN');
    this.#guard.assertHost(address);
    return address;
  }

  tcp(address: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address, port, timeout: STEP_MS });
      socket.once('connect', () => {
        socket.destroy();
        resolve();
      });
      socket.once('timeout', () => {
        socket.destroy();
        reject(coded('ETIMEDOUT'));
      });
      socket.once('error', reject);
    });
  }

  tls(address: string, { port, host }: { port: number; host: string }): Promise<TlsFacts> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({
        host: address,
        port,
        timeout: STEP_MS,
        // A bare address is no name to ask for.
        ...(isIP(host) === 0 ? { servername: host } : {}),
      });
      socket.once('secureConnect', () => {
        const facts = { version: socket.getProtocol() ?? '', ...factsOf(socket.getPeerCertificate()) };
        socket.destroy();
        resolve(facts);
      });
      socket.once('timeout', () => {
        socket.destroy();
        reject(coded('ETIMEDOUT'));
      });
      socket.once('error', reject);
    });
  }
}

const factsOf = ({ issuer, valid_to: validTo }: PeerCertificate): { issuer: string; validTo: string } => ({
  issuer: [issuer.O, issuer.CN].flat().filter(Boolean).join(', '),
  validTo,
});

const coded = (code: string): Error => Object.assign(new Error(code), { code });

const within = <T>(work: Promise<T>, code: string): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      setTimeout(() => {
        reject(coded(code));
      }, STEP_MS).unref();
    }),
  ]);

import { lookup as systemLookUp, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The address lies where a request from outside must not send us: this machine, its network, a cloud's own services. */
export class ForbiddenAddressError extends Error {
  constructor(host: string) {
    super(`${host} is an address of this machine or of a private network`);
    this.name = 'ForbiddenAddressError';
  }
}

/** Asks for all addresses of a name, as `dns.lookup` does. */
export type LookUp = (
  hostname: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void;

/**
 * Which addresses may be called. Public ones always; others only where the operator has allowed them. It is asked for the address that
 * is really connected to, after the name was looked up, so that a name cannot change its mind in between.
 */
export class AddressGuard {
  readonly #allowed = new BlockList();
  readonly allowsAll: boolean;
  readonly #lookUp: LookUp;

  /** `none`, `all`, or addresses and networks with commas: `10.1.2.3, 192.168.0.0/16`. */
  constructor(allowed: string, lookUp: LookUp = systemLookUp) {
    this.#lookUp = lookUp;
    const parts = allowed.split(/[\s,]+/).filter((part) => part !== '' && part !== 'none');
    this.allowsAll = parts.includes('all');
    for (const part of parts.filter((one) => one !== 'all')) this.#allow(part);
  }

  permits(address: string): boolean {
    if (this.allowsAll) return true;
    if (!ipaddr.isValid(address)) return false;
    // An IPv4 address in IPv6 clothes is what it is.
    const plain = ipaddr.process(address);
    if (plain.range() === 'unicast') return true;
    return this.#allowed.check(plain.toString(), plain.kind());
  }

  /** @throws {ForbiddenAddressError} for a literal address that is not permitted; names are judged when they are looked up. */
  assertHost(hostname: string): void {
    const bare = hostname.replace(/^\[|\]$/g, '');
    if (isIP(bare) !== 0 && !this.permits(bare)) throw new ForbiddenAddressError(bare);
  }

  /** For a connection: looks the name up and gives only what is permitted. */
  readonly lookup: LookupFunction = (hostname, options, done) => {
    this.#lookUp(hostname, { ...options, all: true }, (error, found) => {
      if (error) {
        done(error, '');
        return;
      }
      const permitted = found.filter(({ address }) => this.permits(address));
      const [first] = permitted;
      if (!first) done(new ForbiddenAddressError(hostname), '');
      else if (options.all === true) done(null, permitted);
      else done(null, first.address, first.family);
    });
  };

  /** The address to call instead of a name, where somebody else would look the name up: an IPv6 address in its brackets. */
  addressOf(hostname: string): Promise<string> {
    this.assertHost(hostname);
    if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return Promise.resolve(hostname);
    return new Promise((resolve, reject) => {
      this.lookup(hostname, { all: true }, (error, found) => {
        const [first] = typeof found === 'string' ? [] : found;
        if (error) reject(error);
        else if (!first) reject(new ForbiddenAddressError(hostname));
        else resolve(first.family === 6 ? `[${first.address}]` : first.address);
      });
    });
  }

  #allow(part: string): void {
    const [address = '', bits] = part.split('/');
    const kind = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(address) === 0) throw new Error(`${part} is neither an address nor a network`);
    if (bits === undefined) this.#allowed.addAddress(address, kind);
    else this.#allowed.addSubnet(address, Number(bits), kind);
  }
}

import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** What `LATCHKEY_TRUST_PROXY` means to Express: nobody, the machine itself, or the named addresses. Never "everybody". */
export function trustedProxies(setting: string): false | string[] {
  if (setting === 'none') return false;
  return setting
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** The same proxy brings one request after the other: it is judged once. */
export function judgedOnce(trusts: (address: string, hop: number) => boolean): typeof trusts {
  let last = { address: '', isTrusted: false };
  return (address, hop) => {
    if (last.address !== address) last = { address, isTrusted: trusts(address, hop) };
    return last.isTrusted;
  };
}

/** `::ffff:192.0.2.7` is `192.0.2.7`: else a limit on /64 would put all of IPv4 in one bucket. */
export function plainAddress(address: string | undefined): string {
  const kind = isIP(address ?? '');
  if (address === undefined || kind === 0) return '0.0.0.0';
  return kind === 4 ? address : ipaddr.process(address).toString();
}

/** What limits count by: one IPv4 address, or a household's /64. */
export function limitKeyOf(ip: string): string {
  const address = ipaddr.process(ip);
  return address.kind() === 'ipv4' ? ip : `${firstGroups(address, 4)}::/64`;
}

/** What may be kept of an address: /24 or /48. */
export function networkOf(ip: string): string {
  if (isIP(ip) === 4) return `${ip.slice(0, ip.lastIndexOf('.'))}.0/24`;
  const address = ipaddr.process(ip);
  return `${firstGroups(address, 3)}::/48`;
}

const firstGroups = (address: ipaddr.IPv4 | ipaddr.IPv6, count: number): string =>
  address.toNormalizedString().split(':').slice(0, count).join(':');

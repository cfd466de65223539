import type { Socket } from 'node:net';
import type { Outbound, OutboundAnswer } from '../../outbound/outbound.ts';
import type { Probe } from '../../outbound/probe.ts';
import type { ProxyChoice, ProxyRule } from '../../outbound/proxy.ts';
import type { Clock } from '../../shared/clock.ts';
import { problemOfError, problemOfStatus } from '../hub-problem.ts';
import type { Looked, Looks } from './doctor.ts';

interface Deps {
  clock: Clock;
  probe: Probe;
  outbound: Pick<Outbound, 'send' | 'assertCallable'>;
  proxies: ProxyRule;
}

type LineLooks = Pick<
  Looks,
  'settings' | 'proxy' | 'dns' | 'tcp' | 'proxy-connect' | 'tls' | 'ping' | 'marker' | 'clock'
>;

const ONE_MS = 5_000;
const SLOW_CLOCK_MS = 60_000;
const WRONG_CLOCK_MS = 300_000;
/** What we speak with hubs of our own; GLPI's say nothing of it. */
const NETWORK_VERSION = 1;

/** From the settings to the first answer of the hub: what carries the line, layer by layer. */
export function lineLooks(
  { clock, probe, outbound, proxies }: Deps,
  { hub, isOwn }: { hub: string; isOwn: boolean },
): LineLooks {
  const url = URL.parse(hub);
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? '';
  const isTls = url?.protocol === 'https:';
  const port = portOf(url);
  const itself = { proxy: null, why: 'this-machine' } as const;
  const { proxy, why } = url && !isOwn ? proxies.for(url) : itself;
  const seen: { address: string; tunnel: Socket | null; ping: OutboundAnswer | null } = {
    address: '',
    tunnel: null,
    ping: null,
  };
  return {
    settings: () => {
      if (hub === '') return Promise.resolve({ state: 'problem', problem: 'N00' });
      if (!isOwn) outbound.assertCallable(hub);
      return Promise.resolve({ facts: { hub: host, port } });
    },
    proxy: () => Promise.resolve({ facts: { proxy: proxy?.host ?? '-', ...reasonOf(why, proxies) } }),
    dns: async () => {
      const resolvers = probe.resolvers().join(' ');
      const name = proxy?.hostname ?? host;
      try {
        const unguarded = proxy ?? (isOwn ? url : null);
        seen.address = unguarded ? await probe.unguardedAddress(unguarded) : await probe.address(host);
      } catch (error) {
        if (proxy) return { state: 'problem', problem: 'N10', facts: { proxy: proxy.host, resolvers } };
        return { ...lookedAt(error), facts: { name, resolvers } };
      }
      return { facts: { name, address: seen.address, resolvers } };
    },
    tcp: async () => {
      const facts = { port: proxy ? portOf(proxy) : port };
      try {
        await probe.tcp(seen.address, facts.port);
      } catch (error) {
        return proxy
          ? { state: 'problem', problem: 'N10', facts: { proxy: proxy.host } }
          : { ...lookedAt(error), facts: { address: seen.address, ...facts } };
      }
      return { facts };
    },
    'proxy-connect': async () => {
      if (!proxy || !isTls) return { state: 'skipped' };
      seen.tunnel = await probe.tunnel(proxy, { host, port });
      return { facts: { proxy: proxy.host } };
    },
    tls: async () => {
      if (!isTls) return { state: 'skipped' };
      try {
        return { facts: await probe.tls(seen.tunnel ?? seen.address, { port, host }) };
      } catch (error) {
        const { facts, ...looked } = lookedAt(error);
        const here = looked.problem === 'N08' ? { here: new Date(clock.now()).toISOString() } : {};
        return { ...looked, facts: { ...facts, ...here } };
      } finally {
        seen.tunnel?.destroy();
      }
    },
    ping: async () => {
      const ping = await outbound.send({ url: `${hub}/api/ping`, method: 'GET', timeoutMs: ONE_MS });
      seen.ping = ping;
      const { status, tookMs } = ping;
      return status === 200 ? { facts: { status, ms: tookMs } } : refusedWith(ping);
    },
    marker: () => Promise.resolve(markerOf(seen.ping)),
    clock: () => Promise.resolve(clockOf(seen.ping, clock.now())),
  };
}

/** What a failure says, with all that was seen before it. */
export function lookedAt(error: unknown): Looked {
  const facts: Record<string, string> = {};
  for (let at = error; at instanceof Error; at = at.cause) if ('facts' in at) Object.assign(facts, at.facts);
  return { state: 'problem', problem: problemOfError(error), facts };
}

/** An answer that is none, with what its sender says about it. */
export function refusedWith({ status, headers }: Pick<OutboundAnswer, 'status' | 'headers'>): Looked {
  const told = ['retry-after', 'location', 'server', 'x-request-id'].flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value.slice(0, 120)] as const];
  });
  const problem = problemOfStatus(status, headers['content-type'] ?? '');
  return { state: 'problem', problem, facts: { status, ...Object.fromEntries(told) } };
}

const portOf = (url: URL | null): number =>
  Number(url?.port !== '' && url ? url.port : url?.protocol === 'https:' ? 443 : 80);

/** The variable that decided. */
const reasonOf = (why: ProxyChoice['why'], { from }: ProxyRule): Record<string, string> =>
  ({
    none: {},
    set: { because: from },
    bypassed: { because: 'NO_PROXY' },
    'this-machine': { because: 'localhost' },
  })[why];

/** A filter or a login page answers 200 as well. */
function markerOf(ping: OutboundAnswer | null): Looked {
  const said = objectIn(ping?.text ?? '');
  if (said) {
    const version = Number(said['network'] ?? NETWORK_VERSION);
    if (version <= NETWORK_VERSION) return {};
    return { state: 'problem', problem: 'V02', facts: { speaks: version, here: NETWORK_VERSION } };
  }
  const title = /<title>([^<]{1,120})/i.exec(ping?.text ?? '')?.[1]?.trim();
  return {
    state: 'problem',
    problem: problemOfStatus(200, ping?.headers['content-type'] ?? ''),
    facts: title === undefined ? {} : { title },
  };
}

/** Half of the way there and back is not the clock's fault. */
function clockOf(ping: OutboundAnswer | null, now: number): Looked {
  const there = Date.parse(ping?.headers['date'] ?? '');
  if (Number.isNaN(there)) return { state: 'skipped' };
  const off = now - there - (ping?.tookMs ?? 0) / 2;
  const facts = { seconds: Math.round(off / 1000) };
  if (Math.abs(off) > WRONG_CLOCK_MS) return { state: 'problem', problem: 'C01', facts };
  return Math.abs(off) > SLOW_CLOCK_MS ? { state: 'warning', problem: 'C01', facts } : { facts };
}

export function objectIn(text: string): Record<string, unknown> | null {
  try {
    const said: unknown = JSON.parse(text);
    return typeof said === 'object' && said !== null ? { ...said } : null;
  } catch {
    return null;
  }
}

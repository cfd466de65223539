import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../db/database.ts';
import type { Outbound, OutboundAnswer } from '../../outbound/outbound.ts';
import type { Probe } from '../../outbound/probe.ts';
import type { Actor } from '../../shared/actor.ts';
import type { Clock } from '../../shared/clock.ts';
import { ForbiddenError } from '../../shared/errors.ts';
import type { EntitlementService } from '../entitlement/entitlement-service.ts';
import type { HubClient } from '../hub-client.ts';
import { problemOfError, problemOfStatus } from '../hub-problem.ts';
import type { NetworkService } from '../network-service.ts';
import type { TrustService } from '../trust/trust-service.ts';
import { examine, type Finding, type Looked, type Looks } from './doctor.ts';
import { findRun, storeRun, type DoctorRun } from './doctor-repository.ts';

interface Deps {
  db: Database;
  clock: Clock;
  probe: Probe;
  outbound: Pick<Outbound, 'send' | 'assertCallable'>;
  hub: HubClient;
  network: Pick<NetworkService, 'status' | 'credentials'>;
  trust: Pick<TrustService, 'status' | 'refresh'>;
  entitlements: Pick<EntitlementService, 'status'>;
  address: () => Promise<string>;
  /** Where packages are unpacked. */
  folder: string;
}

const SLOW_CLOCK_MS = 60_000;
const WRONG_CLOCK_MS = 300_000;
const ENOUGH_BYTES = 120 * 1024 * 1024;
const ONE_MS = 5_000;

/** Looks at every layer between here and the hub, and says which one fails. */
export class NetworkDoctor {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async last(actor: Actor): Promise<DoctorRun | null> {
    assertMayManage(actor);
    return findRun(this.#deps.db);
  }

  /** Takes up to 45 seconds; the page does not wait for it. */
  async run(actor: Actor): Promise<Finding[]> {
    assertMayManage(actor);
    const { db, clock } = this.#deps;
    const findings = await examine(this.#looks(actor, await this.#deps.address()), problemOf);
    const before = await findRun(db);
    const run = { ranAt: clock.now(), findings, beforeThat: before?.findings ?? null };
    await db.transaction((tx) => storeRun(tx, run));
    return findings;
  }

  #looks(actor: Actor, hub: string): Looks {
    const { probe, outbound, network, trust, entitlements, clock } = this.#deps;
    const url = URL.parse(hub);
    const host = url?.hostname ?? '';
    const isTls = url?.protocol === 'https:';
    const port = Number(url?.port === '' || !url ? (isTls ? 443 : 80) : url.port);
    const seen: { address: string; ping: OutboundAnswer | null } = { address: '', ping: null };
    const nothingToDo = (): Promise<Looked> => Promise.resolve({ state: 'skipped' });
    return {
      settings: () => {
        if (hub === '') return Promise.resolve({ state: 'problem', problem: 'N00' });
        outbound.assertCallable(hub);
        return Promise.resolve({ facts: { hub: host, port } });
      },
      proxy: nothingToDo,
      dns: async () => {
        seen.address = await probe.address(host);
        return { facts: { address: seen.address, resolvers: probe.resolvers().join(' ') } };
      },
      tcp: async () => {
        await probe.tcp(seen.address, port);
        return { facts: { port } };
      },
      'proxy-connect': nothingToDo,
      tls: async () =>
        isTls ? { facts: await probe.tls(seen.address, { port, host }) } : { state: 'skipped' },
      ping: async () => {
        const ping = await outbound.send({ url: `${hub}/api/ping`, method: 'GET', timeoutMs: ONE_MS });
        seen.ping = ping;
        const { status, headers, tookMs } = ping;
        if (status === 200) return { facts: { status, ms: tookMs } };
        return { state: 'problem', problem: problemOfStatus(status, headers['content-type'] ?? '') };
      },
      marker: () => Promise.resolve(markerOf(seen.ping)),
      clock: () => Promise.resolve(clockOf(seen.ping, clock.now())),
      key: async () => {
        const { key } = await network.status(actor);
        const problem = { none: 'K01', unreadable: 'K13', 'other-hub': 'K05' }[key.light as string];
        return problem === undefined ? { facts: { key: key.mark ?? '' } } : { state: 'problem', problem };
      },
      'key-online': () => this.#askAboutKey(),
      plan: async () => {
        const { state, offer } = await entitlements.status();
        const facts = { plan: offer ?? '-', state };
        if (state === 'ended') return { state: 'warning', problem: 'K09', facts };
        if (state === 'revoked') return { state: 'warning', problem: 'K08', facts };
        if (state === 'not-yet') return { state: 'warning', problem: 'K10', facts };
        return { facts };
      },
      catalogue: async () => {
        const { status, headers, isCut } = await outbound.send({
          url: `${hub}/api/marketplace/plugins`,
          method: 'GET',
          headers: { 'x-range': '0-0' },
          timeoutMs: ONE_MS,
        });
        if (isCut) return { state: 'problem', problem: 'N16' };
        if (status === 200) return { facts: { status } };
        return { state: 'problem', problem: problemOfStatus(status, headers['content-type'] ?? '') };
      },
      download: nothingToDo,
      signatures: async () => {
        await trust.refresh();
        const { state, problem, isStale } = await trust.status();
        if (problem !== null) return { state: 'problem', problem };
        if (state === 'unconfirmed') return { state: 'warning', problem: 'S09' };
        if (state !== 'confirmed') return { state: 'skipped' };
        return isStale ? { state: 'warning', problem: 'S03' } : {};
      },
      folder: () => this.#lookAtFolder(),
      plugins: nothingToDo,
    };
  }

  async #askAboutKey(): Promise<Looked> {
    const credentials = await this.#deps.network.credentials();
    if (!credentials) return { state: 'problem', problem: 'K01' };
    const signal = AbortSignal.timeout(ONE_MS);
    const outcome = await this.#deps.hub.ask({ ...credentials, locale: 'en', signal });
    if ('problem' in outcome) return { state: 'problem', problem: outcome.problem };
    return outcome.answer.isValid ? {} : { state: 'problem', problem: 'K07' };
  }

  async #lookAtFolder(): Promise<Looked> {
    const { folder } = this.#deps;
    const draft = join(folder, `.doctor-${randomUUID()}`);
    try {
      await mkdir(folder, { recursive: true });
      await writeFile(draft, 'x', { flag: 'wx' });
      await rename(draft, `${draft}.moved`);
      await rm(`${draft}.moved`);
      const { bavail, bsize } = await statfs(folder);
      const free = bavail * bsize;
      const facts = { free: `${String(Math.round(free / 1024 / 1024))} MB` };
      return free < ENOUGH_BYTES ? { state: 'problem', problem: 'F02', facts } : { facts };
    } catch (error) {
      const isFull = error instanceof Error && 'code' in error && error.code === 'ENOSPC';
      return { state: 'problem', problem: isFull ? 'F02' : 'F01' };
    }
  }
}

/** A filter or a login page answers 200 as well. */
function markerOf(ping: OutboundAnswer | null): Looked {
  const type = ping?.headers['content-type'] ?? '';
  try {
    const said: unknown = JSON.parse(ping?.text ?? '');
    if (typeof said === 'object' && said !== null) return {};
  } catch {
    // Told below.
  }
  const title = /<title>([^<]{1,120})/i.exec(ping?.text ?? '')?.[1]?.trim();
  return {
    state: 'problem',
    problem: problemOfStatus(200, type),
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

const problemOf = (error: unknown): string => problemOfError(error);

function assertMayManage(actor: Actor): void {
  if (!actor.can('network.manage')) throw new ForbiddenError('forbidden');
}

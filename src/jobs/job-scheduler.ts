import { Cron } from 'croner';
import type { Database } from '../db/database.ts';
import type { Hooks, Undo } from '../hooks/index.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../shared/clock.ts';
import { failureText } from './failure-text.ts';
import { jobFailed, jobFinished, jobMayRun } from './job-hooks.ts';
import {
  endTurn,
  enrolJob,
  findJob,
  listJobs,
  putOff,
  renewLease,
  takeTurn,
  type JobLease,
  type JobRow,
} from './job-repository.ts';
import { Poller } from './poller.ts';

export interface JobTurn {
  /** Aborted when the job is taken away, takes too long, or has lost its lease. */
  signal: AbortSignal;
}

export type JobDefinition = {
  /** Dotted, the owner first: `jobs.housekeeping`. */
  id: string;
  run: (turn: JobTurn) => Promise<void>;
  /** In one process of the cluster at a time, unless said otherwise. */
  runOn?: 'once-per-cluster' | 'every-process';
  /** After this the turn is given up. Ten minutes unless said. */
  deadlineMs?: number;
} & (
  | { everyMs: number }
  /** Five fields, as in crontab; the time zone is an IANA name, else UTC. */
  | { cron: string; timeZone?: string }
);

export interface ListedJob extends JobRow {
  /** This process could run it. */
  isHere: boolean;
}

interface Deps {
  db: Database;
  clock: Clock;
  log: Log;
  hooks?: Pick<Hooks, 'veto' | 'emit'>;
  onFault?: (fault: { job: string; error: unknown }) => void;
  tickMs?: number;
}

interface Entry {
  definition: JobDefinition;
  /** No look at the database before this. */
  checkAt: number;
  isEnrolled: boolean;
  running: { abort: AbortController; done: Promise<void> } | null;
}

const TICK_MS = 1_000;
const LEASE_MS = 60_000;
const RENEW_MS = 15_000;
const DEADLINE_MS = 10 * 60_000;
const LONGEST_LOOK_AWAY_MS = 60_000;
/** A turn by the clock that is this late was missed, and is left out. */
const LATE_MS = 5 * 60_000;

/** Runs what has to be done every so often. A turn belongs to one process of the cluster, by a lease in the database. */
export class JobScheduler {
  readonly #deps: Deps;
  readonly #entries = new Map<string, Entry>();
  readonly #poller: Poller;

  constructor(deps: Deps) {
    this.#deps = deps;
    const { log, tickMs = TICK_MS } = deps;
    this.#poller = new Poller({ work: () => this.#tick(), idleMs: tickMs, log, name: 'jobs' });
  }

  /** Undoing it aborts a turn in progress. Missed turns are not made up for. */
  every(definition: JobDefinition): Undo {
    if (this.#entries.has(definition.id)) throw new Error(`There is a job ${definition.id} already`);
    const entry: Entry = { definition, checkAt: 0, isEnrolled: false, running: null };
    if (definition.runOn === 'every-process') entry.checkAt = this.#nextAt(definition);
    this.#entries.set(definition.id, entry);
    return () => {
      if (this.#entries.get(definition.id) === entry) this.#entries.delete(definition.id);
      entry.running?.abort.abort();
    };
  }

  start(): void {
    this.#poller.start();
  }

  /** Starts nothing more, lets turns finish for `graceMs`, then aborts them. */
  async stop({ graceMs = 5_000 } = {}): Promise<void> {
    await this.#poller.stop();
    const running = [...this.#entries.values()].flatMap((entry) => entry.running ?? []);
    const impatience = setTimeout(() => {
      for (const { abort } of running) abort.abort();
    }, graceMs);
    await Promise.all(running.map(({ done }) => done));
    clearTimeout(impatience);
  }

  /** Runs a job of this process now, whenever it is due; for the command line and for tests. */
  async runNow(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (!entry) throw new Error(`There is no job ${id}`);
    await entry.definition.run({ signal: AbortSignal.timeout(entry.definition.deadlineMs ?? DEADLINE_MS) });
  }

  /** As the cluster knows them. */
  async list(): Promise<ListedJob[]> {
    const rows = await listJobs(this.#deps.db);
    return rows.map((row) => ({ ...row, isHere: this.#entries.has(row.id) }));
  }

  async #tick(): Promise<boolean> {
    for (const entry of this.#entries.values()) {
      if (this.#poller.isStopping) return false;
      if (entry.running || entry.checkAt > this.#deps.clock.now()) continue;
      if (entry.definition.runOn === 'every-process') this.#runHere(entry);
      else await this.#tryTurn(entry);
    }
    return false;
  }

  #runHere(entry: Entry): void {
    entry.checkAt = this.#nextAt(entry.definition);
    this.#begin(entry, null);
  }

  async #tryTurn(entry: Entry): Promise<void> {
    const { db, clock } = this.#deps;
    const { definition } = entry;
    const { id } = definition;
    await this.#enrol(entry);
    const lease = await takeTurn(db, {
      id,
      now: clock.now(),
      nextAt: this.#nextAt(definition),
      leaseMs: LEASE_MS,
    });
    if (lease) this.#begin(entry, lease);
    const row = await findJob(db, id);
    const now = clock.now();
    entry.checkAt = Math.min(
      Math.max(row?.nextAt ?? now, row?.leaseUntil ?? now),
      now + LONGEST_LOOK_AWAY_MS,
    );
  }

  async #enrol(entry: Entry): Promise<void> {
    if (entry.isEnrolled) return;
    const { db, clock } = this.#deps;
    const { definition } = entry;
    const { id } = definition;
    const nextAt = this.#nextAt(definition);
    await db.transaction((tx) => enrolJob(tx, { id, schedule: scheduleOf(definition), nextAt }));
    const row = await findJob(db, id);
    const wasMissed = row !== null && 'cron' in definition && row.nextAt < clock.now() - LATE_MS;
    if (wasMissed) await db.transaction((tx) => putOff(tx, { id, missed: row.nextAt, nextAt }));
    entry.isEnrolled = true;
  }

  #begin(entry: Entry, lease: JobLease | null): void {
    const abort = new AbortController();
    const done = this.#run(entry.definition, lease, abort).finally(() => {
      entry.running = null;
    });
    entry.running = { abort, done };
  }

  async #run(definition: JobDefinition, lease: JobLease | null, abort: AbortController): Promise<void> {
    const { log, hooks, onFault } = this.#deps;
    const startedAt = performance.now();
    const { id, deadlineMs = DEADLINE_MS } = definition;
    const keepAlive = lease && setInterval(() => void this.#renew(lease, abort), RENEW_MS);
    let problem: string | null = null;
    try {
      await hooks?.veto(jobMayRun, { job: id });
      const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(deadlineMs)]);
      await Promise.race([definition.run({ signal }), whenAborted(signal)]);
    } catch (error) {
      problem = failureText(error);
      log.warn({ job: id, error }, 'A job failed');
      if (!abort.signal.aborted) onFault?.({ job: id, error });
    } finally {
      if (keepAlive) clearInterval(keepAlive);
    }
    if (lease) await this.#end(lease, { problem, tookMs: Math.round(performance.now() - startedAt) });
  }

  async #end(
    lease: JobLease,
    { problem, tookMs }: { problem: string | null; tookMs: number },
  ): Promise<void> {
    const { db, clock, log, hooks } = this.#deps;
    const told = { job: lease.id, tookMs };
    const about = { aggregate: `job:${lease.id}` };
    try {
      await db.transaction(async (tx) => {
        await endTurn(tx, lease, { at: clock.now(), error: problem });
        if (problem === null) await hooks?.emit(tx, jobFinished, told, about);
        else await hooks?.emit(tx, jobFailed, { ...told, problem }, about);
      });
    } catch (failure) {
      log.error({ job: lease.id, error: failure }, 'The end of a job could not be recorded');
    }
  }

  async #renew(lease: JobLease, abort: AbortController): Promise<void> {
    const { db, clock } = this.#deps;
    try {
      const isKept = await db.transaction((tx) => renewLease(tx, lease, clock.now() + LEASE_MS));
      if (!isKept) abort.abort(new Error('The lease was lost'));
    } catch (error) {
      this.#deps.log.warn({ job: lease.id, error }, 'A lease could not be renewed');
    }
  }

  #nextAt(definition: JobDefinition): number {
    const now = this.#deps.clock.now();
    if ('everyMs' in definition) return now + definition.everyMs;
    const cron = new Cron(definition.cron, { timezone: definition.timeZone ?? 'UTC' });
    const next = cron.nextRun(new Date(now));
    if (next === null) throw new Error(`The schedule ${definition.cron} never comes`);
    return next.getTime();
  }
}

const scheduleOf = (definition: JobDefinition): string =>
  'everyMs' in definition
    ? durationOf(definition.everyMs)
    : `${definition.cron} ${definition.timeZone ?? 'UTC'}`;

/** In signs that need no translation: `6 h`, `10 min`, `30 s`. */
function durationOf(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds % 3_600 === 0) return `${String(seconds / 3_600)} h`;
  return seconds % 60 === 0 ? `${String(seconds / 60)} min` : `${String(seconds)} s`;
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('Aborted'));
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

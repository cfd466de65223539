import { setTimeout as rest } from 'node:timers/promises';
import { system, TooManyError, type Actor, type Host, type Tx } from 'latchkey/plugin-api';
import type { Carries } from '../carries/carries.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { findKeys } from '../keys/key-repository.ts';
import type { DrawnKey, KeyService } from '../keys/key-service.ts';
import type { Plan } from '../keys/plan.ts';
import type { RosterBook } from '../roster/roster-book.ts';
import { findRoster } from '../roster/roster-repository.ts';
import type { LetterTicket } from '../seats/join-mails.ts';
import type { InvitationPost } from './invitation-post.ts';
import { nextLines, noteInvitee, settleLine } from './line-repository.ts';
import { isOpenFor } from './round-policy.ts';
import { chosenVerdicts, roundSubject, type Line, type Round } from './round.ts';
import {
  findRound,
  holdRound,
  letGoOfRound,
  listIdleRounds,
  moveRound,
  takeRound,
} from './round-repository.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  post: InvitationPost;
  rosters: RosterBook;
}

/** So few that a portion is over before anybody notices. */
const PORTION = 3;
/** Entries of a list are cheap: a digest and a row. */
const LISTED_AT_ONCE = 50;
const LONGEST_REST_MS = 250;
/** Renewed with every portion. As long a round waits for the next process when this one is gone, however it went. */
const LEASE_MS = 15_000;
const MOST_ROUNDS = 20;

/** What is known of a portion before its transaction. */
interface Mailing {
  tooOften: ReadonlySet<string>;
  replyTo: string | null;
  /** By key, where it was made for one. */
  tickets: ReadonlyMap<string, LetterTicket | null>;
}

/** What a round does with one portion. */
type Work = (tx: Tx) => Promise<void>;

/**
 * Works rounds off in small portions, each a transaction whose first statement holds the round: pausing, stopping and another process
 * taking over are exact, and nobody is written to twice.
 */
export class RoundRunner {
  readonly #deps: Deps;
  readonly #running = new Map<string, Promise<void>>();

  constructor(deps: Deps) {
    this.#deps = deps;
    deps.host.onDispose(() => Promise.all(this.#running.values()).then(() => undefined));
  }

  /** Begins at once, in this process, without making anybody wait. Where it was just paused, the last portion ends first. */
  kick(id: string): void {
    const { host } = this.#deps;
    const before = this.#running.get(id) ?? Promise.resolve();
    const running = before
      .then(() => this.run(id, host.signal))
      .catch((error: unknown) => {
        if (!host.signal.aborted)
          host.log.error({ round: id, error }, 'A round of invitations was interrupted');
      })
      .finally(() => {
        if (this.#running.get(id) === running) this.#running.delete(id);
      });
    this.#running.set(id, running);
  }

  /** For tests and the command line: until nothing is running here. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  /** Rounds that nobody is working on, whoever began them. */
  async runIdle(signal: AbortSignal): Promise<void> {
    const { db, clock } = this.#deps.host;
    for (const id of await listIdleRounds(db, clock.now(), MOST_ROUNDS)) {
      if (signal.aborted) return;
      await this.run(id, signal);
    }
  }

  async run(id: string, signal: AbortSignal): Promise<void> {
    const { host, post } = this.#deps;
    const fence = await host.transaction((tx) =>
      takeRound(tx, id, { now: host.clock.now(), leaseMs: LEASE_MS }),
    );
    const round = fence === null ? null : await findRound(host.db, id);
    if (fence === null || round === null) return;
    const maker = await this.#makerOf(round);
    if (maker === null) {
      await host.transaction((tx) =>
        moveRound(tx, id, ['sending'], { state: 'stopped', finishedAt: host.clock.now() }),
      );
      return;
    }
    let after = -1;
    for (;;) {
      if (signal.aborted) return this.#letGo(id, fence);
      const lines = await nextLines(
        host.db,
        { roundId: id, verdicts: chosenVerdicts(round.terms), state: 'waiting', after },
        sendsMails(round) ? PORTION : LISTED_AT_ONCE,
      );
      if (lines.length === 0) break;
      const before = performance.eventLoopUtilization();
      if (sendsMails(round)) await post.turn(lines.length, signal);
      try {
        if (!(await this.#portion(round, maker, lines, fence))) return;
      } catch (error) {
        // More than this server takes of us in a minute: here later, or on another one now.
        if (error instanceof TooManyError) return this.#letGo(id, fence);
        throw error;
      }
      after = lines.at(-1)?.position ?? after;
      // Half of the time is for others: requests, and the mails that are written already, which take many turns of the loop each.
      const { active } = performance.eventLoopUtilization(before);
      await rest(Math.min(active, LONGEST_REST_MS));
    }
    await this.#finish(round, maker);
  }

  async #letGo(id: string, fence: number): Promise<void> {
    await this.#deps.host.transaction((tx) => letGoOfRound(tx, id, fence));
  }

  async #makerOf({ ownerId }: Round): Promise<Actor | null> {
    return ownerId === null ? system : this.#deps.host.users.actorOf(ownerId);
  }

  /** False when the round is not ours any more. */
  async #portion(round: Round, maker: Actor, lines: readonly Line[], fence: number): Promise<boolean> {
    const { host } = this.#deps;
    const work = await this.#workFor(round, maker, lines);
    return host.transaction(async (tx) => {
      const until = host.clock.now() + LEASE_MS;
      if (!(await holdRound(tx, round.id, { fence, until }))) return false;
      await work(tx);
      return true;
    });
  }

  async #workFor(round: Round, maker: Actor, lines: readonly Line[]): Promise<Work> {
    const { post } = this.#deps;
    const norms = lines.flatMap(({ emailNorm }) => (emailNorm === null ? [] : [emailNorm]));
    const mails = sendsMails(round);
    const heard = {
      tooOften: mails ? await post.tooOften(norms) : new Set<string>(),
      replyTo: mails ? await post.replyToOf(round.ownerId) : null,
    };
    if (round.kind === 'personal')
      return this.#personal(round, maker, lines, { ...heard, tickets: new Map() });
    const keys = await this.#keysOf(round, lines);
    const tickets = new Map<string, LetterTicket | null>();
    for (const key of keys.values())
      if (mails && key.ticketId !== null) tickets.set(key.id, await post.ticketOf(key));
    const about = { ...heard, tickets };
    const roster =
      round.kind === 'roster' && round.keyId !== null
        ? await findRoster(this.#deps.host.db, round.keyId)
        : null;
    return async (tx) => {
      if (roster !== null)
        await this.#deps.rosters.add(
          tx,
          roster,
          lines.map(({ emailNorm, staffNumber }) => emailNorm ?? staffNumber ?? ''),
        );
      for (const line of lines) {
        const key = keys.get(line.keyId ?? round.keyId ?? '');
        if (round.kind === 'roster' && !mails)
          await this.#settle(tx, line, { state: 'done', problem: null, key });
        else await this.#mail(tx, round, line, { key, ...about });
      }
    };
  }

  async #keysOf(round: Round, lines: readonly Line[]): Promise<Map<string, InvitationKey>> {
    const ids = [...new Set(lines.map(({ keyId }) => keyId ?? round.keyId ?? ''))];
    return findKeys(
      this.#deps.host.db,
      ids.filter((id) => id !== ''),
    );
  }

  /** Secrets are drawn before the transaction, and written with it or not at all. */
  async #personal(round: Round, maker: Actor, lines: readonly Line[], about: Mailing): Promise<Work> {
    const { keys } = this.#deps;
    const drawn = new Map<string, DrawnKey>();
    const plans = new Map<string, Plan>();
    for (const line of lines) {
      if (line.emailNorm === null || about.tooOften.has(line.emailNorm)) continue;
      const plan = await this.#planFor(round, maker, line, plans);
      drawn.set(line.id, keys.draw(maker, plan, { showOnce: false, batchId: round.id }));
    }
    return async (tx) => {
      for (const line of lines) {
        const mine = drawn.get(line.id);
        if (mine) await keys.write(tx, maker, [mine]);
        await this.#mail(tx, round, line, { key: mine?.key, ...about });
      }
    };
  }

  /** Asked once for each set of groups; everybody's own address, name and language are put in. */
  async #planFor(round: Round, maker: Actor, line: Line, plans: Map<string, Plan>): Promise<Plan> {
    const { draft, groupsFromList } = round.terms;
    const groups = [...new Set([...(draft.groups ?? []), ...(groupsFromList ? line.groupIds : [])])].sort();
    const name = groups.join(' ');
    const plan =
      plans.get(name) ?? (await this.#deps.keys.plan(maker, { ...draft, groups, email: line.email }));
    plans.set(name, plan);
    const { label, locale, carries } = plan.terms;
    const own = {
      email: line.email,
      emailNorm: line.emailNorm,
      locale: line.locale ?? locale,
      carries: named(carries, line.name),
    };
    return {
      ...plan,
      terms: { ...plan.terms, ...own, label: label === '' ? line.name.slice(0, 120) : label },
    };
  }

  async #mail(
    tx: Tx,
    round: Round,
    line: Line,
    { key, tooOften, replyTo, tickets }: Mailing & { key: InvitationKey | undefined },
  ): Promise<void> {
    const { host, post } = this.#deps;
    const { email, emailNorm } = line;
    const problem = problemOf(line, { key, tooOften, now: host.clock.now() });
    if (problem !== null || emailNorm === null || key === undefined) {
      await this.#settle(tx, line, { state: 'skipped', problem: problem ?? 'no_key', key });
      return;
    }
    if (!(await this.#settle(tx, line, { state: 'done', problem: null, key }))) return;
    const locale = line.locale ?? round.locale ?? key.locale ?? (await host.site()).locale;
    const inviteeId = await post.write(tx, {
      key,
      to: { email, emailNorm, locale },
      kind: round.kind === 'nudge' ? 'reminder' : 'invitation',
      inviter: round.ownerName,
      message: round.message,
      sentBy: round.ownerId,
      replyTo,
      ticket: tickets.get(key.id) ?? null,
    });
    await noteInvitee(tx, line.id, inviteeId);
  }

  #settle(
    tx: Tx,
    line: Line,
    { state, problem, key }: Pick<Line, 'state' | 'problem'> & { key: InvitationKey | undefined },
  ): Promise<boolean> {
    const settledAt = this.#deps.host.clock.now();
    const { inviteeId } = line;
    return settleLine(tx, line.id, { state, problem, keyId: key?.id ?? line.keyId, inviteeId, settledAt });
  }

  async #finish(round: Round, maker: Actor): Promise<void> {
    const { host } = this.#deps;
    await host.transaction(async (tx) => {
      const done = { state: 'done', finishedAt: host.clock.now() } as const;
      if (!(await moveRound(tx, round.id, ['sending'], done))) return;
      await host.audit.record(tx, maker, { action: 'invitation-round.finished', ...roundSubject(round) });
    });
  }
}

/** Whose name the list has need not type it; whoever is called otherwise may. */
const named = (carries: Carries, name: string): Carries =>
  name === '' || carries.given.name !== undefined
    ? carries
    : { ...carries, given: { ...carries.given, name: { value: name, fixed: false } } };

const sendsMails = ({ kind, terms }: Round): boolean => kind !== 'roster' || terms.mails;

function problemOf(
  { emailNorm }: Line,
  { key, tooOften, now }: { key: InvitationKey | undefined; tooOften: ReadonlySet<string>; now: number },
): string | null {
  if (emailNorm !== null && tooOften.has(emailNorm)) return 'too_often';
  if (key === undefined) return 'no_key';
  return isOpenFor(key, now) ? null : 'not_open';
}

import type { Database } from '../db/database.ts';
import type { Hooks } from '../hooks/index.ts';
import { system, type Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError } from '../shared/errors.ts';
import { solutionDraft, solutionMayPropose } from './desk-hooks.ts';
import { byOf, factsOf } from './ticket-news.ts';
import { assertMayJudgeSolution, assertMaySolve } from './ticket-policy.ts';
import { listLongSolved } from './ticket-repository.ts';
import type { Once } from './once-repository.ts';
import { collision } from './ticket-service.ts';
import type { TicketWriter } from './ticket-writer.ts';
import type { Ticket } from './ticket.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  writer: TicketWriter;
}

const DAY_MS = 86_400_000;
const BATCH = 200;

/** The end of a ticket: proposed by those who help, judged by the one who asked. */
export class SolutionService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async propose(
    actor: Actor,
    number: number,
    {
      body,
      attachments = [],
      version,
    }: { body: string; attachments?: readonly string[]; version?: number | undefined },
  ): Promise<Ticket> {
    const { writer, hooks } = this.#deps;
    const { ticket } = await writer.move(actor, number, async (current) => {
      assertMaySolve(actor, current);
      if (version !== undefined && version !== current.version) throw collision(current);
      const about = { ...byOf(actor), ticket: factsOf(current) };
      const draft = await hooks.filter(solutionDraft, { body }, about);
      await hooks.veto(solutionMayPropose, { ...about, draft });
      const said = { kind: 'solution' as const, visibility: 'public' as const, ...draft, attachments };
      return { said, change: { status: 'solved' as const } };
    });
    return ticket;
  }

  /** "Yes, that helped": the ticket is closed. */
  async accept(actor: Actor, number: number, { once }: { once?: Once | undefined } = {}): Promise<Ticket> {
    const { ticket } = await this.#deps.writer.move(actor, number, (current) => {
      assertMayJudgeSolution(actor, current);
      return Promise.resolve({ change: { status: 'closed' as const }, verdict: 'accepted' as const, once });
    });
    return ticket;
  }

  /** "No, and this is why": the ticket is open again. */
  async refuse(
    actor: Actor,
    number: number,
    { reason, attachments = [] }: { reason: string; attachments?: readonly string[] },
  ): Promise<Ticket> {
    const { ticket } = await this.#deps.writer.move(actor, number, (current) => {
      assertMayJudgeSolution(actor, current);
      const said = { kind: 'follow-up' as const, visibility: 'public' as const, body: reason, attachments };
      return Promise.resolve({ said, change: { status: 'open' as const }, verdict: 'refused' as const });
    });
    return ticket;
  }

  /** Closes what was solved `days` ago and nobody came back to. Returns how many. */
  async closeLongSolved({ days }: { days: number }): Promise<number> {
    const { db, clock } = this.#deps;
    const old = await listLongSolved(db, { before: clock.now() - days * DAY_MS, limit: BATCH });
    let closed = 0;
    for (const { number, version } of old) closed += (await this.#close(number, version)) ? 1 : 0;
    return closed;
  }

  async #close(number: number, version: number): Promise<boolean> {
    try {
      await this.#deps.writer.move(system, number, (current) => {
        if (current.version !== version) throw collision(current);
        return Promise.resolve({ change: { status: 'closed' as const } });
      });
      return true;
    } catch (error) {
      if (error instanceof ConflictError) return false;
      throw error;
    }
  }
}

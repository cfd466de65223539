import { ForbiddenError, type Actor, type Host, type Page, type PageRequest } from 'latchkey/plugin-api';
import { answersIn, averageOf, type Answered, type Distribution, type Rating } from './survey.ts';
import { averageByWeek, countAsked, countByRating, listAnswers, type Scope } from './survey-repository.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const WEEKS = 12;

export interface Summary {
  days: number;
  answers: number;
  asked: number;
  /** Of 5; null while nobody has answered. */
  average: number | null;
  distribution: Distribution;
}

/** What people said, in the entities whose answers an actor may read. */
export class ResultsService {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async summary(actor: Actor, days: number): Promise<Summary> {
    const scope = scopeOf(actor);
    const from = this.#host.clock.now() - days * DAY_MS;
    const [distribution, asked] = await Promise.all([
      countByRating(this.#host.db, scope, from),
      countAsked(this.#host.db, scope, from),
    ]);
    return { days, answers: answersIn(distribution), asked, average: averageOf(distribution), distribution };
  }

  /** The last twelve weeks, oldest first; 0 is a week without answers. */
  async weeks(actor: Actor): Promise<{ from: number; average: number }[]> {
    const from = this.#host.clock.now() + 1 - WEEKS * WEEK_MS;
    const averages = await averageByWeek(this.#host.db, scopeOf(actor), from);
    return Array.from({ length: WEEKS }, (_, at) => ({
      from: from + at * WEEK_MS,
      average: Math.round((averages.get(at) ?? 0) * 10) / 10,
    }));
  }

  answers(actor: Actor, rating: Rating | null, page: PageRequest): Promise<Page<Answered>> {
    return listAnswers(this.#host.db, { scope: scopeOf(actor), rating }, page);
  }
}

function scopeOf(actor: Actor): Scope {
  if (!actor.can('satisfaction.read')) throw new ForbiddenError('satisfaction.not-reader');
  return actor.entitiesWith('satisfaction.read');
}

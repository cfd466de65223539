import type { Database } from '../db/database.ts';
import type { Hooks } from '../hooks/hooks.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import type { CategoryService } from './category-service.ts';
import { dashboardCards, type DashboardCard } from './desk-contributions.ts';
import { dashboardFigures } from './desk-hooks.ts';
import type { Dashboard } from './dashboard.ts';
import { averageFirstReply, countByCategory, countByDay, countByStatus } from './dashboard-repository.ts';
import { filterQuery } from './ticket-filter.ts';
import { countTickets, firstTickets } from './ticket-list-repository.ts';
import type { TicketListService } from './ticket-list-service.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  categories: CategoryService;
  lists: TicketListService;
}

const DAY_MS = 86_400_000;
const DAYS = 30;
const SHOWN = 5;
const SHOWN_CATEGORIES = 8;

/** The numbers of the day, of the tickets this actor may see. */
export class DashboardService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async today(actor: Actor): Promise<Dashboard> {
    const { db, lists } = this.#deps;
    const scope = await lists.scopeOf(actor);
    const from = this.#firstDay();
    const mine = filterQuery.parse({ assignee: 'me' });
    const [
      byStatus,
      byCategory,
      created,
      solved,
      averageFirstReplyMs,
      unassigned,
      myWork,
      mineTotal,
      oldest,
    ] = await Promise.all([
      countByStatus(db, scope),
      this.#byCategory(actor),
      countByDay(db, scope, { column: 'created_at', from }),
      countByDay(db, scope, { column: 'solved_at', from }),
      averageFirstReply(db, scope, from),
      countTickets(db, scope, filterQuery.parse({ assignee: 'nobody' })),
      firstTickets(db, scope, mine, SHOWN),
      countTickets(db, scope, mine),
      firstTickets(db, scope, filterQuery.parse({ sort: 'created' }), SHOWN),
    ]);
    const days = Array.from({ length: DAYS }, (_, at) => ({
      day: from + at * DAY_MS,
      created: created.get(at) ?? 0,
      solved: solved.get(at) ?? 0,
    }));
    const figures = { byStatus, byCategory, days, averageFirstReplyMs, unassigned, mineTotal, oldest };
    const about = { actorId: actor.userId };
    return this.#deps.hooks.filter(dashboardFigures, { ...figures, mine: myWork }, about);
  }

  /** What plugins count for this actor. */
  async cards(actor: Actor): Promise<DashboardCard[]> {
    const cards = await this.#deps.hooks.gather(dashboardCards, { actor });
    return cards.map(({ thing }) => thing);
  }

  #firstDay(): number {
    const now = this.#deps.clock.now();
    return now - (now % DAY_MS) - (DAYS - 1) * DAY_MS;
  }

  async #byCategory(actor: Actor): Promise<Dashboard['byCategory']> {
    const { db, categories, lists } = this.#deps;
    const counts = await countByCategory(db, await lists.scopeOf(actor), SHOWN_CATEGORIES);
    const named = await categories.named(counts.flatMap(({ categoryId }) => categoryId ?? []));
    return counts.map(({ categoryId, total }) => ({
      name: named.get(categoryId ?? '')?.name ?? null,
      total,
    }));
  }
}

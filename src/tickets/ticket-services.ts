import type { AuditService } from '../audit/index.ts';
import type { Database } from '../db/database.ts';
import type { Hooks } from '../hooks/hooks.ts';
import type { Clock } from '../shared/clock.ts';
import { AttachmentService } from './attachment-service.ts';
import type { AttachmentStorage } from './attachment-storage.ts';
import { CorrespondentService } from './correspondent-service.ts';
import { CategoryService } from './category-service.ts';
import { DashboardService } from './dashboard-service.ts';
import { FollowUpService } from './follow-up-service.ts';
import type { People } from './people.ts';
import { SolutionService } from './solution-service.ts';
import { TicketListService } from './ticket-list-service.ts';
import type { Notices } from './ticket-notices.ts';
import { TicketPresenter } from './ticket-presenter.ts';
import { TicketService } from './ticket-service.ts';
import { TicketViewService } from './ticket-view-service.ts';
import { TicketWriter } from './ticket-writer.ts';

export interface TicketDeps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  audit: Pick<AuditService, 'record'>;
  people: People;
  notices: Notices;
  storage: AttachmentStorage;
}

export interface TicketServices {
  people: People;
  tickets: TicketService;
  followUps: FollowUpService;
  solutions: SolutionService;
  attachments: AttachmentService;
  categories: CategoryService;
  correspondents: CorrespondentService;
  lists: TicketListService;
  views: TicketViewService;
  dashboard: DashboardService;
  presenter: TicketPresenter;
}

/** Everything about tickets, put together: `compose.ts` and tests call it. */
export function ticketServices({
  db,
  hooks,
  clock,
  audit,
  people,
  notices,
  storage,
}: TicketDeps): TicketServices {
  const writer = new TicketWriter({ db, hooks, clock, audit, people, notices });
  const tickets = new TicketService({ db, hooks, clock, people, writer });
  const categories = new CategoryService({ db, clock, audit, people });
  const lists = new TicketListService({ db, hooks, people, tickets });
  return {
    people,
    tickets,
    followUps: new FollowUpService({ db, hooks, writer, tickets, notices }),
    solutions: new SolutionService({ db, hooks, clock, writer }),
    attachments: new AttachmentService({ db, hooks, clock, storage }),
    categories,
    correspondents: new CorrespondentService({ db, hooks, clock, audit, people }),
    lists,
    views: new TicketViewService({ db, clock }),
    dashboard: new DashboardService({ db, hooks, clock, categories, lists }),
    presenter: new TicketPresenter({ people, categories }),
  };
}

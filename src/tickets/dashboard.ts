import type { TicketSummary } from './ticket-list-repository.ts';
import type { Status } from './ticket.ts';

/** The numbers of the day, of the tickets that somebody may see. */
export interface Dashboard {
  byStatus: Map<Status, number>;
  byCategory: { name: string | null; total: number }[];
  /** One entry a day, oldest first. */
  days: { day: number; created: number; solved: number }[];
  averageFirstReplyMs: number | null;
  unassigned: number;
  mine: TicketSummary[];
  mineTotal: number;
  oldest: TicketSummary[];
}

/** A filter with a name. */
export interface TicketView {
  id: string;
  ownerId: string;
  /** Shared with all who read tickets there; null: one's own. */
  entityId: string | null;
  name: string;
  /** A query string. */
  filters: string;
  createdAt: number;
}

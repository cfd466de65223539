import { z } from 'zod';
import { isId } from '../shared/ids.ts';
import { levels, statuses, type Level, type Status } from './ticket.ts';

export const sorts = ['attention', 'updated', 'created', 'number', 'priority', 'title', 'status'] as const;
export type Sort = (typeof sorts)[number];

/** What a list of tickets is narrowed to. */
export interface TicketFilter {
  /** Words, or a ticket's number. */
  q: string;
  status: 'active' | 'all' | Status;
  /** `me`, `nobody`, `my-groups`, or the id of a person or a group; empty for everybody. */
  assignee: string;
  category: string;
  entity: string;
  priority: Level | null;
  requester: string;
  /** Days, `2026-11-21`, UTC. */
  from: string;
  to: string;
  sort: Sort;
  descending: boolean;
  /** Only these, by id. Not part of an address: `ticket.search` puts it there, for what a plugin has found by itself. */
  among?: readonly string[];
}

const id = z.string().refine(isId).catch('');
const assignee = z.union([z.enum(['me', 'nobody', 'my-groups']), z.string().refine(isId)]).catch('');
const day = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/)
  .refine((text) => !Number.isNaN(Date.parse(text)))
  .catch('');
const sorted = z.templateLiteral([z.enum(['', '-']), z.enum(sorts)]);

/** As it stands in an address. What is not understood is left out: an old bookmark still opens. */
export const filterQuery = z
  .object({
    q: z.string().trim().max(200).catch(''),
    status: z
      .enum(['active', 'all', ...statuses])
      .optional()
      .catch(undefined),
    assignee,
    category: id,
    entity: id,
    priority: z.coerce.number().pipe(z.literal(levels)).nullable().catch(null),
    requester: id,
    from: day,
    to: day,
    sort: sorted.optional().catch(undefined),
  })
  .transform(({ sort, status, ...rest }): TicketFilter => {
    const chosen = sort ?? 'attention';
    return {
      ...rest,
      // Whoever searches from the top of a page means all there is.
      status: status ?? (rest.q === '' ? 'active' : 'all'),
      sort: chosen.replace(/^-/, '') as Sort,
      descending: chosen.startsWith('-'),
    };
  });

/** The other way round: the query string of a filter, without what is usual. */
export function queryOf(filter: TicketFilter): string {
  const { sort, descending, status, priority, among: _, ...rest } = filter;
  const words: [string, string][] = [
    ...Object.entries(rest),
    ['status', status === (rest.q === '' ? 'active' : 'all') ? '' : status],
    ['priority', priority === null ? '' : String(priority)],
    ['sort', sort === 'attention' ? '' : `${descending ? '-' : ''}${sort}`],
  ];
  return new URLSearchParams(words.filter(([, value]) => value !== '')).toString();
}

export const pageQuery = z.object({
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
});

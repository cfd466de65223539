import { z } from 'zod';
import { view } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import type { AuditRecord } from './audit-entry.ts';
import type { AuditService } from './audit-service.ts';

const PER_PAGE = 50;
const typed = z.string().trim().max(120).optional().catch(undefined);
const query = z.object({
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
  action: typed,
  actor: typed,
  subject: typed,
  id: typed,
});

/** Who did what, newest first. */
export const auditRoutes = ({ audit }: { audit: AuditService }): Route[] => [
  route({
    method: 'get',
    path: '/admin/audit',
    access: { right: 'audit.read' },
    query,
    handler: async ({ actor, query: { page, id, ...filter } }) => {
      const found = await audit.list(actor, { ...filter, subjectId: id }, { page, perPage: PER_PAGE });
      const items = found.items.map((entry) => ({ ...entry, changes: changesOf(entry) }));
      return view('admin/audit/list', { ...found, page: found, items, form: { ...filter, id } });
    },
  }),
];

export interface Change {
  field: string;
  before?: string;
  after?: string;
}

/** Field by field what was and what is, as words. */
export function changesOf({ before, after }: Pick<AuditRecord, 'before' | 'after'>): Change[] {
  const fields = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...fields].flatMap((field) => {
    const [was, is] = [inWords(before?.[field]), inWords(after?.[field])];
    if (was === is) return [];
    return [
      { field, ...(was === undefined ? {} : { before: was }), ...(is === undefined ? {} : { after: is }) },
    ];
  });
}

function inWords(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.map((item) => inWords(item) ?? '').join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

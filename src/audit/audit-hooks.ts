import { defineEvent, type EventToken } from '../hooks/tokens.ts';

/** What was done to what, as events tell of it that follow from the audit log. Secrets are never in it. */
export interface AuditNews {
  subject: { type: string; id: string; label: string };
  by: string;
  byId: string | null;
  entityId: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

/** The event of an action in the audit log, by the same name: whoever records the one tells the other. */
export const auditEvent = (name: string, summary: string): EventToken<AuditNews> =>
  defineEvent<AuditNews>({ name, summary, since: '0.1.0' });

export const auditRecorded = defineEvent<AuditNews & { action: string }>({
  name: 'audit.recorded',
  summary: 'A line was written to the audit log; for whoever keeps a copy elsewhere.',
  since: '0.1.0',
});

export type { AuditEntry, AuditFilter, AuditRecord, AuditSubject } from './audit-entry.ts';
export { AuditService } from './audit-service.ts';

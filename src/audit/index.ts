export type { AuditEntry, AuditFilter, AuditRecord, AuditSubject } from './audit-entry.ts';
export { auditRoutes, changesOf, type Change } from './audit-routes.ts';
export { auditEvent, auditRecorded, type AuditNews } from './audit-hooks.ts';
export { AuditService } from './audit-service.ts';

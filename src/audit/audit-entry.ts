/** What a use case says about what it did. Never a secret: not a password, not a key, not a digest of one. */
export interface AuditEntry {
  /** `user.disabled`: the subject first, then what happened to it. */
  action: string;
  subject: AuditSubject;
  entityId?: string;
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
  /** Client facts, cut to what may be kept. */
  network?: string;
}

export interface AuditSubject {
  type: string;
  id: string;
  /** What people call it, as it was called then. */
  label: string;
}

/** An entry as it is kept. */
export interface AuditRecord {
  id: string;
  at: number;
  actorKind: 'user' | 'guest' | 'system' | 'cli';
  actorId: string | null;
  actorName: string;
  action: string;
  subjectType: string;
  subjectId: string;
  subjectLabel: string;
  entityId: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  network: string | null;
  /** The process that wrote it; null for what is older than this column. */
  node: string | null;
}

/** Which part of a history: `before` is the id of the oldest entry that is known already. */
export interface HistoryRange {
  limit: number;
  before?: string | undefined;
  actions?: readonly string[] | undefined;
}

export interface AuditFilter {
  action?: string | undefined;
  actor?: string | undefined;
  subject?: string | undefined;
  subjectId?: string | undefined;
}

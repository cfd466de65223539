import type { Queryable, Tx } from '../db/database.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ForbiddenError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import type { Page, PageRequest } from '../shared/page.ts';
import type { AuditEntry, AuditFilter, AuditRecord, HistoryRange } from './audit-entry.ts';
import { insertEntry, listEntries, listHistory } from './audit-repository.ts';
import { withoutSecrets } from './without-secrets.ts';

interface Deps {
  db: Queryable;
  clock: Clock;
  /** What this process is called. */
  node: string;
}

const HISTORY_LENGTH = 50;

/** Who did what to what, written in the transaction that did it. */
export class AuditService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Takes the transaction of the act: what was rolled back was not done, and what was done is written. */
  async record(tx: Tx, actor: Actor, entry: AuditEntry): Promise<void> {
    await insertEntry(tx, {
      id: newId(),
      at: this.#deps.clock.now(),
      actorKind: actor.kind,
      actorId: actor.userId,
      actorName: actor.name.slice(0, 200),
      action: entry.action,
      subjectType: entry.subject.type,
      subjectId: entry.subject.id,
      subjectLabel: entry.subject.label.slice(0, 320),
      entityId: entry.entityId ?? null,
      before: entry.before ? withoutSecrets(entry.before) : null,
      after: entry.after ? withoutSecrets(entry.after) : null,
      network: entry.network ?? null,
      node: this.#deps.node,
    });
  }

  /** What happened to one thing, newest first. */
  async history(
    subject: { type: string; id: string },
    { limit = HISTORY_LENGTH, ...range }: Partial<HistoryRange> = {},
  ): Promise<AuditRecord[]> {
    return listHistory(this.#deps.db, subject, { limit, ...range });
  }

  /** The log, newest first, as far as this actor may read it. */
  async list(actor: Actor, filter: AuditFilter, page: PageRequest): Promise<Page<AuditRecord>> {
    if (!actor.can('audit.read')) throw new ForbiddenError('forbidden');
    return listEntries(this.#deps.db, { ...filter, entities: actor.entitiesWith('audit.read') }, page);
  }
}

import type { Queryable, Tx } from '../db/database.ts';
import type { EventToken, Hooks } from '../hooks/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ForbiddenError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import type { Page, PageRequest } from '../shared/page.ts';
import type { AuditEntry, AuditFilter, AuditRecord, HistoryRange } from './audit-entry.ts';
import { auditRecorded, type AuditNews } from './audit-hooks.ts';
import { insertEntries, listEntries, listHistory } from './audit-repository.ts';
import { withoutSecrets } from './without-secrets.ts';

interface Deps {
  db: Queryable;
  clock: Clock;
  /** What this process is called. */
  node: string;
  hooks?: Pick<Hooks, 'emit'>;
  /** Told when an action of their name is recorded. */
  events?: readonly EventToken<AuditNews>[];
}

const HISTORY_LENGTH = 50;

/** Who did what to what, written in the transaction that did it. */
export class AuditService {
  readonly #deps: Deps;
  readonly #events: ReadonlyMap<string, EventToken<AuditNews>>;
  readonly #unwritten = new WeakMap<Tx, AuditRecord[]>();

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#events = new Map((deps.events ?? []).map((token) => [token.name, token]));
  }

  /** Takes the transaction of the act: what was rolled back was not done, and what was done is written. */
  async record(tx: Tx, actor: Actor, entry: AuditEntry): Promise<void> {
    const { action, subject, entityId = null, network = null } = entry;
    const before = entry.before ? withoutSecrets(entry.before) : null;
    const after = entry.after ? withoutSecrets(entry.after) : null;
    this.#entriesOf(tx).push({
      id: newId(),
      at: this.#deps.clock.now(),
      actorKind: actor.kind,
      actorId: actor.userId,
      actorName: actor.name.slice(0, 200),
      action,
      subjectType: subject.type,
      subjectId: subject.id,
      subjectLabel: subject.label.slice(0, 320),
      entityId,
      before,
      after,
      network,
      node: this.#deps.node,
    });
    const news = { subject, by: actor.name, byId: actor.userId, entityId, before, after };
    await this.#tell(tx, action, news);
  }

  /** Most acts leave several entries: they are written together, as the last words of their transaction. */
  #entriesOf(tx: Tx): AuditRecord[] {
    const known = this.#unwritten.get(tx);
    if (known) return known;
    const entries: AuditRecord[] = [];
    this.#unwritten.set(tx, entries);
    tx.atTheEnd(() => insertEntries(tx, entries));
    return entries;
  }

  async #tell(tx: Tx, action: string, news: AuditNews): Promise<void> {
    const { hooks } = this.#deps;
    if (!hooks) return;
    const { subject } = news;
    const about = { aggregate: `${subject.type}:${subject.id}`.slice(0, 100) };
    await hooks.emit(tx, auditRecorded, { ...news, action }, about);
    const token = this.#events.get(action);
    if (token) await hooks.emit(tx, token, news, about);
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

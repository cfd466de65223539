import type { AuditService } from '../audit/index.ts';
import type { Database } from '../db/database.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, ForbiddenError, NotFoundError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import { findCategory, insertCategory, listCategories, updateCategory } from './category-repository.ts';
import { isOffered, type Category } from './category.ts';
import { lineage, type People } from './people.ts';

interface Deps {
  db: Database;
  clock: Clock;
  audit: Pick<AuditService, 'record'>;
  people: People;
}

/** What tickets are about, as each entity names it. */
export class CategoryService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Those a ticket of this entity may have. */
  async offeredIn(entityId: string): Promise<Category[]> {
    const line = lineage(await this.#deps.people.entities(), entityId);
    return (await listCategories(this.#deps.db, line)).filter((category) => isOffered(category, line));
  }

  /** Those offered anywhere this actor reads or opens tickets, for filters. */
  async listFor(actor: Actor): Promise<Category[]> {
    const entities = await this.#deps.people.entities();
    const mine = [actor.entitiesWith('ticket.read'), actor.entitiesWith('ticket.create')];
    if (mine.includes('all')) return listCategories(this.#deps.db);
    const lines = mine.flat().flatMap((id) => lineage(entities, id));
    return listCategories(this.#deps.db, [...new Set(lines)]);
  }

  async listManaged(actor: Actor): Promise<Category[]> {
    const managed = actor.entitiesWith('category.manage');
    return listCategories(this.#deps.db, managed === 'all' ? undefined : managed);
  }

  async named(ids: readonly string[]): Promise<Map<string, Category>> {
    const wanted = new Set(ids);
    const all = wanted.size > 0 ? await listCategories(this.#deps.db) : [];
    return new Map(all.filter(({ id }) => wanted.has(id)).map((category) => [category.id, category]));
  }

  async create(actor: Actor, { entityId, name }: { entityId: string; name: string }): Promise<Category> {
    const { db, clock, audit, people } = this.#deps;
    assertMayManage(actor, entityId);
    const isKnown = (await people.entities()).some(({ id }) => id === entityId);
    if (!isKnown) throw new NotFoundError('ticket.unknown-entity');
    const category = { id: newId(), entityId, name, archived: false, createdAt: clock.now(), version: 1 };
    await db.transaction(async (tx) => {
      await insertCategory(tx, category);
      await audit.record(tx, actor, { ...entryFor(category, 'created'), after: { name } });
    });
    return category;
  }

  /** Renames it, or takes it out of use: tickets keep the category they have. */
  async update(
    actor: Actor,
    id: string,
    { version, ...change }: { version: number; name?: string | undefined; archived?: boolean | undefined },
  ): Promise<Category> {
    const { db, audit } = this.#deps;
    const before = await findCategory(db, id);
    if (!before || !actor.can('category.manage', before.entityId))
      throw new NotFoundError('category.unknown');
    const after = {
      ...before,
      name: change.name ?? before.name,
      archived: change.archived ?? before.archived,
      version: version + 1,
    };
    await db.transaction(async (tx) => {
      if (!(await updateCategory(tx, after))) throw new ConflictError('category.changed');
      const told = ({ name, archived }: Category): Record<string, unknown> => ({ name, archived });
      await audit.record(tx, actor, {
        ...entryFor(after, 'updated'),
        before: told(before),
        after: told(after),
      });
    });
    return after;
  }
}

function assertMayManage(actor: Actor, entityId: string): void {
  if (!actor.can('category.manage', entityId)) throw new ForbiddenError('access.right');
}

const entryFor = (
  { id, name, entityId }: Category,
  what: 'created' | 'updated',
): { action: string; subject: { type: string; id: string; label: string }; entityId: string } => ({
  action: `category.${what}`,
  subject: { type: 'category', id, label: name },
  entityId,
});

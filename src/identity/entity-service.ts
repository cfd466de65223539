import type { AuditService } from '../audit/index.ts';
import type { Database, Tx } from '../db/database.ts';
import { nextNumber } from '../db/sequences.ts';
import type { Hooks } from '../hooks/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, ForbiddenError, InvalidInputError, NotFoundError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import type { Directory } from './directory.ts';
import {
  deleteEntity,
  insertEntity,
  moveEntity,
  raiseDirectoryVersion,
  renameEntity,
  setEntityPath,
} from './directory-repository.ts';
import { ROOT_ENTITY_ID, type Entity, type EntityTree } from './entity.ts';
import { entityMayRemove } from './user-hooks.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  audit: AuditService;
  directory: Directory;
}

const DEEPEST = 20;
const LONGEST_NAME = 120;

/** The tree of the organisation. */
export class EntityService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Those that this actor manages, with what is above them for orientation. */
  async tree(): Promise<EntityTree> {
    return (await this.#deps.directory.snapshot()).tree;
  }

  async create(actor: Actor, { name, parentId }: { name: string; parentId: string }): Promise<Entity> {
    const { db, clock, audit } = this.#deps;
    assertManages(actor, parentId);
    const tidy = checkedName(name);
    const number = await nextNumber(db, 'entities');
    return db.transaction(async (tx) => {
      await raiseDirectoryVersion(tx);
      const { tree } = await this.#deps.directory.snapshot(tx);
      const parent = known(tree, parentId);
      if (tree.depthOf(parentId) >= DEEPEST)
        throw new ConflictError('entity.too-deep', { params: { deepest: DEEPEST } });
      const id = newId();
      const entity = {
        id,
        number,
        parentId,
        name: tidy,
        path: `${parent.path}${id}/`,
        version: 1,
        createdAt: clock.now(),
      };
      await insertEntity(tx, entity);
      await audit.record(tx, actor, {
        action: 'entity.created',
        subject: subjectOf(entity),
        entityId: id,
        after: { name: tidy, parent: parent.name },
      });
      return entity;
    });
  }

  async rename(
    actor: Actor,
    id: string,
    { name, version }: { name: string; version: number },
  ): Promise<void> {
    assertManages(actor, id);
    const tidy = checkedName(name);
    await this.#change(actor, id, async (tx, entity) => {
      if (!(await renameEntity(tx, { id, version }, tidy))) throw new ConflictError('entity.changed');
      return { action: 'entity.renamed', before: { name: entity.name }, after: { name: tidy } };
    });
  }

  /** With everything below it. Rights follow the tree, so both places must be the actor's. */
  async move(
    actor: Actor,
    id: string,
    { parentId, version }: { parentId: string; version: number },
  ): Promise<void> {
    assertManages(actor, id);
    assertManages(actor, parentId);
    await this.#change(actor, id, async (tx, entity, tree) => {
      const parent = known(tree, parentId);
      if (id === ROOT_ENTITY_ID || tree.isWithin(parentId, id)) throw new ConflictError('entity.into-itself');
      const path = `${parent.path}${id}/`;
      if (!(await moveEntity(tx, { id, version }, { parentId, path })))
        throw new ConflictError('entity.changed');
      for (const below of tree.within(id)) {
        if (below.id !== id) await setEntityPath(tx, below.id, path + below.path.slice(entity.path.length));
      }
      return {
        action: 'entity.moved',
        before: { path: tree.fullName(id) },
        after: { parent: tree.fullName(parentId) },
      };
    });
  }

  /** Only when nothing is in it: what was written in an entity is never lost with it. */
  async remove(actor: Actor, id: string): Promise<void> {
    assertManages(actor, id);
    await this.#deps.hooks.veto(entityMayRemove, { entityId: id });
    await this.#change(actor, id, async (tx, entity, tree) => {
      if (id === ROOT_ENTITY_ID || tree.childrenOf(id).length > 0) throw new ConflictError('entity.in-use');
      try {
        await deleteEntity(tx, id);
      } catch (error) {
        throw new ConflictError('entity.in-use', { cause: error });
      }
      return { action: 'entity.removed', before: { name: entity.name } };
    });
  }

  async #change(
    actor: Actor,
    id: string,
    work: (tx: Tx, entity: Entity, tree: EntityTree) => Promise<Told>,
  ): Promise<void> {
    const { db, directory, audit } = this.#deps;
    await db.transaction(async (tx) => {
      // First, so that two who change the tree do it one after the other.
      await raiseDirectoryVersion(tx);
      const { tree } = await directory.snapshot(tx);
      const entity = known(tree, id);
      const told = await work(tx, entity, tree);
      await audit.record(tx, actor, { ...told, subject: subjectOf(entity), entityId: id });
    });
  }
}

interface Told {
  action: string;
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
}

function assertManages(actor: Actor, id: string): void {
  if (!actor.can('entity.manage', id)) throw new ForbiddenError('access.right');
}

function known(tree: EntityTree, id: string): Entity {
  const entity = tree.get(id);
  if (!entity) throw new NotFoundError('entity.not-found');
  return entity;
}

function checkedName(name: string): string {
  const tidy = name.normalize('NFC').replace(/\s+/g, ' ').trim();
  if (tidy !== '' && tidy.length <= LONGEST_NAME) return tidy;
  const problem = {
    field: 'name',
    code: tidy === '' ? 'field.required' : 'field.too-big',
    params: { maximum: LONGEST_NAME },
  };
  throw new InvalidInputError('input.invalid', { fields: [problem] });
}

const subjectOf = ({ id, name }: Entity): { type: string; id: string; label: string } => ({
  type: 'entity',
  id,
  label: name,
});

import {
  ConflictError,
  KnownError,
  newId,
  NotFoundError,
  system,
  type Actor,
  type Host,
  type PersonFacts,
  type Tx,
} from 'latchkey/plugin-api';
import { assertMayManage, assertMaySee } from '../keys/key-policy.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { findKey } from '../keys/key-repository.ts';
import { subjectOf } from '../keys/key-service.ts';
import { invitedBy, joinedSince, type Branch } from '../tree/tree-repository.ts';
import {
  countPeople,
  findUndo,
  insertUndo,
  listOpenUndos,
  listPeople,
  listUndos,
  movePerson,
  moveUndo,
  type PersonState,
  type Undo,
  type UndoAction,
  type UndonePerson,
} from './undo-repository.ts';

export interface LeakQuery {
  since: number;
  withDescendants: boolean;
  copyId: string | null;
}

/** Somebody whom an undo would touch. */
export interface Affected {
  person: PersonFacts;
  branch: Branch;
  depth: number;
}

export interface UndoView {
  undo: Undo;
  counts: Record<PersonState, number>;
  people: { person: PersonFacts | null; row: UndonePerson }[];
}

const MOST = 5000;
const DEEPEST = 10;
const SHOWN = 200;
const AT_ONCE = 50;
export const REVERSAL_MS = 30 * 86_400_000;

/** Takes back what a leaked key gave: everybody who came after a moment, and whom those invited. For thirty days it can be turned back. */
export class UndoService {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Whom it would touch. Changes nothing. */
  async preview(
    actor: Actor,
    keyId: string,
    query: LeakQuery,
  ): Promise<{ key: InvitationKey; people: Affected[] }> {
    const host = this.#host;
    const key = await findKey(host.db, keyId);
    assertMayManage(actor, key);
    const found = await this.#branches(key.id, query);
    const persons = await host.users.named(found.map(({ branch }) => branch.userId));
    return {
      key,
      people: found.flatMap(({ branch, depth }) => {
        const person = persons.get(branch.userId);
        // Nobody undoes themselves, or the owner of the key.
        return person && person.id !== actor.userId && person.id !== key.ownerId
          ? [{ person, branch, depth }]
          : [];
      }),
    };
  }

  async start(actor: Actor, keyId: string, query: LeakQuery & { action: UndoAction }): Promise<Undo> {
    const host = this.#host;
    const { key, people } = await this.preview(actor, keyId, query);
    if (people.length === 0) throw new ConflictError('invitation.nobody_came');
    const now = host.clock.now();
    const undo: Undo = {
      id: newId(),
      keyId,
      entityId: key.entityId,
      variant: query.copyId,
      since: query.since,
      action: query.action,
      withDescendants: query.withDescendants,
      state: 'running',
      orderedBy: actor.userId,
      orderedByName: actor.name,
      at: now,
      reversibleUntil: now + REVERSAL_MS,
      finishedAt: null,
    };
    const rows = people.map(({ person, branch, depth }): UndonePerson => ({
      undoId: undo.id,
      userId: person.id,
      keyId: branch.keyId,
      depth,
      existed: branch.how === 'existing',
      state: 'waiting',
      wasActive: person.status === 'active',
      groupIds: [],
      problem: null,
    }));
    await host.transaction(async (tx) => {
      await insertUndo(tx, undo, rows);
      await host.audit.record(tx, actor, {
        action: 'invitation-key.leak-undone',
        ...subjectOf(key),
        after: {
          action: query.action,
          since: new Date(query.since).toISOString(),
          people: people.length,
          withDescendants: query.withDescendants,
        },
      });
    });
    return undo;
  }

  /** One button turns all of it back, as long as nothing was forgotten for good. */
  async reverse(actor: Actor, undoId: string): Promise<Undo> {
    const host = this.#host;
    const { undo, key } = await this.#managed(actor, undoId);
    if (host.clock.now() >= undo.reversibleUntil) throw new ConflictError('invitation.undo_final');
    await host.transaction(async (tx) => {
      const from = undo.state === 'running' ? 'running' : 'done';
      if (!(await moveUndo(tx, undoId, from, { state: 'reversing', finishedAt: null })))
        throw new ConflictError('invitation.undo_reversed');
      await host.audit.record(tx, actor, { action: 'invitation-key.leak-undo-reversed', ...subjectOf(key) });
    });
    return { ...undo, state: 'reversing' };
  }

  async view(actor: Actor, undoId: string): Promise<UndoView & { key: InvitationKey }> {
    const host = this.#host;
    const { undo, key } = await this.#managed(actor, undoId);
    const rows = await listPeople(host.db, undoId, { limit: SHOWN });
    const persons = await host.users.named(rows.map(({ userId }) => userId));
    return {
      key,
      undo,
      counts: await countPeople(host.db, undoId),
      people: rows.map((row) => ({ row, person: persons.get(row.userId) ?? null })),
    };
  }

  async list(actor: Actor, keyId: string): Promise<Undo[]> {
    const host = this.#host;
    assertMaySee(actor, await findKey(host.db, keyId));
    return listUndos(host.db, keyId);
  }

  /** Goes on with what is under way, person by person, each in a transaction of its own: stopped anywhere, it goes on where it was. */
  async work(signal: AbortSignal): Promise<void> {
    const host = this.#host;
    for (const undo of await listOpenUndos(host.db, host.clock.now())) {
      if (signal.aborted) return;
      await this.workOn(undo, signal);
    }
  }

  async workOn(undo: Undo, signal: AbortSignal): Promise<void> {
    const host = this.#host;
    const step = steps[undo.state];
    if (!step) return;
    const actor = await this.#actorOf(undo);
    for (;;) {
      const waiting = await listPeople(host.db, undo.id, { states: [step.from], limit: AT_ONCE });
      if (waiting.length === 0) break;
      for (const row of waiting) {
        if (signal.aborted) return;
        await this.#one(undo, row, { actor, step });
      }
    }
    const now = host.clock.now();
    await host.transaction((tx) => moveUndo(tx, undo.id, undo.state, { state: step.then, finishedAt: now }));
  }

  async #one(undo: Undo, row: UndonePerson, { actor, step }: { actor: Actor; step: Step }): Promise<void> {
    const host = this.#host;
    try {
      await host.transaction(async (tx) => {
        const changed = await this[step.act](tx, undo, row, actor);
        await movePerson(tx, row, step.from, { state: step.to, problem: null, ...changed });
      });
    } catch (error) {
      if (!(error instanceof KnownError)) throw error;
      await host.transaction((tx) =>
        movePerson(tx, row, step.from, { state: 'skipped', problem: error.code.slice(0, 80) }),
      );
    }
  }

  /** @internal */
  async take(tx: Tx, undo: Undo, row: UndonePerson, actor: Actor): Promise<Partial<UndonePerson>> {
    const host = this.#host;
    if (undo.action === 'groups' || row.existed) return { groupIds: await this.#takeOut(tx, row, actor) };
    const person = await host.users.find(row.userId);
    if (person?.status === 'active') await host.users.disable(tx, actor, row.userId);
    return { wasActive: person?.status === 'active' };
  }

  /** @internal */
  async giveBack(tx: Tx, _undo: Undo, row: UndonePerson, actor: Actor): Promise<Partial<UndonePerson>> {
    const host = this.#host;
    for (const groupId of row.groupIds)
      await host.memberships.addToGroup(tx, { userId: row.userId, groupId }, { actor });
    if (row.wasActive && !row.existed) await host.users.enable(tx, actor, row.userId);
    return {};
  }

  /** @internal */
  async forget(tx: Tx, _undo: Undo, row: UndonePerson, actor: Actor): Promise<Partial<UndonePerson>> {
    if (!row.existed) await this.#host.users.anonymise(tx, actor, row.userId);
    return {};
  }

  async #takeOut(tx: Tx, row: UndonePerson, actor: Actor): Promise<string[]> {
    const host = this.#host;
    const key = await findKey(tx, row.keyId);
    const left: string[] = [];
    for (const groupId of key?.groupIds ?? []) {
      if (!(await host.memberships.mayAddToGroup(actor, groupId))) continue;
      const membership = { userId: row.userId, groupId };
      if (await host.memberships.removeFromGroup(tx, membership, { actor })) left.push(groupId);
    }
    return left;
  }

  /** In the name of whoever ordered it, as far as their rights reach today. What was decided thirty days ago, the house itself ends. */
  async #actorOf({ orderedBy, state }: Undo): Promise<Actor> {
    if (orderedBy === null || state === 'done') return system;
    const actor = await this.#host.users.actorOf(orderedBy);
    return actor ?? system;
  }

  async #branches(keyId: string, query: LeakQuery): Promise<{ branch: Branch; depth: number }[]> {
    const { db } = this.#host;
    const first = await joinedSince(db, keyId, query.since, { limit: MOST, copyId: query.copyId });
    const found = first.map((branch) => ({ branch, depth: 0 }));
    const seen = new Set(first.map(({ userId }) => userId));
    let generation = first.filter(({ how }) => how === 'new');
    for (let depth = 1; query.withDescendants && generation.length > 0 && depth <= DEEPEST; depth += 1) {
      const inviters = generation.map(({ userId }) => userId);
      const room = MOST - found.length;
      if (room <= 0) break;
      generation = (await invitedBy(db, inviters, { limit: room })).filter(({ userId }) => !seen.has(userId));
      for (const branch of generation) {
        if (seen.has(branch.userId)) continue;
        seen.add(branch.userId);
        found.push({ branch, depth });
      }
    }
    return found;
  }

  async #managed(actor: Actor, undoId: string): Promise<{ undo: Undo; key: InvitationKey }> {
    const host = this.#host;
    const undo = await findUndo(host.db, undoId);
    const key = undo && (await findKey(host.db, undo.keyId));
    if (undo === null) throw new NotFoundError('invitation.not_found');
    assertMayManage(actor, key);
    return { undo, key };
  }
}

interface Step {
  from: PersonState;
  to: PersonState;
  act: 'take' | 'giveBack' | 'forget';
  then: Undo['state'];
}

/** What there is to do in each state, and what it is then. */
const steps: Partial<Record<Undo['state'], Step>> = {
  running: { from: 'waiting', to: 'done', act: 'take', then: 'done' },
  reversing: { from: 'done', to: 'reversed', act: 'giveBack', then: 'reversed' },
  done: { from: 'done', to: 'deleted', act: 'forget', then: 'final' },
};

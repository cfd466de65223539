import {
  ConflictError,
  GoneError,
  InvalidInputError,
  newId,
  NotFoundError,
  type Actor,
  type Host,
  type Limit,
} from 'latchkey/plugin-api';
import { keyChanged } from '../hooks.ts';
import type { InvitationKey } from '../keys/invitation-key.ts';
import type { KeyDoor } from '../keys/key-door.ts';
import { assertMayManage, assertMayReveal, assertMaySee } from '../keys/key-policy.ts';
import { findKey } from '../keys/key-repository.ts';
import { factsOf, subjectOf } from '../keys/key-service.ts';
import { copyContext, type Copy } from './copy.ts';
import {
  countByCopy,
  findCopy,
  insertCopy,
  listCopies,
  moveCopy,
  readSealedText,
  touchVersion,
  type CopyJoins,
} from './copy-repository.ts';

const MOST_COPIES = 50;
const MAKING: Limit = { name: 'copy', points: 100, perSeconds: 3600 };
const REVEALING: Limit = { name: 'reveal', points: 60, perSeconds: 3600 };

/** With its secret: when it is made and when it is revealed, and never else. */
export interface ShownCopy {
  key: InvitationKey;
  copy: Copy;
  text: string;
  url: string;
}

interface Deps {
  host: Host;
  door: KeyDoor;
}

/** Watermarked copies of a key, from the side of those who hand them out. */
export class CopyService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(actor: Actor, keyId: string): Promise<(Copy & CopyJoins)[]> {
    const { db } = this.#deps.host;
    assertMaySee(actor, await findKey(db, keyId));
    const counts = await countByCopy(db, keyId);
    return (await listCopies(db, keyId)).map((copy) => ({
      ...copy,
      ...(counts.get(copy.id) ?? { joined: 0, pending: 0 }),
    }));
  }

  /** A link comes out of it, so it takes the right to see links too. */
  async make(actor: Actor, keyId: string, name: string): Promise<ShownCopy> {
    const { host, door } = this.#deps;
    const key = await findKey(host.db, keyId);
    assertMayManage(actor, key);
    assertMayReveal(actor, key);
    if (key.revokedAt !== null) throw new ConflictError('invitation.already_revoked');
    if ((await listCopies(host.db, keyId)).length >= MOST_COPIES)
      throw problem('invitation.too_many_copies', { limit: MOST_COPIES });
    if (actor.userId !== null) await host.limits.count(MAKING, actor.userId);

    const id = newId();
    const { text, secret, hint } = door.mintCopy(copyContext({ id, keyId }), { showOnce: !key.hasCopy });
    const createdAt = host.clock.now();
    const hasText = secret.copy !== null;
    const copy: Copy = { id, keyId, name, hint, hasText, closedAt: null, madeBy: actor.name, createdAt };
    try {
      await host.transaction(async (tx) => {
        await insertCopy(tx, copy, { lookup: secret.lookup, sealed: secret.copy });
        await this.#record(tx, actor, key, 'copy-made', copy);
      });
    } catch (error) {
      if (host.db.dialect.isDuplicate(error)) throw problem('invitation.copy_exists', { name });
      throw error;
    }
    return this.#shown(key, copy, text);
  }

  async reveal(actor: Actor, keyId: string, copyId: string): Promise<ShownCopy> {
    const { host } = this.#deps;
    const key = await findKey(host.db, keyId);
    assertMayReveal(actor, key);
    const copy = await this.#find(keyId, copyId);
    const sealed = await readSealedText(host.db, copyId);
    if (sealed === null) throw new GoneError('invitation.shown_once');
    if (actor.userId !== null) await host.limits.count(REVEALING, actor.userId);
    const text = host.keys.open(sealed, copyContext({ id: copyId, keyId }));
    await host.transaction((tx) => this.#record(tx, actor, key, 'revealed', copy));
    return this.#shown(key, copy, text);
  }

  /** From the moment this answers nobody gets in by this copy, on whichever node; the key and its other copies go on. */
  async close(actor: Actor, keyId: string, copyId: string): Promise<Copy> {
    return this.#move(actor, keyId, copyId, { to: 'closed' });
  }

  async reopen(actor: Actor, keyId: string, copyId: string): Promise<Copy> {
    return this.#move(actor, keyId, copyId, { to: 'open' });
  }

  async #move(actor: Actor, keyId: string, copyId: string, { to }: { to: 'closed' | 'open' }): Promise<Copy> {
    const { host } = this.#deps;
    const key = await findKey(host.db, keyId);
    assertMayManage(actor, key);
    const copy = await this.#find(keyId, copyId);
    const closedAt = to === 'closed' ? host.clock.now() : null;
    await host.transaction(async (tx) => {
      await touchVersion(tx, keyId);
      if (!(await moveCopy(tx, copyId, closedAt))) throw new ConflictError(`invitation.copy_is_${to}`);
      await this.#record(tx, actor, key, to === 'closed' ? 'copy-closed' : 'copy-reopened', copy);
    });
    return { ...copy, closedAt };
  }

  async #find(keyId: string, copyId: string): Promise<Copy> {
    const copy = await findCopy(this.#deps.host.db, copyId);
    if (copy === null || copy.keyId !== keyId) throw new NotFoundError('invitation.copy_not_found');
    return copy;
  }

  async #record(
    tx: Parameters<Parameters<Host['transaction']>[0]>[0],
    actor: Actor,
    key: InvitationKey,
    change: 'copy-made' | 'copy-closed' | 'copy-reopened' | 'revealed',
    copy: Copy,
  ): Promise<void> {
    const { host } = this.#deps;
    const after = { copy: copy.name };
    await host.audit.record(tx, actor, { action: `invitation-key.${change}`, ...subjectOf(key), after });
    await host.emit(tx, keyChanged, { key: factsOf(key), by: actor.userId, change }, { aggregate: key.id });
  }

  async #shown(key: InvitationKey, copy: Copy, text: string): Promise<ShownCopy> {
    const { origin } = await this.#deps.host.site();
    return { key, copy, text, url: `${origin}/join/${text}` };
  }
}

const problem = (code: string, params: Record<string, string | number>): InvalidInputError =>
  new InvalidInputError('input.invalid', { fields: [{ field: 'name', code, params }] });

import type { Queryable } from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { findKey, findKeyStamp, type KeyStamp } from '../keys/key-repository.ts';
import { ThisTurn } from './this-turn.ts';

const MOST_IN_VIEW = 1000;

/**
 * Keys whose page is being opened. Three hundred phones that open one key ask for its stamp once a turn, and as long as that has not
 * moved they get the very same key, so that its page is drawn once for them all.
 */
export class KeysInView {
  readonly #db: Queryable;
  readonly #known = new Map<string, InvitationKey>();
  readonly #turn = new ThisTurn((id) => this.#look(id));

  constructor(db: Queryable) {
    this.#db = db;
  }

  find(id: string): Promise<InvitationKey | null> {
    return this.#turn.find(id);
  }

  async #look(id: string): Promise<InvitationKey | null> {
    const known = this.#known.get(id);
    const stamp = known ? await findKeyStamp(this.#db, id) : null;
    if (known && stamp && isOf(known, stamp)) return known;
    const key = await findKey(this.#db, id);
    if (this.#known.size >= MOST_IN_VIEW) this.#known.clear();
    if (key) this.#known.set(id, key);
    else this.#known.delete(id);
    return key;
  }
}

const isOf = (key: InvitationKey, { version, uses, pausedAt, revokedAt }: KeyStamp): boolean =>
  key.version === version && key.uses === uses && key.pausedAt === pausedAt && key.revokedAt === revokedAt;

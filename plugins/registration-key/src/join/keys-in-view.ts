import type { Host } from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { findKey, findKeyStamp, type KeyStamp } from '../keys/key-repository.ts';
import { ThisTurn } from '../keys/this-turn.ts';

const MOST_IN_VIEW = 1000;
/** What another process has changed is seen this late at most. It is the page that waits; a seat is taken by what stands then. */
const VIEW_MS = 50;

type Store = Host['db'];

interface Seen {
  key: InvitationKey | null;
  /** How often this process had written when it looked. */
  changes: number;
  until: number;
}

/**
 * Keys whose page is being opened. Three hundred phones that open one key in the same moment ask for its stamp once, and as long as
 * that has not moved they get the very same key, so that its page is drawn once for them all. What this process writes counts at once.
 */
export class KeysInView {
  readonly #db: Store;
  readonly #seen = new Map<string, Seen>();
  readonly #turn = new ThisTurn((id) => this.#look(id));

  constructor(db: Store) {
    this.#db = db;
  }

  find(id: string): Promise<InvitationKey | null> | InvitationKey | null {
    const seen = this.#seen.get(id);
    const isFresh = seen?.changes === this.#db.changes && performance.now() < seen.until;
    return isFresh ? seen.key : this.#turn.find(id);
  }

  async #look(id: string): Promise<InvitationKey | null> {
    const { changes } = this.#db;
    const until = performance.now() + VIEW_MS;
    const known = this.#seen.get(id)?.key ?? null;
    const stamp = known ? await findKeyStamp(this.#db, id) : null;
    const key = known && stamp && isOf(known, stamp) ? known : await findKey(this.#db, id);
    if (this.#seen.size >= MOST_IN_VIEW) this.#seen.clear();
    this.#seen.set(id, { key, changes, until });
    return key;
  }
}

const isOf = (key: InvitationKey, { version, uses, pausedAt, revokedAt }: KeyStamp): boolean =>
  key.version === version && key.uses === uses && key.pausedAt === pausedAt && key.revokedAt === revokedAt;

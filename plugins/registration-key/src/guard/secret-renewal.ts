import type { Host } from 'latchkey/plugin-api';
import { copyContext } from '../copies/copy.ts';
import { findCopy, readSealedText, resealCopy } from '../copies/copy-repository.ts';
import { readSecrets, replaceDraft } from '../seats/attempt-repository.ts';
import type { ProofBox } from '../seats/proofs.ts';
import { contextOf, type KeyDoor } from '../keys/key-door.ts';
import { findKey, readSealedCopy, resealSecret } from '../keys/key-repository.ts';
import type { RosterBook } from '../roster/roster-book.ts';
import { listOutdated, type Place } from './renewal-repository.ts';

const AT_ONCE = 100;

interface Deps {
  host: Host;
  door: KeyDoor;
  proofs: ProofBox;
  rosters: RosterBook;
}

/**
 * After the keys of the house were changed: everything whose text can still be read is digested and sealed anew. What was shown once,
 * or only mailed, keeps its digest under the older key, which goes on finding it, until somebody shows it again.
 */
export class SecretRenewal {
  readonly #deps: Deps;
  readonly #moves: Record<Place, (id: string) => Promise<boolean>>;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#moves = {
      invite_key: (id) => this.#moveKey(id),
      invite_copy: (id) => this.#moveCopy(id),
      invite_roster_entry: (id) => deps.rosters.renew(id),
      invite_attempt: (id) => this.#moveDraft(id),
    };
  }

  /** Answers how many it moved over. */
  async run(signal: AbortSignal): Promise<number> {
    const [newest, ...older] = this.#deps.host.keys.macs('invite|current', '');
    if (newest === undefined || older.length === 0) return 0;
    let moved = 0;
    for (const place of Object.keys(this.#moves) as Place[])
      moved += await this.#renew(place, newest.keyId, signal);
    return moved;
  }

  async #renew(place: Place, current: number, signal: AbortSignal): Promise<number> {
    const { db } = this.#deps.host;
    let [moved, after] = [0, ''];
    for (;;) {
      const ids = await listOutdated(db, place, { current, after, limit: AT_ONCE });
      for (const id of ids) {
        if (signal.aborted) return moved;
        if (await this.#tried(place, id)) moved += 1;
        after = id;
      }
      if (ids.length < AT_ONCE) return moved;
    }
  }

  /** What cannot be opened stays as it is, and the others go on. */
  async #tried(place: Place, id: string): Promise<boolean> {
    try {
      return await this.#moves[place](id);
    } catch (error) {
      this.#deps.host.log.warn({ error, place, id }, 'A secret could not be sealed anew');
      return false;
    }
  }

  async #moveKey(id: string): Promise<boolean> {
    const { host, door } = this.#deps;
    const key = await findKey(host.db, id);
    const sealed = key && (await readSealedCopy(host.db, id));
    if (!sealed) return false;
    const secret = door.sealAgain(host.keys.open(sealed, contextOf(key)), key);
    return host.transaction((tx) => resealSecret(tx, key, secret));
  }

  async #moveCopy(id: string): Promise<boolean> {
    const { host, door } = this.#deps;
    const copy = await findCopy(host.db, id);
    const sealed = copy && (await readSealedText(host.db, id));
    if (!sealed) return false;
    const context = copyContext(copy);
    const secret = door.sealCopyAgain(host.keys.open(sealed, context), context);
    return host.transaction((tx) => resealCopy(tx, id, secret));
  }

  /** The form of somebody who waits for an approver, for up to a year. */
  async #moveDraft(id: string): Promise<boolean> {
    const { host, proofs } = this.#deps;
    const secrets = await readSecrets(host.db, id);
    if (!secrets?.draft) return false;
    const before = secrets.draft;
    const draft = proofs.seal(id, proofs.open(id, before));
    return host.transaction((tx) => replaceDraft(tx, id, draft, { before }));
  }
}

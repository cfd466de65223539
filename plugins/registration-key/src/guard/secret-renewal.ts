import type { Host } from 'latchkey/plugin-api';
import { contextOf, type KeyDoor } from '../keys/key-door.ts';
import { findKey, listOutdated, readSealedCopy, resealSecret } from '../keys/key-repository.ts';

const AT_ONCE = 100;

/**
 * After the keys of the house were changed: every invitation whose text can still be read is digested and sealed anew. One that is shown
 * once keeps its digest under the older key, which goes on finding it.
 */
export class SecretRenewal {
  readonly #host: Host;
  readonly #door: KeyDoor;

  constructor(host: Host, door: KeyDoor) {
    this.#host = host;
    this.#door = door;
  }

  /** Answers how many it moved over. */
  async run(signal: AbortSignal): Promise<number> {
    const { db, keys } = this.#host;
    const current = keys.mac('invite|current', '').keyId;
    let moved = 0;
    for (let ids = await listOutdated(db, current, AT_ONCE); ids.length > 0;) {
      let progress = 0;
      for (const id of ids) {
        if (signal.aborted) return moved;
        if (await this.#move(id)) progress += 1;
      }
      moved += progress;
      // What cannot be opened stays as it is, and must not be tried for ever.
      if (progress === 0) break;
      ids = await listOutdated(db, current, AT_ONCE);
    }
    return moved;
  }

  async #move(id: string): Promise<boolean> {
    const host = this.#host;
    const key = await findKey(host.db, id);
    const sealed = key && (await readSealedCopy(host.db, id));
    if (!sealed) return false;
    try {
      const text = host.keys.open(sealed, contextOf(key));
      const secret = this.#door.sealAgain(text, key);
      return await host.transaction((tx) => resealSecret(tx, key, secret));
    } catch (error) {
      host.log.warn({ error, keyId: id }, 'The copy of a key could not be sealed anew');
      return false;
    }
  }
}

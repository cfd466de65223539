import { InView, type Host } from 'latchkey/plugin-api';
import type { InvitationKey } from '../keys/invitation-key.ts';
import { findKey, findKeyStamp, type KeyStamp } from '../keys/key-repository.ts';

/**
 * Keys whose page is being opened. Three hundred phones that open one key in the same moment ask for its stamp once, and as long as
 * that has not moved they get the very same key, so that its page is drawn once for them all. It is the page that may be late;
 * a seat is taken by what stands then.
 */
export class KeysInView {
  readonly #db: Host['db'];
  readonly #view: InView<InvitationKey | null>;

  constructor(host: Pick<Host, 'db' | 'clock'>) {
    this.#db = host.db;
    this.#view = new InView(host);
  }

  find(id: string): Promise<InvitationKey | null> | InvitationKey | null {
    return this.#view.find(id, (known) => this.#look(id, known ?? null));
  }

  async #look(id: string, known: InvitationKey | null): Promise<InvitationKey | null> {
    const stamp = known ? await findKeyStamp(this.#db, id) : null;
    return known && stamp && isOf(known, stamp) ? known : findKey(this.#db, id);
  }
}

const isOf = (key: InvitationKey, { version, uses, pausedAt, revokedAt }: KeyStamp): boolean =>
  key.version === version && key.uses === uses && key.pausedAt === pausedAt && key.revokedAt === revokedAt;

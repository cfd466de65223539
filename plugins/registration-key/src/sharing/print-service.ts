import {
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
import { contextOf } from '../keys/key-door.ts';
import { assertMayReveal } from '../keys/key-policy.ts';
import { findKeys, readSealedCopy } from '../keys/key-repository.ts';
import { factsOf, subjectOf } from '../keys/key-service.ts';
import { deleteEndedPrints, findPrint, insertPrint } from './print-repository.ts';

export const MOST_PRINTED = 200;
const PRINTING: Limit = { name: 'print', points: 20, perSeconds: 3600 };
const LIFE_MS = 10 * 60_000;

export interface PrintedKey {
  key: InvitationKey;
  text: string;
}

/** Many keys on one sheet: a reveal of each, on record, which can be looked at and printed for ten minutes by whoever asked. */
export class PrintService {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async prepare(actor: Actor, ids: readonly string[]): Promise<string> {
    const host = this.#host;
    const keys = await this.#revealable(actor, ids);
    if (actor.userId !== null) await host.limits.count(PRINTING, actor.userId);
    const now = host.clock.now();
    const job = { id: newId(), keyIds: keys.map(({ id }) => id), madeBy: actor.userId, until: now + LIFE_MS };
    await host.transaction(async (tx) => {
      await insertPrint(tx, job);
      await deleteEndedPrints(tx, now);
      for (const key of keys) {
        const change = 'revealed';
        const after = { for: 'print' };
        await host.audit.record(tx, actor, { action: `invitation-key.${change}`, ...subjectOf(key), after });
        await host.emit(
          tx,
          keyChanged,
          { key: factsOf(key), by: actor.userId, change },
          { aggregate: key.id },
        );
      }
    });
    return job.id;
  }

  /** Only for whoever prepared it, and only as long as the rights last. */
  async open(actor: Actor, id: string): Promise<PrintedKey[]> {
    const host = this.#host;
    const job = await findPrint(host.db, id, host.clock.now());
    if (job === null || job.madeBy !== actor.userId) throw new NotFoundError('invitation.print_gone');
    const keys = await this.#revealable(actor, job.keyIds);
    return Promise.all(keys.map(async (key) => ({ key, text: await this.#textOf(key) })));
  }

  async #revealable(actor: Actor, ids: readonly string[]): Promise<InvitationKey[]> {
    const wanted = [...new Set(ids)];
    if (wanted.length === 0) throw problem('invitation.choose_keys', {});
    if (wanted.length > MOST_PRINTED) throw problem('invitation.too_many_to_print', { limit: MOST_PRINTED });
    const found = await findKeys(this.#host.db, wanted);
    return wanted.map((id) => {
      const key = found.get(id) ?? null;
      assertMayReveal(actor, key);
      if (!key.hasCopy) throw new GoneError('invitation.shown_once');
      return key;
    });
  }

  async #textOf(key: InvitationKey): Promise<string> {
    const sealed = await readSealedCopy(this.#host.db, key.id);
    if (sealed === null) throw new GoneError('invitation.shown_once');
    return this.#host.keys.open(sealed, contextOf(key));
  }
}

const problem = (code: string, params: Record<string, number>): InvalidInputError =>
  new InvalidInputError(code, { params, fields: [{ field: 'ids', code, params }] });

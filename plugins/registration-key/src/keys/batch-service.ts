import {
  ForbiddenError,
  InvalidInputError,
  newId,
  type Actor,
  type Host,
  type Limit,
} from 'latchkey/plugin-api';
import {
  findBatch,
  forgetSheets,
  insertBatch,
  keepSheet,
  readSheet,
  type Batch,
} from './batch-repository.ts';
import type { InvitationKey } from './invitation-key.ts';
import { assertMaySee } from './key-policy.ts';
import { deleteUnused, findKeysOfBatch } from './key-repository.ts';
import type { DrawnKey, KeyService, ShownKey } from './key-service.ts';
import type { KeyDraft } from './key-terms.ts';

/** So many keys at once and no more. */
export const MOST_AT_ONCE = 500;
/** How long whoever made them can look at the sheet with the links. */
const SHEET_MS = 10 * 60_000;
const CHUNK = 50;
const BATCHES: Limit = { name: 'mint-batch', points: 20, perSeconds: 3600 };

export interface SheetLine {
  label: string;
  key: string;
  url: string;
}

/** Many keys with the same settings, one for each person: for badges, letters, or a list of one's own. */
export class BatchService {
  readonly #host: Host;
  readonly #keys: KeyService;

  constructor({ host, keys }: { host: Host; keys: KeyService }) {
    this.#host = host;
    this.#keys = keys;
  }

  /** All of them or none. */
  async mint(actor: Actor, draft: KeyDraft, count: number): Promise<{ batch: Batch; made: ShownKey[] }> {
    this.assertMany(draft, count);
    const plan = await this.#keys.mayMint(actor, draft);
    if (plan.byMember) throw new ForbiddenError('invitation.more_than_own');
    const host = this.#host;
    if (actor.userId !== null) await host.limits.count(BATCHES, actor.userId);

    const now = host.clock.now();
    const { entityId } = plan.terms;
    const label = plan.terms.label || host.t('batch.label', {}, actor.locale);
    const batch = { id: newId(), entityId, label, wanted: count, madeBy: actor.userId, at: now };
    // Made in the same millisecond; sorted, lists show them in the order of their numbers.
    const ids = Array.from({ length: count }, () => newId()).sort();
    const drawn = ids.map((id, at) =>
      this.#keys.draw(
        actor,
        { ...plan, terms: { ...plan.terms, label: numbered(label, at + 1, count) } },
        { showOnce: draft.showOnce ?? false, batchId: batch.id, id },
      ),
    );
    await host.transaction((tx) => insertBatch(tx, batch));
    await this.#keepAll(actor, drawn);
    await this.#keys.tellSecond(drawn);
    const { origin } = await host.site();
    const made = drawn.map(({ key, text }) => ({ key, text, url: `${origin}/join/${text}` }));
    await this.#lay(batch, made, now);
    return { batch, made };
  }

  /** So many, and nothing in the draft that is for one key only. */
  assertMany(draft: KeyDraft, count: number): void {
    assertSize(count);
    assertForMany(draft);
  }

  async get(actor: Actor, id: string): Promise<{ batch: Batch; keys: InvitationKey[] }> {
    const { db } = this.#host;
    const batch = await findBatch(db, id);
    const keys = batch === null ? [] : await findKeysOfBatch(db, id);
    assertMaySee(actor, keys[0] ?? null);
    if (batch === null) throw new ForbiddenError('invitation.not_found');
    return { batch, keys };
  }

  /** The links, for whoever made them and for ten minutes; null afterwards. */
  async sheet(actor: Actor, { id, madeBy }: Batch): Promise<SheetLine[] | null> {
    const host = this.#host;
    if (madeBy !== actor.userId) return null;
    const sealed = await readSheet(host.db, id, host.clock.now());
    return sealed === null ? null : (JSON.parse(host.keys.open(sealed, sheetContext(id))) as SheetLine[]);
  }

  async forgetSheets(): Promise<void> {
    const host = this.#host;
    await host.transaction((tx) => forgetSheets(tx, host.clock.now()));
  }

  /** A transaction for a few at a time, so that none is long; what was written goes again if the rest cannot follow. */
  async #keepAll(actor: Actor, drawn: readonly DrawnKey[]): Promise<void> {
    let kept = 0;
    try {
      for (; kept < drawn.length; kept += CHUNK)
        await this.#keys.keep(actor, drawn.slice(kept, kept + CHUNK));
    } catch (error) {
      const written = drawn.slice(0, kept);
      await this.#host.transaction(async (tx) => {
        for (const { key } of written) await deleteUnused(tx, key.id);
      });
      throw error;
    }
  }

  async #lay({ id }: Batch, made: readonly ShownKey[], now: number): Promise<void> {
    const { keys } = this.#host;
    const lines = made.map(({ key, text, url }): SheetLine => ({ label: key.label, key: text, url }));
    const sealed = keys.seal(JSON.stringify(lines), sheetContext(id));
    await this.#host.transaction((tx) => keepSheet(tx, id, sealed, now + SHEET_MS));
  }
}

export const sheetContext = (id: string): string => `invite-batch|${id}`;

/** `Badge 007`: as many digits as the last one needs, so that lists sort. */
const numbered = (label: string, number: number, count: number): string => {
  const digits = String(number).padStart(String(count).length, '0');
  return `${label.slice(0, 119 - digits.length)} ${digits}`;
};

function assertSize(count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= MOST_AT_ONCE) return;
  throw new InvalidInputError('invitation.batch_size', {
    params: { limit: MOST_AT_ONCE },
    fields: [{ field: 'count', code: 'invitation.batch_size', params: { limit: MOST_AT_ONCE } }],
  });
}

/** One text, one address and one open key are for one. */
function assertForMany({ customKey, email, reuse }: KeyDraft): void {
  const field = customKey !== undefined ? 'customKey' : email ? 'email' : reuse === true ? 'reuse' : null;
  if (field === null) return;
  throw new InvalidInputError('invitation.contradiction', {
    fields: [{ field, code: 'invitation.only_for_one' }],
  });
}

import {
  ConflictError,
  ForbiddenError,
  InvalidInputError,
  newId,
  NotFoundError,
  type Actor,
  type Host,
  type Tx,
} from 'latchkey/plugin-api';
import type { InvitationKey } from './invitation-key.ts';
import { draftOf } from './key-draft.ts';
import { assertMaySee } from './key-policy.ts';
import { findKey } from './key-repository.ts';
import type { KeyDraft } from './key-terms.ts';
import {
  deletePreset,
  findPreset,
  insertPreset,
  listPresets,
  renamePreset,
  type Preset,
} from './preset-repository.ts';

const MANAGE = 'registration-key.presets';
const MINT = 'registration-key.mint';
const LONGEST_NAME = 80;

/** Settings of keys under names, so that the next key begins where a good one ended. */
export class PresetBook {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Whoever mints or keeps presets somewhere sees those of that place. */
  async list(actor: Actor): Promise<Preset[]> {
    const [mint, manage] = [actor.entitiesWith(MINT), actor.entitiesWith(MANAGE)];
    const seen = mint === 'all' || manage === 'all' ? 'all' : [...new Set([...mint, ...manage])];
    return listPresets(this.#host.db, seen);
  }

  /** By id or by name. */
  async find(actor: Actor, wanted: string): Promise<Preset> {
    const name = normal(wanted);
    const found = (await this.list(actor)).find(({ id, nameNorm }) => id === wanted || nameNorm === name);
    if (!found) throw new NotFoundError('invitation.no_preset');
    return found;
  }

  /** What the draft asks for beside its preset counts more. */
  async complete(actor: Actor, draft: KeyDraft): Promise<KeyDraft> {
    const { preset: wanted, ...said } = draft;
    if (wanted === undefined || wanted === '') return said;
    const preset = await this.find(actor, wanted);
    return { ...draftFrom(preset, this.#host.clock.now()), ...said };
  }

  /** The settings of a key, without its address, its moments and its secret. */
  async keep(actor: Actor, keyId: string, name: string): Promise<Preset> {
    const { db, clock } = this.#host;
    const key = await findKey(db, keyId);
    assertMaySee(actor, key);
    assertMayKeep(actor, key.entityId);
    const now = clock.now();
    const preset = {
      id: newId(),
      entityId: key.entityId,
      ...named(name),
      draft: settingsOf(key),
      lifeMs: key.expiresAt === null ? null : Math.max(60_000, key.expiresAt - key.createdAt),
      madeBy: actor.userId,
      madeByName: actor.name,
      createdAt: now,
      updatedAt: now,
    };
    await this.#write(actor, preset, 'saved', (tx) => insertPreset(tx, preset));
    return preset;
  }

  async rename(actor: Actor, id: string, name: string): Promise<Preset> {
    const preset = await this.#kept(actor, id);
    const next = { ...preset, ...named(name) };
    const now = this.#host.clock.now();
    await this.#write(actor, next, 'renamed', async (tx) => {
      await renamePreset(tx, id, { ...next, now });
    });
    return next;
  }

  async remove(actor: Actor, id: string): Promise<void> {
    const preset = await this.#kept(actor, id);
    await this.#write(actor, preset, 'removed', async (tx) => {
      if (!(await deletePreset(tx, id))) throw new NotFoundError('invitation.no_preset');
    });
  }

  async #kept(actor: Actor, id: string): Promise<Preset> {
    const preset = await findPreset(this.#host.db, id);
    const sees = preset !== null && (actor.can(MINT, preset.entityId) || actor.can(MANAGE, preset.entityId));
    if (!sees) throw new NotFoundError('invitation.no_preset');
    assertMayKeep(actor, preset.entityId);
    return preset;
  }

  async #write(
    actor: Actor,
    preset: Preset,
    change: 'saved' | 'renamed' | 'removed',
    work: (tx: Tx) => Promise<void>,
  ): Promise<void> {
    const host = this.#host;
    try {
      await host.transaction(async (tx) => {
        await work(tx);
        await host.audit.record(tx, actor, {
          action: `invitation-preset.${change}`,
          subject: { type: 'invitation-preset', id: preset.id, label: preset.name },
          entityId: preset.entityId,
        });
      });
    } catch (error) {
      if (host.db.dialect.isDuplicate(error))
        throw new ConflictError('invitation.preset_taken', { cause: error });
      throw error;
    }
  }
}

/** A preset as a draft made now. */
export const draftFrom = ({ draft, entityId, lifeMs }: Preset, now: number): KeyDraft => ({
  ...draft,
  entity: entityId,
  expiresAt: lifeMs === null ? null : now + lifeMs,
});

function settingsOf(key: InvitationKey): KeyDraft {
  const { email: _email, expiresAt: _expiresAt, notBefore: _notBefore, ...settings } = draftOf(key);
  return { ...settings, profile: key.profileId, showOnce: !key.hasCopy };
}

function assertMayKeep(actor: Actor, entityId: string): void {
  if (!actor.can(MANAGE, entityId)) throw new ForbiddenError('invitation.may_not_keep_presets');
}

function named(typed: string): Pick<Preset, 'name' | 'nameNorm'> {
  const name = typed.trim().replace(/\s+/g, ' ');
  if (name !== '' && name.length <= LONGEST_NAME) return { name, nameNorm: normal(name) };
  const code = name === '' ? 'invitation.preset_needs_name' : 'invitation.too_long';
  throw new InvalidInputError('input.invalid', {
    fields: [{ field: 'name', code, params: { limit: LONGEST_NAME } }],
  });
}

const normal = (name: string): string => name.normalize('NFKC').toLowerCase().trim().slice(0, LONGEST_NAME);

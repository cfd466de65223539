import {
  ConflictError,
  GoneError,
  InvalidInputError,
  newId,
  type Actor,
  type Host,
  type Limit,
  type Page,
  type PageRequest,
  type Tx,
} from 'latchkey/plugin-api';
import type { Authority } from './authority.ts';
import { keyChanged, keyMinted, keyRevoked, minting, type KeyFacts } from '../hooks.ts';
import type { InvitationKey, KeyTerms } from './invitation-key.ts';
import { contextOf, type KeyDoor } from './key-door.ts';
import {
  countTabs,
  deleteUnused,
  findByExplainCode,
  findKey,
  insertKey,
  listKeys,
  moveKey,
  readSealedCopy,
  replaceSecret,
  updateTerms,
  type KeyFilter,
  type Tab,
} from './key-repository.ts';
import { assertMayManage, assertMayMint, assertMayReveal, assertMaySee } from './key-policy.ts';
import { assertCustomKey, assertSound, completeTerms, type KeyDraft } from './key-terms.ts';
import type { Places } from './places.ts';

/** A key together with its secret: at minting, replacing and revealing, and never else. */
export interface ShownKey {
  key: InvitationKey;
  text: string;
  url: string;
}

interface Deps {
  host: Host;
  door: KeyDoor;
  authority: Authority;
  places: Places;
}

const MINTING: Limit = { name: 'mint', points: 100, perSeconds: 3600 };
const REVEALING: Limit = { name: 'reveal', points: 60, perSeconds: 3600 };
type Change = 'edited' | 'paused' | 'resumed' | 'restored' | 'rotated' | 'revealed';

/** Invitation keys from the side of those who make them. */
export class KeyService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(
    actor: Actor,
    filter: Omit<KeyFilter, 'entities'>,
    page: PageRequest,
  ): Promise<Page<InvitationKey>> {
    const { db, clock } = this.#deps.host;
    return listKeys(
      db,
      { ...filter, entities: actor.entitiesWith('registration-key.read') },
      page,
      clock.now(),
    );
  }

  async countTabs(actor: Actor, search: string): Promise<Record<Tab, number>> {
    const { db, clock } = this.#deps.host;
    return countTabs(db, { search, entities: actor.entitiesWith('registration-key.read') }, clock.now());
  }

  async get(actor: Actor, id: string): Promise<InvitationKey> {
    const key = await findKey(this.#deps.host.db, id);
    assertMaySee(actor, key);
    return key;
  }

  /** The keys that a refused person's code may mean. */
  async explained(actor: Actor, code: string): Promise<InvitationKey[]> {
    const found = await findByExplainCode(this.#deps.host.db, code.trim().toUpperCase().slice(0, 4));
    return found.filter((key) => actor.can('registration-key.read', key.entityId));
  }

  /** What would be minted, completed and checked, without minting it: for the live sentence and the warnings. */
  async plan(
    actor: Actor,
    draft: KeyDraft,
  ): Promise<{ terms: KeyTerms; isStaff: boolean; weak: boolean; custom: string | null }> {
    const { host, places } = this.#deps;
    const wanted = await host.applyFilter(minting, draft, { actor });
    const { profile, entity } = await places.of(actor, wanted);
    assertMayMint(actor, entity.id);
    const now = host.clock.now();
    const terms = completeTerms(wanted, {
      now,
      mailIsOn: host.mail.isOn,
      profileId: profile.id,
      entityId: entity.id,
    });
    const custom = wanted.customKey === undefined ? null : assertCustomKey(wanted.customKey);
    const circumstances = { now, weak: custom !== null, isStaff: places.isStaff(profile) };
    assertSound(terms, circumstances);
    return { terms, custom, isStaff: circumstances.isStaff, weak: circumstances.weak };
  }

  async mint(actor: Actor, draft: KeyDraft): Promise<ShownKey> {
    const { host, door, authority } = this.#deps;
    const { terms, custom } = await this.plan(actor, draft);
    await authority.assertMayGive(actor, terms);
    if (actor.userId !== null) await host.limits.count(MINTING, actor.userId);

    const [id, now] = [newId(), host.clock.now()];
    const context = { id, entityId: terms.entityId, generation: 1 };
    const showOnce = draft.showOnce ?? false;
    const minted =
      custom === null ? door.mint(context, { showOnce }) : door.custom(custom, context, { showOnce });
    const key: InvitationKey = {
      ...terms,
      ...context,
      hint: minted.hint,
      explainCode: door.explainCode(id),
      weak: custom !== null,
      hasCopy: !showOnce,
      uses: 0,
      pausedAt: null,
      pausedReason: null,
      revokedAt: null,
      ownerId: actor.userId,
      ownerName: actor.name,
      createdAt: now,
      updatedAt: now,
      lastUsedAt: null,
      version: 1,
    };
    await this.#insert(actor, key, minted.secret);
    return this.#shown(key, minted.text);
  }

  async edit(actor: Actor, id: string, version: number, changes: KeyDraft): Promise<InvitationKey> {
    const { host, authority, places } = this.#deps;
    const key = await this.#managed(actor, id);
    if (key.version !== version) throw new ConflictError('invitation.changed_meanwhile');
    const { profile, entity } = await places.of(actor, {
      profile: key.profileId,
      entity: key.entityId,
      ...changes,
    });
    if (entity.id !== key.entityId) assertMayMint(actor, entity.id);
    const now = host.clock.now();
    const place = { now, mailIsOn: host.mail.isOn, profileId: profile.id, entityId: entity.id };
    const terms = completeTerms({ ...draftOf(key), ...changes }, place);
    assertSound(terms, { now, weak: key.weak, isStaff: places.isStaff(profile), before: key });
    // The copy is sealed to its entity; moving it would need the secret.
    if (entity.id !== key.entityId)
      throw new InvalidInputError('input.invalid', {
        fields: [{ field: 'entity', code: 'invitation.entity_stays' }],
      });
    if (givesMore(key, terms)) await authority.assertMayGive(actor, terms);

    await host.transaction(async (tx) => {
      const written = await updateTerms(tx, id, version, terms, now);
      if (!written) throw new ConflictError('invitation.changed_meanwhile');
      await this.#record(tx, actor, key, 'edited', {
        before: difference(key, terms),
        after: difference(terms, key),
      });
    });
    return this.get(actor, id);
  }

  async pause(actor: Actor, id: string): Promise<InvitationKey> {
    const from = { revoked_at: 'unset', paused_at: 'unset' } as const;
    const to = { pausedAt: this.#deps.host.clock.now(), pausedReason: 'by-hand' } as const;
    return this.#move(actor, id, { from, to, change: 'paused', otherwise: 'invitation.already_paused' });
  }

  async resume(actor: Actor, id: string): Promise<InvitationKey> {
    const key = await this.#managed(actor, id);
    await this.#deps.authority.assertMayGive(actor, key);
    const from = { revoked_at: 'unset', paused_at: 'set' } as const;
    const to = { pausedAt: null, pausedReason: null };
    return this.#move(actor, id, { from, to, change: 'resumed', otherwise: 'invitation.not_paused' });
  }

  async revoke(actor: Actor, id: string): Promise<InvitationKey> {
    const key = await this.#managed(actor, id);
    const { host } = this.#deps;
    await host.transaction(async (tx) => {
      const now = host.clock.now();
      const revoked = await moveKey(tx, id, { revoked_at: 'unset' }, { revokedAt: now }, now);
      if (!revoked) throw new ConflictError('invitation.already_revoked');
      await host.audit.record(tx, actor, { action: 'invitation-key.revoked', ...subjectOf(key) });
      await host.emit(tx, keyRevoked, { key: factsOf(key), by: actor.userId }, { aggregate: id });
    });
    return this.get(actor, id);
  }

  async restore(actor: Actor, id: string): Promise<InvitationKey> {
    const key = await this.#managed(actor, id);
    await this.#deps.authority.assertMayGive(actor, key);
    const from = { revoked_at: 'set' } as const;
    return this.#move(actor, id, {
      from,
      to: { revokedAt: null },
      change: 'restored',
      otherwise: 'invitation.not_revoked',
    });
  }

  /** A new secret for the same key: the old link, and forms opened with it, are dead. */
  async rotate(actor: Actor, id: string): Promise<ShownKey> {
    const { host, door } = this.#deps;
    const key = await this.#managed(actor, id);
    const context = { id, entityId: key.entityId, generation: key.generation + 1 };
    const minted = door.mint(context, { showOnce: !key.hasCopy });
    await host.transaction(async (tx) => {
      const now = host.clock.now();
      const next = { generation: key.generation, hint: minted.hint, secret: minted.secret, now };
      if (!(await replaceSecret(tx, id, next))) throw new ConflictError('invitation.changed_meanwhile');
      await this.#record(tx, actor, key, 'rotated', {});
    });
    return this.#shown(await this.get(actor, id), minted.text);
  }

  /** Shows the link again; who did it when is on record. */
  async reveal(actor: Actor, id: string): Promise<ShownKey> {
    const { host } = this.#deps;
    const key = await findKey(host.db, id);
    assertMayReveal(actor, key);
    const sealed = await readSealedCopy(host.db, id);
    if (sealed === null) throw new GoneError('invitation.shown_once');
    if (actor.userId !== null) await host.limits.count(REVEALING, actor.userId);
    const text = host.keys.open(sealed, contextOf(key));
    await host.transaction((tx) => this.#record(tx, actor, key, 'revealed', {}));
    return this.#shown(key, text);
  }

  /** A key that nobody used goes; one with a history is revoked instead. */
  async remove(actor: Actor, id: string): Promise<void> {
    const { host } = this.#deps;
    const key = await this.#managed(actor, id);
    await host.transaction(async (tx) => {
      if (!(await deleteUnused(tx, id))) throw new ConflictError('invitation.has_history');
      await host.audit.record(tx, actor, {
        action: 'invitation-key.deleted',
        ...subjectOf(key),
        before: { label: key.label },
      });
    });
  }

  async #insert(actor: Actor, key: InvitationKey, secret: Parameters<typeof insertKey>[2]): Promise<void> {
    const { host } = this.#deps;
    const { hasCopy, ...row } = key;
    try {
      await host.transaction(async (tx) => {
        await insertKey(tx, row, secret);
        await host.audit.record(tx, actor, {
          action: 'invitation-key.minted',
          ...subjectOf(key),
          after: { ...termsOf(key), hasCopy },
        });
        await host.emit(tx, keyMinted, { key: factsOf(key), by: actor.userId }, { aggregate: key.id });
      });
    } catch (error) {
      // Only a chosen text can be there already. Nothing is said about whose it is.
      if (host.db.dialect.isDuplicate(error))
        throw new ConflictError('invitation.custom_key_taken', { cause: error });
      throw error;
    }
  }

  async #move(
    actor: Actor,
    id: string,
    step: {
      from: Parameters<typeof moveKey>[2];
      to: Parameters<typeof moveKey>[3];
      change: Change;
      otherwise: string;
    },
  ): Promise<InvitationKey> {
    const { host } = this.#deps;
    const key = await this.#managed(actor, id);
    await host.transaction(async (tx) => {
      if (!(await moveKey(tx, id, step.from, step.to, host.clock.now())))
        throw new ConflictError(step.otherwise);
      await this.#record(tx, actor, key, step.change, {});
    });
    return this.get(actor, id);
  }

  async #managed(actor: Actor, id: string): Promise<InvitationKey> {
    const key = await findKey(this.#deps.host.db, id);
    assertMayManage(actor, key);
    return key;
  }

  async #record(
    tx: Tx,
    actor: Actor,
    key: InvitationKey,
    change: Change,
    facts: { before?: Record<string, unknown>; after?: Record<string, unknown> },
  ): Promise<void> {
    const { host } = this.#deps;
    await host.audit.record(tx, actor, { action: `invitation-key.${change}`, ...subjectOf(key), ...facts });
    await host.emit(tx, keyChanged, { key: factsOf(key), by: actor.userId, change }, { aggregate: key.id });
  }

  async #shown(key: InvitationKey, text: string): Promise<ShownKey> {
    const { origin } = await this.#deps.host.site();
    return { key, text, url: `${origin}/join/${text}` };
  }
}

export const factsOf = ({ id, label, entityId, profileId, ownerId }: InvitationKey): KeyFacts => ({
  id,
  label,
  entityId,
  profileId,
  ownerId,
});

export const subjectOf = (
  key: InvitationKey,
): { subject: { type: string; id: string; label: string }; entityId: string } => ({
  subject: { type: 'invitation-key', id: key.id, label: key.label === '' ? `lkinv_${key.hint}…` : key.label },
  entityId: key.entityId,
});

const termNames = [
  'label',
  'note',
  'entityId',
  'profileId',
  'groupIds',
  'maxUses',
  'notBefore',
  'expiresAt',
  'approval',
  'emailProof',
  'email',
  'emailDomains',
  'landing',
  'locale',
] as const satisfies readonly (keyof KeyTerms)[];

const termsOf = (terms: KeyTerms): Record<string, unknown> =>
  Object.fromEntries(termNames.map((name) => [name, terms[name]]));

/** The terms of `one` that `other` has differently. */
const difference = (one: KeyTerms, other: KeyTerms): Record<string, unknown> =>
  Object.fromEntries(
    termNames
      .filter((name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]))
      .map((name) => [name, one[name]]),
  );

const draftOf = (key: InvitationKey): KeyDraft => ({
  label: key.label,
  note: key.note,
  maxUses: key.maxUses,
  notBefore: key.notBefore,
  expiresAt: key.expiresAt,
  groups: key.groupIds,
  email: key.email,
  emailDomains: key.emailDomains,
  approval: key.approval,
  emailProof: key.emailProof,
  landing: key.landing,
  locale: key.locale,
});

/** Extending the time or the label needs no new authority; another profile, another group or more people does. */
const givesMore = (key: InvitationKey, terms: KeyTerms): boolean =>
  key.profileId !== terms.profileId ||
  terms.groupIds.some((id) => !key.groupIds.includes(id)) ||
  key.maxUses !== terms.maxUses;

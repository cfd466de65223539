import {
  ConflictError,
  ForbiddenError,
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
import { standingOf, termNames, type InvitationKey, type KeyTerms } from './invitation-key.ts';
import { contextOf, type KeyDoor } from './key-door.ts';
import { draftOf } from './key-draft.ts';
import type { MemberQuota } from './member-quota.ts';
import type { SecondYes } from './second-yes.ts';
import {
  agreeToKey,
  buryKey,
  deleteUnused,
  findByExplainCode,
  findKey,
  findLike,
  holdForSecond,
  insertKey,
  moveKey,
  readSealedCopy,
  replaceSecret,
  updateTerms,
  type KeySecret,
} from './key-repository.ts';
import type { Tab } from './key-filter.ts';
import { countTabs, listKeys, type KeyFilter } from './key-list-repository.ts';
import {
  assertMayEdit,
  assertMayManage,
  assertMayMint,
  assertMayReveal,
  assertMaySee,
  mayManage,
} from './key-policy.ts';
import { assertCustomKey, assertSound, completeTerms, type KeyDraft } from './key-terms.ts';
import type { Places } from './places.ts';
import type { Plan } from './plan.ts';
import type { PresetBook } from './preset-book.ts';

/** A key together with its secret: at minting, replacing and revealing, and never else. */
export interface ShownKey {
  key: InvitationKey;
  text: string;
  url: string;
  /** It was open already, and asked for with `reuse`. */
  isReused?: boolean;
}

interface Deps {
  host: Host;
  door: KeyDoor;
  authority: Authority;
  places: Places;
  quota: MemberQuota;
  secondYes: SecondYes;
  presets: PresetBook;
}

/** A key as it will be written, and its secret. */
export interface DrawnKey {
  key: InvitationKey;
  secret: KeySecret;
  text: string;
}

const MINTING: Limit = { name: 'mint', points: 100, perSeconds: 3600 };
const REVEALING: Limit = { name: 'reveal', points: 60, perSeconds: 3600 };
type Change = 'edited' | 'paused' | 'resumed' | 'restored' | 'rotated' | 'revealed' | 'agreed';

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
    return listKeys(db, { ...filter, ...scopeOf(actor) }, page, clock.now());
  }

  async countTabs(actor: Actor, search: string): Promise<Record<Tab, number>> {
    const { db, clock } = this.#deps.host;
    return countTabs(db, { search, ...scopeOf(actor) }, clock.now());
  }

  /** What this person made, whatever became of it. */
  async listOwn(actor: Actor, page: PageRequest): Promise<Page<InvitationKey>> {
    const { db, clock } = this.#deps.host;
    const filter = { tab: 'all', search: '', entities: 'all', ownerId: actor.userId ?? '' } as const;
    return listKeys(db, filter, page, clock.now());
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
  async plan(actor: Actor, draft: KeyDraft): Promise<Plan> {
    const { host, places, presets, quota, secondYes } = this.#deps;
    const wanted = await host.applyFilter(minting, await presets.complete(actor, draft), { actor });
    if (await quota.appliesTo(actor)) return quota.plan(actor, wanted);
    const { profile, entity } = await places.of(actor, wanted);
    assertMayMint(actor, entity.id);
    const now = host.clock.now();
    const isStaff = places.isStaff(profile);
    const terms = completeTerms(wanted, {
      now,
      mailIsOn: host.mail.isOn,
      profileId: profile.id,
      entityId: entity.id,
      isStaff,
    });
    const custom = wanted.customKey === undefined ? null : assertCustomKey(wanted.customKey);
    if (custom !== null && !(await host.settings.get<boolean>('customKeys'))) throw customKeysAreOff();
    const weak = custom !== null;
    assertSound(terms, { now, weak, isStaff });
    const waitsForSecond = await secondYes.isNeeded(actor, terms);
    const isAgent = profile.kind === 'staff';
    return { terms, custom, isStaff, isAgent, weak, byMember: false, waitsForSecond };
  }

  async mint(actor: Actor, draft: KeyDraft): Promise<ShownKey> {
    const { host, quota } = this.#deps;
    const plan = await this.mayMint(actor, draft);
    const open = draft.reuse === true ? await this.#openLike(actor, plan, draft) : null;
    if (open !== null) return open;
    if (plan.byMember) await quota.count(actor);
    else if (actor.userId !== null) await host.limits.count(MINTING, actor.userId);

    const drawn = this.draw(actor, plan, { showOnce: draft.showOnce ?? false });
    await this.keep(actor, [drawn]);
    if (plan.byMember && !(await quota.isWithin(actor))) await this.#takeBack(drawn.key);
    await this.tellSecond([drawn]);
    return this.#shown(drawn.key, drawn.text);
  }

  /** Whoever could agree hears that a key waits for it; of many keys at once by one mail. */
  async tellSecond([first]: readonly Pick<DrawnKey, 'key'>[]): Promise<void> {
    if (first?.key.pausedReason === 'second-approval') await this.#deps.secondYes.tellOthers(first.key);
  }

  /** Its text was never shown to anybody. */
  async #takeBack({ id }: InvitationKey): Promise<never> {
    await this.#deps.host.transaction(async (tx) => {
      await deleteUnused(tx, id);
    });
    throw new ConflictError('invitation.quota_race');
  }

  /** The plan, if this actor may give all that it gives. */
  async mayMint(actor: Actor, draft: KeyDraft): Promise<Plan> {
    const plan = await this.plan(actor, draft);
    if (!plan.byMember) await this.#deps.authority.assertMayGive(actor, plan.terms);
    return plan;
  }

  /** A key with a fresh secret, not yet written. */
  draw(
    actor: Actor,
    { terms, custom, byMember, waitsForSecond }: Plan,
    { showOnce, batchId = null, id = newId() }: { showOnce: boolean; batchId?: string | null; id?: string },
  ): DrawnKey {
    const { host, door } = this.#deps;
    const now = host.clock.now();
    const context = { id, entityId: terms.entityId, generation: 1 };
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
      pausedAt: waitsForSecond ? now : null,
      pausedReason: waitsForSecond ? 'second-approval' : null,
      revokedAt: null,
      ownerId: actor.userId,
      ownerName: actor.name,
      byMember,
      askedBy: waitsForSecond ? actor.userId : null,
      approvedBy: null,
      approvedAt: null,
      deletedAt: null,
      batchId,
      ticketId: null,
      createdAt: now,
      updatedAt: now,
      lastUsedAt: null,
      isMailed: false,
      version: 1,
    };
    return { key, secret: minted.secret, text: minted.text };
  }

  /** An open key of this actor with the same terms and the same life: its link, and no new one. */
  async #openLike(actor: Actor, { terms }: Plan, draft: KeyDraft): Promise<ShownKey | null> {
    const { host } = this.#deps;
    if (draft.showOnce === true || draft.customKey !== undefined) throw cannotReuse();
    const now = host.clock.now();
    const found = (await findLike(host.db, actor.userId, terms)).find((key) => isStillLike(key, terms, now));
    const sealed = found && (await readSealedCopy(host.db, found.id));
    if (!found || !sealed) return null;
    await host.transaction((tx) => this.#record(tx, actor, found, 'revealed', {}));
    return { ...(await this.#shown(found, host.keys.open(sealed, contextOf(found)))), isReused: true };
  }

  async edit(actor: Actor, id: string, version: number, changes: KeyDraft): Promise<InvitationKey> {
    const { host, authority, places, secondYes } = this.#deps;
    const key = await this.#managed(actor, id);
    assertMayEdit(actor, key);
    if (key.version !== version) throw new ConflictError('invitation.changed_meanwhile');
    const { profile, entity } = await places.of(actor, {
      profile: key.profileId,
      entity: key.entityId,
      ...changes,
    });
    if (entity.id !== key.entityId) assertMayMint(actor, entity.id);
    const now = host.clock.now();
    const place = { now, mailIsOn: host.mail.isOn, profileId: profile.id, entityId: entity.id };
    const terms = completeTerms(
      { ...draftOf(key), ...changes, carries: { ...key.carries, ...changes.carries } },
      place,
    );
    assertSound(terms, { now, weak: key.weak, isStaff: places.isStaff(profile), before: key });
    // The copy is sealed to its entity; moving it would need the secret.
    if (entity.id !== key.entityId)
      throw new InvalidInputError('input.invalid', {
        fields: [{ field: 'entity', code: 'invitation.entity_stays' }],
      });
    if (givesMore(key, terms)) await authority.assertMayGive(actor, terms);
    const waitsForSecond = asksMore(key, terms) && (await secondYes.isNeeded(actor, terms));

    await host.transaction(async (tx) => {
      const written = await updateTerms(tx, id, version, terms, now);
      if (!written) throw new ConflictError('invitation.changed_meanwhile');
      if (waitsForSecond) await holdForSecond(tx, id, actor.userId, now);
      await this.#record(tx, actor, key, 'edited', {
        before: difference(key, terms),
        after: difference(terms, key),
      });
    });
    const edited = await this.get(actor, id);
    if (waitsForSecond) await this.tellSecond([{ key: edited }]);
    return edited;
  }

  async pause(actor: Actor, id: string): Promise<InvitationKey> {
    const from = { revoked_at: 'unset', paused_at: 'unset' } as const;
    const to = { pausedAt: this.#deps.host.clock.now(), pausedReason: 'by-hand' } as const;
    return this.#move(actor, id, { from, to, change: 'paused', otherwise: 'invitation.already_paused' });
  }

  async resume(actor: Actor, id: string): Promise<InvitationKey> {
    const key = await this.#managed(actor, id);
    if (key.pausedReason === 'second-approval') throw new ConflictError('invitation.needs_second');
    await this.#deps.authority.assertMayGiveAgain(actor, key);
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
    assertMayEdit(actor, key);
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
    await this.#deps.authority.assertNotAbove(actor, key);
    const sealed = await readSealedCopy(host.db, id);
    if (sealed === null) throw new GoneError('invitation.shown_once');
    if (actor.userId !== null) await host.limits.count(REVEALING, actor.userId);
    const text = host.keys.open(sealed, contextOf(key));
    await host.transaction((tx) => this.#record(tx, actor, key, 'revealed', {}));
    return this.#shown(key, text);
  }

  /** A key that nobody used goes without a trace; one with a history only if what happened may stay behind. */
  async remove(actor: Actor, id: string, { keepHistory = false } = {}): Promise<void> {
    const { host } = this.#deps;
    const key = await this.#managed(actor, id);
    assertMayEdit(actor, key);
    const record = (tx: Tx): Promise<void> =>
      host.audit.record(tx, actor, {
        action: 'invitation-key.deleted',
        ...subjectOf(key),
        before: { label: key.label },
      });
    const isGone = await unlessReferenced(() =>
      host.transaction(async (tx) => {
        if (!(await deleteUnused(tx, id))) return false;
        await record(tx);
        return true;
      }),
    );
    if (isGone) return;
    if (!keepHistory) throw new ConflictError('invitation.has_history');
    await host.transaction(async (tx) => {
      if (!(await buryKey(tx, id, host.clock.now()))) throw new ConflictError('invitation.deleted');
      await record(tx);
      await host.emit(tx, keyRevoked, { key: factsOf(key), by: actor.userId }, { aggregate: id });
    });
  }

  /** Writes keys that were drawn, all of them or none. */
  async keep(actor: Actor, drawn: readonly DrawnKey[]): Promise<void> {
    const { host } = this.#deps;
    try {
      await host.transaction((tx) => this.write(tx, actor, drawn));
    } catch (error) {
      // Only a chosen text can be there already. Nothing is said about whose it is.
      if (host.db.dialect.isDuplicate(error))
        throw new ConflictError('invitation.custom_key_taken', { cause: error });
      throw error;
    }
  }

  /** In a transaction that belongs to something larger. */
  async write(tx: Tx, actor: Actor, drawn: readonly DrawnKey[]): Promise<void> {
    const { host } = this.#deps;
    for (const { key, secret } of drawn) {
      const { hasCopy, ...row } = key;
      await insertKey(tx, row, secret);
      await host.audit.record(tx, actor, {
        action: 'invitation-key.minted',
        ...subjectOf(key),
        after: { ...termsOf(key), hasCopy },
      });
      await host.emit(tx, keyMinted, { key: factsOf(key), by: actor.userId }, { aggregate: key.id });
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

  /** What its page says while it waits for the second yes. */
  async secondYesOf(actor: Actor, key: InvitationKey): Promise<object | null> {
    if (key.pausedReason !== 'second-approval') return null;
    const names = await this.#deps.secondYes.namesOf(key);
    const mayAgree = mayManage(actor, key) && key.askedBy !== actor.userId;
    return { mayAgree, names: names.slice(0, NAMED), more: Math.max(0, names.length - NAMED) };
  }

  /** The second administrator's yes: from now on the key lets people in. */
  async agree(actor: Actor, id: string, version: number): Promise<InvitationKey> {
    const { host, authority } = this.#deps;
    const key = await findKey(host.db, id);
    assertMayManage(actor, key);
    assertMayEdit(actor, key);
    if (key.pausedReason !== 'second-approval') throw new ConflictError('invitation.nothing_to_agree');
    if (key.askedBy === actor.userId) throw new ForbiddenError('invitation.own_request');
    await authority.assertMayGive(actor, key);
    await host.transaction(async (tx) => {
      if (!(await agreeToKey(tx, id, version, { by: actor.userId, now: host.clock.now() })))
        throw new ConflictError('invitation.changed_meanwhile');
      await this.#record(tx, actor, key, 'agreed', { after: { name: key.ownerName } });
    });
    return this.get(actor, id);
  }

  async #managed(actor: Actor, id: string): Promise<InvitationKey> {
    const key = await findKey(this.#deps.host.db, id);
    assertMayManage(actor, key);
    if (key.deletedAt !== null) throw new ConflictError('invitation.deleted');
    await this.#deps.authority.assertNotAbove(actor, key);
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

export const factsOf = ({ id, label, entityId, profileId, ownerId, version }: InvitationKey): KeyFacts => ({
  id,
  label,
  entityId,
  profileId,
  ownerId,
  version,
});

export const subjectOf = (
  key: InvitationKey,
): { subject: { type: string; id: string; label: string }; entityId: string } => ({
  subject: { type: 'invitation-key', id: key.id, label: key.label === '' ? `lkinv_${key.hint}…` : key.label },
  entityId: key.entityId,
});

const termsOf = (terms: KeyTerms): Record<string, unknown> =>
  Object.fromEntries(termNames.map((name) => [name, terms[name]]));

/** The terms of `one` that `other` has differently. */
const difference = (one: KeyTerms, other: KeyTerms): Record<string, unknown> =>
  Object.fromEntries(
    termNames
      .filter((name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]))
      .map((name) => [name, one[name]]),
  );

/** Extending the time or the label needs no new authority; another profile, another group or more people does. */
const givesMore = (key: InvitationKey, terms: KeyTerms): boolean =>
  key.profileId !== terms.profileId ||
  terms.groupIds.some((id) => !key.groupIds.includes(id)) ||
  key.maxUses !== terms.maxUses;

/** What a second administrator agreed to: this profile, this person, these groups. A later end or another label is no other key. */
const asksMore = (key: InvitationKey, terms: KeyTerms): boolean =>
  givesMore(key, terms) || key.emailNorm !== terms.emailNorm;

/** Whoever reads keys sees all of their entities; others, their own. */
const scopeOf = (actor: Actor): Pick<KeyFilter, 'entities' | 'ownerId'> =>
  actor.can('registration-key.read')
    ? { entities: actor.entitiesWith('registration-key.read') }
    : { entities: 'all', ownerId: actor.userId ?? '' };

const NEAR_MS = 60_000;
/** Of those who may give the second yes; of the others the number is told. */
const NAMED = 5;

/** Open, and living as long as the one that is asked for; or until the very same moment. */
function isStillLike(key: InvitationKey, terms: KeyTerms, now: number): boolean {
  if (!['active', 'scheduled', 'outside-hours'].includes(standingOf(key, now)) || !key.hasCopy) return false;
  if (key.notBefore !== terms.notBefore) return false;
  if (key.expiresAt === null || terms.expiresAt === null) return key.expiresAt === terms.expiresAt;
  const asLong = Math.abs(key.expiresAt - key.createdAt - (terms.expiresAt - now)) < NEAR_MS;
  return asLong || key.expiresAt === terms.expiresAt;
}

const customKeysAreOff = (): InvalidInputError =>
  new InvalidInputError('invitation.contradiction', {
    fields: [{ field: 'customKey', code: 'invitation.custom_keys_off' }],
  });

const cannotReuse = (): InvalidInputError =>
  new InvalidInputError('invitation.contradiction', {
    fields: [{ field: 'reuse', code: 'invitation.reuse_needs_copy' }],
  });

/** Runs it, or answers false when other rows still speak of the key: mails that went out, say. */
export async function unlessReferenced(work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && /foreign key constraint/i.test(error.message)) return false;
    throw error;
  }
}

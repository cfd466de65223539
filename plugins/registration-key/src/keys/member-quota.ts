import {
  ConflictError,
  ForbiddenError,
  InvalidInputError,
  TooManyError,
  type Actor,
  type FieldProblem,
  type Host,
} from 'latchkey/plugin-api';
import { countOwn } from './key-repository.ts';
import type { Plan } from './plan.ts';
import type { KeyTerms } from './invitation-key.ts';
import { assertSound, completeTerms, DAY_MS, type KeyDraft } from './key-terms.ts';
import type { EntityFacts, GroupFacts, Places, ProfileFacts } from './places.ts';

const INVITE = 'registration-key.invite';
const PROFILE = 'self-service';

/** What the house lets everybody with the right do. */
export interface Ceilings {
  openKeys: number;
  perDay: number;
  uses: number;
  days: number;
  accountDays: number;
}

/** What is left of it for one person now. */
export interface Allowance extends Ceilings {
  open: number;
  madeToday: number;
  /** The account is too young until then; null once it is old enough. */
  waitsUntil: number | null;
  groups: GroupFacts[];
}

/** Ordinary users may invite: with the plainest profile, into their own groups, a few people at a time. */
export class MemberQuota {
  readonly #host: Host;
  readonly #places: Places;

  constructor({ host, places }: { host: Host; places: Places }) {
    this.#host = host;
    this.#places = places;
  }

  async isOn(): Promise<boolean> {
    return this.#host.settings.get<boolean>('peopleMayInvite');
  }

  /** Whoever may make keys outright has no quota. */
  async appliesTo(actor: Actor): Promise<boolean> {
    return (
      actor.userId !== null && !actor.can('registration-key.mint') && actor.can(INVITE) && (await this.isOn())
    );
  }

  async allowanceOf(actor: Actor): Promise<Allowance> {
    const host = this.#host;
    const [userId, now] = [userIdOf(actor), host.clock.now()];
    const ceilings = await this.#ceilings();
    const { open, made } = await countOwn(host.db, userId, { now, since: now - DAY_MS });
    const oldEnough = ((await host.users.find(userId))?.createdAt ?? now) + ceilings.accountDays * DAY_MS;
    return {
      ...ceilings,
      open,
      madeToday: made,
      waitsUntil: now < oldEnough ? oldEnough : null,
      groups: await host.memberships.groupsOf(userId),
    };
  }

  async plan(actor: Actor, draft: KeyDraft): Promise<Plan> {
    const host = this.#host;
    const [profile, entity] = [await this.#profileFor(draft), await this.#entityFor(actor, draft)];
    await this.#assertOwnGroups(actor, draft.groups ?? []);
    if (draft.customKey !== undefined) throw new ForbiddenError('invitation.more_than_own');
    const ceilings = await this.#ceilings();
    const now = host.clock.now();
    const terms = completeTerms(
      { ...modest(draft, ceilings, now), profile: profile.id },
      { now, mailIsOn: host.mail.isOn, profileId: profile.id, entityId: entity.id },
    );
    const problems = beyond(terms, ceilings, now);
    if (problems.length > 0) throw new InvalidInputError('invitation.beyond_quota', { fields: problems });
    assertSound(terms, { now, weak: false, isStaff: false });
    const plain = { custom: null, isStaff: false, isAgent: false, weak: false, waitsForSecond: false };
    return { ...plain, terms, byMember: true };
  }

  /** Asked just before the key is written. */
  async count(actor: Actor): Promise<void> {
    const { open, openKeys, madeToday, perDay, waitsUntil } = await this.allowanceOf(actor);
    const host = this.#host;
    if (waitsUntil !== null)
      throw new ForbiddenError('invitation.account_too_young', {
        params: { days: Math.max(1, Math.ceil((waitsUntil - host.clock.now()) / DAY_MS)) },
      });
    if (open >= openKeys) throw new ConflictError('invitation.quota_open', { params: { limit: openKeys } });
    const perPerson = { name: 'mint-member', points: perDay, perSeconds: 86_400 };
    if (madeToday >= perDay)
      throw new TooManyError('invitation.quota_day', { params: { limit: perDay }, retryAfter: 3600 });
    await host.limits.count(perPerson, userIdOf(actor));
  }

  /** Several at the same moment may each have seen the last free place; the later ones do not stay. */
  async isWithin(actor: Actor): Promise<boolean> {
    const { open, openKeys } = await this.allowanceOf(actor);
    return open <= openKeys;
  }

  /** As things stand now: the house still lets this person invite, with this profile. */
  async mayStillGive(actor: Actor, terms: Pick<KeyTerms, 'profileId' | 'entityId'>): Promise<boolean> {
    if (!(await this.isOn()) || !actor.can(INVITE, terms.entityId)) return false;
    const profile = (await this.#host.memberships.profiles()).find(({ id }) => id === terms.profileId);
    return profile?.key === PROFILE;
  }

  async #ceilings(): Promise<Ceilings> {
    const { settings } = this.#host;
    return {
      openKeys: await settings.get('memberOpenKeys'),
      perDay: await settings.get('memberKeysPerDay'),
      uses: await settings.get('memberUses'),
      days: await settings.get('memberDays'),
      accountDays: await settings.get('memberAccountDays'),
    };
  }

  async #profileFor({ profile: wanted = PROFILE }: KeyDraft): Promise<ProfileFacts> {
    const profile = await this.#places.profile(wanted);
    if (profile.key !== PROFILE) throw new ForbiddenError('invitation.more_than_own');
    return profile;
  }

  async #entityFor(actor: Actor, { entity: wanted }: KeyDraft): Promise<EntityFacts> {
    const entities = await this.#host.memberships.entities();
    const mine = entities.filter(({ id }) => actor.can(INVITE, id));
    const entity = wanted === undefined ? mine[0] : mine.find(({ id, name }) => [id, name].includes(wanted));
    if (!entity) throw new ForbiddenError('invitation.may_not_mint');
    return entity;
  }

  async #assertOwnGroups(actor: Actor, wanted: readonly string[]): Promise<void> {
    if (wanted.length === 0) return;
    const [own, all] = [
      await this.#host.memberships.groupsOf(userIdOf(actor)),
      await this.#host.memberships.groups(),
    ];
    if (!wanted.every((id) => all.some((group) => group.id === id)))
      throw new InvalidInputError('input.invalid', {
        fields: [{ field: 'groups', code: 'invitation.unknown_group' }],
      });
    if (!wanted.every((id) => own.some((group) => group.id === id)))
      throw new ForbiddenError('invitation.more_than_own');
  }
}

function userIdOf({ userId }: Actor): string {
  if (userId === null) throw new ForbiddenError('invitation.may_not_mint');
  return userId;
}

/** What is left out stays below the ceilings by itself. */
const modest = (draft: KeyDraft, { uses, days }: Ceilings, now: number): KeyDraft => ({
  ...(draft.label === undefined ? {} : { label: draft.label }),
  ...(draft.note === undefined ? {} : { note: draft.note }),
  ...(draft.email === undefined ? {} : { email: draft.email }),
  ...(draft.emailDomains === undefined ? {} : { emailDomains: draft.emailDomains }),
  ...(draft.groups === undefined ? {} : { groups: draft.groups }),
  ...(draft.locale === undefined ? {} : { locale: draft.locale }),
  ...(draft.notBefore === undefined ? {} : { notBefore: draft.notBefore }),
  ...(draft.hours === undefined ? {} : { hours: draft.hours }),
  ...(draft.approval === undefined ? {} : { approval: draft.approval }),
  maxUses: draft.maxUses === undefined ? (draft.email ? 1 : Math.min(uses, 10)) : draft.maxUses,
  expiresAt: draft.expiresAt === undefined ? now + Math.min(days, 7) * DAY_MS : draft.expiresAt,
});

/** A minute's grace, so that "fourteen days" from a form filled in a moment ago still are fourteen days. */
function beyond({ maxUses, expiresAt }: KeyTerms, { uses, days }: Ceilings, now: number): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (maxUses === null || maxUses > uses)
    problems.push({ field: 'maxUses', code: 'invitation.quota_uses', params: { limit: uses } });
  if (expiresAt === null || expiresAt > now + days * DAY_MS + 60_000)
    problems.push({ field: 'expiresAt', code: 'invitation.quota_days', params: { limit: days } });
  return problems;
}

import { z } from 'zod';
import { changesOf } from '../audit/index.ts';
import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import type { KnownError } from '../shared/errors.ts';
import type { Database } from '../db/database.ts';
import type { AccountEndService } from './account-end-service.ts';
import { deviceOf } from './device.ts';
import type { Directory, DirectorySnapshot } from './directory.ts';
import { ROOT_ENTITY_ID } from './entity.ts';
import { many, refusalOf, ticked, typedIn } from './form.ts';
import { localMoment, momentIn } from './local-moment.ts';
import type { MembershipService } from './membership-service.ts';
import type { IdentityLinkService } from './identity-link-service.ts';
import { entityOptions, localeOptions, timeZoneOptions, type Option } from './options.ts';
import type { PasskeyService } from './passkey-service.ts';
import type { PasswordResetService } from './password-reset-service.ts';
import { BUILT_IN_PROFILES } from './profile.ts';
import { confirmFirst } from './recent-sign-in.ts';
import type { NewPerson, UserAdminService } from './user-admin-service.ts';
import { presentAttributes } from './user-attributes.ts';
import { mayGive } from './user-policy.ts';

interface Deps {
  db: Database;
  clock: Clock;
  directory: Directory;
  memberships: MembershipService;
  resets: PasswordResetService;
  accountEnds: AccountEndService;
  identityLinks: IdentityLinkService;
  site: () => Promise<{ timeZone: string }>;
  userAdmin: UserAdminService;
  passkeys: PasskeyService;
  mail: { readonly isOn: boolean };
}

const PER_PAGE = 25;
const USERS = '/admin/users';
const access = { right: 'user.read' };
const manage = { right: 'user.manage' };
const numbered = z.object({ number: z.coerce.number().int().min(0) });
const list = z.object({
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
  q: z.string().trim().max(120).optional().catch(undefined),
  status: z.enum(['active', 'disabled']).optional().catch(undefined),
  profile: z.string().max(40).optional().catch(undefined),
});
const newForm = z.object({
  email: z.string().max(320),
  name: z.string().max(300),
  locale: z.string().max(12),
  profileId: z.string().min(1).max(40),
  entityId: z.string().min(1).max(40),
  recursive: ticked,
});
const editForm = z.object({
  email: z.string().max(320),
  name: z.string().max(300),
  locale: z.string().max(12),
  timeZone: z.string().max(64).default(''),
  version: z.coerce.number().int(),
});
const grantForm = z.object({
  profileId: z.string().min(1).max(40),
  entityId: z.string().min(1).max(40),
  recursive: ticked,
});

const endForm = z.object({ endsAt: z.string().max(40).default('') });
const attributesForm = z.object({
  attribute: many(z.string().max(200)),
  value: many(z.string().max(2000)),
});

/** People, as administrators see them. */
export function userRoutes(deps: Deps): Route[] {
  const {
    db,
    clock,
    directory,
    memberships,
    resets,
    userAdmin,
    accountEnds,
    identityLinks,
    passkeys,
    site,
    mail,
  } = deps;
  const pathOf = (number: number): string => `${USERS}/${String(number)}`;
  const idOf = async (actor: Actor, number: number): Promise<string> =>
    (await userAdmin.view(actor, number)).user.id;

  async function newPage({ actor, body }: Incoming, error?: KnownError): Promise<Reply> {
    const typed = typedIn(body, ['email', 'name', 'locale', 'profileId', 'entityId', 'recursive']);
    return view('admin/users/new', {
      form: {
        locale: actor.locale,
        profileId: BUILT_IN_PROFILES['self-service'],
        entityId: ROOT_ENTITY_ID,
        ...typed,
        recursive: typed['recursive'] === 'true',
      },
      locales: localeOptions,
      mailIsOn: mail.isOn,
      ...givable(actor, await directory.snapshot()),
      ...refusalOf(error),
    });
  }

  async function detail(
    incoming: Incoming,
    shown: { error?: KnownError; link?: string } = {},
  ): Promise<Reply> {
    const { actor, body } = incoming;
    const { number } = numbered.parse(incoming.params);
    const person = await userAdmin.view(actor, number);
    const snapshot = await directory.snapshot();
    const { user } = person;
    const { timeZone } = await site();
    return view('admin/users/detail', {
      ...person,
      path: pathOf(number),
      passkeys: person.mayManage ? await passkeys.listOf(actor, user.id) : [],
      isOneself: user.id === actor.userId,
      attributes: presentAttributes(person.attributes),
      identities: person.mayManage ? await identityLinks.list(user.id) : [],
      endsOn: localMoment(user.endsAt, timeZone),
      timeZone,
      isOver: user.endsAt !== null && user.endsAt <= clock.now(),
      form: {
        ...user,
        timeZone: user.timeZone ?? '',
        ...typedIn(body, ['email', 'name', 'locale', 'timeZone', 'profileId', 'entityId']),
      },
      grants: person.grants.map((grant) => ({
        ...grant,
        profile: snapshot.profiles.find(({ id }) => id === grant.profileId),
        entity: snapshot.tree.fullName(grant.entityId),
        mayWithdraw: mayGive(actor, { ...grant, recursive: grant.isRecursive }, snapshot),
      })),
      sessions: person.sessions.map((session) => ({ ...session, device: deviceOf(session.userAgent) })),
      history: person.history.map((entry) => ({ ...entry, changes: changesOf(entry) })),
      locales: localeOptions,
      timeZones: timeZoneOptions(),
      mailIsOn: mail.isOn,
      mayGrant: actor.can('grant.manage'),
      link: shown.link,
      slots: { 'user.detail': { userId: user.id } },
      ...givable(actor, snapshot),
      ...refusalOf(shown.error),
    });
  }

  /** A button on somebody's page: does it, says so, and shows the page again. */
  const button = (name: string, flash: string, act: (actor: Actor, id: string) => Promise<unknown>): Route =>
    route({
      method: 'post',
      path: `${USERS}/:number/${name}`,
      access: manage,
      params: numbered,
      onRefused: (incoming, error) => detail(incoming, { error }),
      handler: async ({ actor, session, params: { number } }) => {
        const again = confirmFirst(session, { now: clock.now(), next: pathOf(number) });
        if (again) return again;
        await act(actor, await idOf(actor, number));
        return redirect(pathOf(number), { flash: { kind: 'success', code: `identity:flash.${flash}` } });
      },
    });

  return [
    route({
      method: 'get',
      path: USERS,
      access,
      query: list,
      handler: async ({ actor, query: { page, q, status, profile } }) => {
        const found = await userAdmin.list(
          actor,
          { search: q, status, profileId: profile },
          { page, perPage: PER_PAGE },
        );
        const { profiles } = await directory.snapshot();
        return view('admin/users/list', {
          page: found,
          users: found.items,
          form: { q, status, profile },
          isFiltered: [q, status, profile].some((value) => value !== undefined && value !== ''),
          profiles: profiles.map(({ id, name }) => ({ value: id, label: name })),
          mayManage: actor.can('user.manage'),
        });
      },
    }),
    route({ method: 'get', path: `${USERS}/new`, access: manage, handler: (incoming) => newPage(incoming) }),
    route({
      method: 'post',
      path: USERS,
      access: manage,
      body: newForm,
      onRefused: newPage,
      handler: async ({ actor, body }) => {
        const person: NewPerson = body;
        const { id } = await userAdmin.create(actor, person);
        const { number } = await userAdmin.get(actor, id);
        if (mail.isOn) await resets.sendFor(actor, id);
        const code = mail.isOn ? 'identity:flash.created-and-written' : 'identity:flash.created';
        return redirect(pathOf(number), { flash: { kind: 'success', code } });
      },
    }),
    route({
      method: 'get',
      path: `${USERS}/:number`,
      access,
      params: numbered,
      handler: (incoming) => detail(incoming),
    }),
    route({
      method: 'post',
      path: `${USERS}/:number`,
      access: manage,
      params: numbered,
      body: editForm,
      onRefused: (incoming, error) => detail(incoming, { error }),
      handler: async ({ actor, params: { number }, body }) => {
        await userAdmin.update(actor, await idOf(actor, number), body);
        return redirect(pathOf(number), { flash: { kind: 'success', code: 'identity:flash.saved' } });
      },
    }),
    route({
      method: 'post',
      path: `${USERS}/:number/grants`,
      access: { right: 'grant.manage' },
      params: numbered,
      body: grantForm,
      onRefused: (incoming, error) => detail(incoming, { error }),
      handler: async ({ actor, params: { number }, body }) => {
        const userId = await idOf(actor, number);
        await db.transaction((tx) => memberships.grant(tx, { userId, ...body }, { actor }));
        return redirect(`${pathOf(number)}#rights`, {
          flash: { kind: 'success', code: 'identity:flash.grant-given' },
        });
      },
    }),
    route({
      method: 'post',
      path: `${USERS}/:number/grants/:grantId/withdraw`,
      access: { right: 'grant.manage' },
      params: numbered.extend({ grantId: z.string().min(1).max(40) }),
      onRefused: (incoming, error) => detail(incoming, { error }),
      handler: async ({ actor, params: { number, grantId } }) => {
        await memberships.revoke(actor, grantId);
        return redirect(`${pathOf(number)}#rights`, {
          flash: { kind: 'success', code: 'identity:flash.grant-withdrawn' },
        });
      },
    }),
    route({
      method: 'post',
      path: `${USERS}/:number/reset`,
      access: manage,
      params: numbered,
      onRefused: (incoming, error) => detail(incoming, { error }),
      handler: async (incoming) => {
        const { actor, session, params } = incoming;
        const again = confirmFirst(session, { now: clock.now(), next: pathOf(params.number) });
        if (again) return again;
        const { link } = await resets.sendFor(actor, await idOf(actor, params.number));
        if (link !== null) return detail(incoming, { link });
        return redirect(pathOf(params.number), {
          flash: { kind: 'success', code: 'identity:flash.reset-sent' },
        });
      },
    }),
    route({
      method: 'post',
      path: `${USERS}/:number/end`,
      access: manage,
      params: numbered,
      body: endForm,
      onRefused: (incoming, error) => detail(incoming, { error }),
      handler: async ({ actor, params: { number }, body: { endsAt } }) => {
        const { timeZone } = await site();
        await accountEnds.set(actor, await idOf(actor, number), momentIn(endsAt, timeZone));
        return redirect(pathOf(number), {
          flash: {
            kind: 'success',
            code: endsAt === '' ? 'accounts:flash.no-end' : 'accounts:flash.end-set',
          },
        });
      },
    }),
    route({
      method: 'post',
      path: `${USERS}/:number/attributes`,
      access: manage,
      params: numbered,
      body: attributesForm,
      onRefused: (incoming, error) => detail(incoming, { error }),
      handler: async ({ actor, params: { number }, body: { attribute, value } }) => {
        const said = attribute.map((name, at) => [name.trim(), value[at] ?? ''] as const);
        const attributes = Object.fromEntries(said.filter(([name]) => name !== ''));
        await userAdmin.setAttributes(actor, await idOf(actor, number), attributes);
        return redirect(`${pathOf(number)}#attributes`, {
          flash: { kind: 'success', code: 'identity:flash.saved' },
        });
      },
    }),
    route({
      method: 'post',
      path: `${USERS}/:number/identities/:id/remove`,
      access: manage,
      params: numbered.extend({ id: z.string().min(1).max(40) }),
      onRefused: (incoming, error) => detail(incoming, { error }),
      handler: async ({ actor, params: { number, id } }) => {
        await identityLinks.unlinkFor(actor, await idOf(actor, number), id);
        return redirect(pathOf(number), { flash: { kind: 'success', code: 'providers:flash.unlinked-for' } });
      },
    }),
    button('disable', 'disabled', (actor, id) => userAdmin.setStatus(actor, id, 'disabled')),
    button('enable', 'enabled', (actor, id) => userAdmin.setStatus(actor, id, 'active')),
    button('end-sessions', 'sessions-ended', (actor, id) => userAdmin.endSessions(actor, id)),
    button('remove-second-factor', 'second-factor-off', (actor, id) =>
      userAdmin.removeSecondFactor(actor, id),
    ),
    route({
      method: 'post',
      path: `${USERS}/:number/passkeys/:passkeyId/remove`,
      access: manage,
      params: numbered.extend({ passkeyId: z.string().min(1).max(40) }),
      onRefused: (incoming, error) => detail(incoming, { error }),
      handler: async ({ actor, session, params: { number, passkeyId } }) => {
        const again = confirmFirst(session, { now: clock.now(), next: pathOf(number) });
        if (again) return again;
        await passkeys.removeOf(actor, await idOf(actor, number), passkeyId);
        return redirect(pathOf(number), { flash: { kind: 'success', code: 'passkeys:flash.removed' } });
      },
    }),
    route({
      method: 'post',
      path: `${USERS}/:number/anonymise`,
      access: manage,
      params: numbered,
      onRefused: (incoming, error) => detail(incoming, { error }),
      handler: async ({ actor, session, params: { number } }) => {
        const again = confirmFirst(session, { now: clock.now(), next: pathOf(number) });
        if (again) return again;
        await userAdmin.anonymise(actor, await idOf(actor, number));
        return redirect(USERS, { flash: { kind: 'success', code: 'identity:flash.anonymised' } });
      },
    }),
  ];
}

/** The profiles and entities that this actor can give; what they cannot is not offered. */
function givable(actor: Actor, snapshot: DirectorySnapshot): { profiles: Option[]; entities: Option[] } {
  const where = actor.entitiesWith('grant.manage');
  const entities = snapshot.tree.all().filter(({ id }) => where === 'all' || where.includes(id));
  const isGivableSomewhere = (profileId: string): boolean =>
    entities.some(({ id }) => mayGive(actor, { profileId, entityId: id, recursive: false }, snapshot));
  return {
    profiles: snapshot.profiles
      .filter(({ id }) => isGivableSomewhere(id))
      .map(({ id, name }) => ({ value: id, label: name })),
    entities: entityOptions(snapshot.tree, entities),
  };
}

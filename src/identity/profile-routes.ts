import { z } from 'zod';
import { redirect, view, type Reply } from '../http/reply.ts';
import { route, type Incoming, type Route } from '../http/route.ts';
import type { KnownError } from '../shared/errors.ts';
import { many, refusalOf, typedIn } from './form.ts';
import type { Profile } from './profile.ts';
import type { ProfileService } from './profile-service.ts';
import type { Rights } from './rights.ts';

interface Deps {
  profileAdmin: ProfileService;
  rights: Rights;
}

const PROFILES = '/admin/profiles';
const access = { right: 'profile.manage' };
const params = z.object({ id: z.string().min(1).max(40) });
const query = z.object({ from: z.string().max(40).optional().catch(undefined) });
const form = z.object({
  name: z.string().max(200),
  kind: z.enum(['portal', 'staff']),
  rights: many(z.string().max(120)),
});
const editForm = form.extend({ version: z.coerce.number().int() });

interface GridGroup {
  title: string;
  rights: { id: string; title: string; checked: boolean }[];
}

/** Profiles, and a grid of rights for each. */
export function profileRoutes({ profileAdmin, rights }: Deps): Route[] {
  const pathOf = (id: string): string => `${PROFILES}/${id}`;

  /** Rights under their headings, ticked where the profile has them. */
  function gridOf(held: readonly string[]): GridGroup[] {
    const groups = Map.groupBy(rights.all(), ({ group }) => group);
    return [...groups].map(([group, tokens]) => ({
      title: `rights.group.${group}`,
      rights: tokens.map(({ id }) => ({ id, title: `rights.${id}`, checked: held.includes(id) })),
    }));
  }

  function formOf(
    profile: Pick<Profile, 'name' | 'kind' | 'rights'>,
    body: unknown,
  ): { form: Record<string, string>; grid: GridGroup[] } {
    const typed = z.object({ rights: many(z.string()) }).safeParse(body).data;
    const wasSent = typed !== undefined && Object.keys(typedIn(body, ['name'])).length > 0;
    return {
      form: { name: profile.name, kind: profile.kind, ...typedIn(body, ['name', 'kind']) },
      grid: gridOf(wasSent ? typed.rights : profile.rights),
    };
  }

  async function newPage(incoming: Incoming, error?: KnownError): Promise<Reply> {
    const { from } = query.parse(incoming.query);
    const model =
      from === undefined
        ? { name: '', kind: 'portal' as const, rights: [] }
        : { ...(await profileAdmin.get(from)), name: '' };
    return view('admin/profiles/new', { ...formOf(model, incoming.body), ...refusalOf(error) });
  }

  async function detail(incoming: Incoming, error?: KnownError): Promise<Reply> {
    const profile = await profileAdmin.get(params.parse(incoming.params).id);
    return view('admin/profiles/detail', {
      profile,
      path: pathOf(profile.id),
      isBuiltIn: profile.key !== null,
      ...formOf(profile, incoming.body),
      ...refusalOf(error),
    });
  }

  return [
    route({
      method: 'get',
      path: PROFILES,
      access,
      handler: async () => {
        const profiles = await profileAdmin.list();
        return view('admin/profiles/list', {
          profiles: profiles.map((profile) => ({
            ...profile,
            path: pathOf(profile.id),
            isBuiltIn: profile.key !== null,
            kindLabel: `identity:profile.kind.${profile.kind}`,
            rightCount: profile.rights.length,
          })),
        });
      },
    }),
    route({
      method: 'get',
      path: `${PROFILES}/new`,
      access,
      query,
      handler: (incoming) => newPage(incoming),
    }),
    route({
      method: 'post',
      path: PROFILES,
      access,
      body: form,
      onRefused: newPage,
      handler: async ({ actor, body }) => {
        const { id } = await profileAdmin.create(actor, body);
        return redirect(pathOf(id), { flash: { kind: 'success', code: 'identity:flash.profile-created' } });
      },
    }),
    route({
      method: 'get',
      path: `${PROFILES}/:id`,
      access,
      params,
      handler: (incoming) => detail(incoming),
    }),
    route({
      method: 'post',
      path: `${PROFILES}/:id`,
      access,
      params,
      body: editForm,
      onRefused: detail,
      handler: async ({ actor, params: { id }, body }) => {
        await profileAdmin.update(actor, id, body);
        return redirect(pathOf(id), { flash: { kind: 'success', code: 'identity:flash.saved' } });
      },
    }),
    route({
      method: 'post',
      path: `${PROFILES}/:id/remove`,
      access,
      params,
      onRefused: detail,
      handler: async ({ actor, params: { id } }) => {
        await profileAdmin.remove(actor, id);
        return redirect(PROFILES, { flash: { kind: 'success', code: 'identity:flash.profile-removed' } });
      },
    }),
  ];
}

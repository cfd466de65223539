import {
  redirect,
  route,
  view,
  z,
  type Host,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { backWith } from '../keys/back-with.ts';
import type { AgainService } from '../mailings/again-service.ts';
import type { RosterFacts, RosterService } from './roster-service.ts';

interface Deps {
  host: Host;
  rosters: RosterService;
  again: AgainService;
}

const READ = { right: 'registration-key.read' };
const ROOT = '/invitation-keys/:id/roster';
const idParams = z.object({ id: z.string().max(40) });
const pageQuery = z.object({ page: z.coerce.number().int().min(1).max(10_000).catch(1) });
const removeForm = z.object({ who: z.string().max(320) });
const nudgeForm = z.object({ message: z.string().trim().max(1000).default('') });
const PER_PAGE = 50;

/** The list of a key: how many are missing, who, and one button that writes to them. */
export function rosterRoutes({ host, rosters, again }: Deps): Route[] {
  const pathOf = (id: string): string => `/invitation-keys/${id}/roster`;
  const back = ({ params }: { params: { id: string } }, error: KnownError): Reply =>
    backWith(pathOf(params.id), error);

  return [
    route({
      method: 'get',
      path: ROOT,
      access: READ,
      params: idParams,
      query: pageQuery,
      handler: async ({ actor, params: { id }, query }) => {
        const facts = await rosters.get(actor, id);
        const missing = await rosters.missing(actor, id, { ...query, perPage: PER_PAGE });
        return view(`${host.plugin.id}/roster/roster`, {
          ...presentRoster(facts),
          people: missing.items,
          page: missing,
          mailIsOn: host.mail.isOn,
        });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/count`,
      access: READ,
      params: idParams,
      handler: async ({ actor, params }) =>
        view(`${host.plugin.id}/roster/count`, presentRoster(await rosters.get(actor, params.id))),
    }),
    route({
      method: 'post',
      path: `${ROOT}/remove`,
      access: READ,
      params: idParams,
      body: removeForm,
      onRefused: back,
      handler: async ({ actor, params: { id }, body }) => {
        await rosters.remove(actor, id, body.who);
        return redirect(pathOf(id), {
          flash: { kind: 'success', code: 'registration-key:flash.roster-removed' },
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/nudge`,
      access: READ,
      params: idParams,
      body: nudgeForm,
      onRefused: back,
      handler: async ({ actor, params: { id }, body }) => {
        const round = await again.nudge(actor, id, body);
        return redirect(`/invitation-keys/rounds/${round.id}`);
      },
    }),
  ];
}

const presentRoster = ({ key, roster, counts, mayManage }: RosterFacts): object => ({
  id: key.id,
  label: key.label,
  isNumbers: roster.kind === 'number',
  keepsAddresses: roster.keepsAddresses,
  mayNudge: mayManage && roster.keepsAddresses && counts.missing > 0,
  mayManage,
  ...counts,
});

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
import { mayManage } from '../keys/key-policy.ts';
import type { KeyService } from '../keys/key-service.ts';
import type { AgainService } from './again-service.ts';
import { filterOf, shows } from './delivery-shows.ts';
import { countDeliveries, findInvitee, listInvitees } from './invitee-repository.ts';
import { isOpenFor } from './round-policy.ts';
import { presentInvitee } from './round-presenter.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  again: AgainService;
}

const READ = { right: 'registration-key.read' };
const ROOT = '/invitation-keys/:id/invited';
const idParams = z.object({ id: z.string().max(40) });
const inviteeParams = z.object({ id: z.string().max(40), invitee: z.string().max(40) });
const pageQuery = z.object({
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
  show: z.enum(shows).catch('all'),
});
const messageForm = z.object({ message: z.string().trim().max(1000).default('') });
const PER_PAGE = 50;

/** Everybody a key was mailed to: what the mail server said, who joined, and writing to them again. */
export function inviteeRoutes({ host, keys, again }: Deps): Route[] {
  const pathOf = (id: string): string => `/invitation-keys/${id}/invited`;
  const back = ({ params }: { params: { id: string } }, error: KnownError): Reply =>
    backWith(pathOf(params.id), error);

  return [
    route({
      method: 'get',
      path: ROOT,
      access: READ,
      params: idParams,
      query: pageQuery,
      handler: async ({ actor, locale, params, query: { show, page } }) => {
        const key = await keys.get(actor, params.id);
        const counts = await countDeliveries(host.db, { keyId: key.id });
        const found = await listInvitees(
          host.db,
          { keyId: key.id, ...filterOf[show] },
          { page, perPage: PER_PAGE },
        );
        const byShow = {
          all: counts.total,
          waiting: counts.queued + counts.sending + counts.failed,
          accepted: counts['handed-over'],
          refused: counts.dead,
          missing: counts.total - counts.joined,
          joined: counts.joined,
        };
        return view(`${host.plugin.id}/rounds/invited`, {
          id: key.id,
          label: key.label,
          tabs: shows.map((name) => ({
            label: host.t(`invited.show.${name}`, {}, locale),
            path: `${pathOf(key.id)}?show=${name}`,
            count: byShow[name],
            active: name === show,
          })),
          people: found.items.map((invitee) => presentInvitee(host, invitee, locale)),
          page: found,
          total: counts.total,
          mayManage: mayManage(actor, key),
          mayWriteAgain:
            mayManage(actor, key) &&
            host.mail.isOn &&
            counts.total > counts.joined &&
            isOpenFor(key, host.clock.now()),
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/again`,
      access: READ,
      params: idParams,
      body: messageForm,
      onRefused: back,
      handler: async ({ actor, params, body }) => {
        const round = await again.toAll(actor, { keyId: params.id }, body);
        return redirect(`/invitation-keys/rounds/${round.id}`);
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:invitee/resend`,
      access: READ,
      params: inviteeParams,
      onRefused: back,
      handler: async ({ actor, params }) => {
        const { email } = await again.resend(actor, params.invitee);
        const invitee = await findInvitee(host.db, params.invitee);
        return redirect(pathOf(invitee?.keyId ?? params.id), {
          flash: { kind: 'success', code: 'registration-key:flash.resent', params: { email } },
        });
      },
    }),
  ];
}

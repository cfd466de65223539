import {
  askAgain,
  redirect,
  route,
  view,
  z,
  type Host,
  type Incoming,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { backWith } from '../keys/back-with.ts';
import { countByStatus } from '../seats/redemption-repository.ts';
import type { KeyService } from '../keys/key-service.ts';
import { asLocal, momentOf } from './moment.ts';
import type { UndoService } from './undo-service.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  undo: UndoService;
}

const READ = { right: 'registration-key.read' };
const ROOT = '/invitation-keys';
const idParams = z.object({ id: z.string().max(40) });
const ways = ['nobody', 'since', 'everybody'] as const;
const revokeForm = z.object({
  also: z.enum(ways).catch('nobody'),
  since: z.string().max(30).default(''),
});

/** Closing a key: at once and everywhere, with a way back, and with what becomes of those who came in. */
export function revokeRoutes({ host, keys, undo }: Deps): Route[] {
  const pathOf = (id: string): string => `${ROOT}/${id}`;

  /** The key is closed by now; those who came in are suspended next, if whoever asks has lately said who they are. */
  async function suspend(
    incoming: Incoming<{ id: string }>,
    since: number,
    timeZone: string,
  ): Promise<Reply | null> {
    const { id } = incoming.params;
    const form = new URLSearchParams({ since: asLocal(since, timeZone), action: 'suspend' });
    const asked = askAgain(incoming, {
      now: host.clock.now(),
      next: `${pathOf(id)}/undo?${form.toString()}`,
    });
    if (asked) return asked;
    const query = { since, withDescendants: false, copyId: null };
    const { people } = await undo.preview(incoming.actor, id, query);
    if (people.length === 0) return null;
    const started = await undo.start(incoming.actor, id, { ...query, action: 'suspend' });
    return redirect(`${ROOT}/undo/${started.id}`, { flash: revoked(id) });
  }

  const revoked = (id: string) =>
    ({
      kind: 'success',
      code: 'registration-key:flash.revoke',
      undo: { action: `${pathOf(id)}/restore`, label: 'registration-key:undo' },
    }) as const;

  return [
    route({
      method: 'get',
      path: `${ROOT}/:id/revoke`,
      access: READ,
      params: idParams,
      handler: async ({ actor, params, locale }) => {
        const key = await keys.get(actor, params.id);
        const counts = await countByStatus(host.db, key.id);
        const { timeZone } = await host.site();
        return view(`${host.plugin.id}/guard/revoke`, {
          id: key.id,
          label: key.label,
          hint: key.hint,
          joined: counts.active,
          pending: counts.pending_email + counts.pending_approval,
          since: asLocal(host.clock.now() - 3_600_000, timeZone),
          ways: ways.map((value) => ({ value, label: host.t(`revoke.also-${value}`, {}, locale) })),
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/revoke`,
      access: READ,
      params: idParams,
      body: revokeForm,
      onRefused: ({ params }, error) => backWith(pathOf(params.id), error),
      handler: async (incoming) => {
        const { actor, params, body } = incoming;
        await keys.revoke(actor, params.id);
        const { timeZone } = await host.site();
        const since = body.also === 'everybody' ? 0 : momentOf(body.since, timeZone);
        const next =
          body.also === 'nobody' || since === null ? null : await suspend(incoming, since, timeZone);
        return next ?? redirect(pathOf(params.id), { flash: revoked(params.id) });
      },
    }),
  ];
}

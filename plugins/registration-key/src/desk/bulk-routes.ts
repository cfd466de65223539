import {
  InvalidInputError,
  redirect,
  route,
  view,
  z,
  type Flash,
  type Host,
  type Route,
} from 'latchkey/plugin-api';
import { deadKinds, MOST_AT_A_TIME, type BulkResult, type KeyBulk } from '../keys/key-bulk.ts';

interface Deps {
  host: Host;
  bulk: KeyBulk;
}

const MANAGE = { right: 'registration-key.manage' };
const ROOT = '/invitation-keys';
const ids = z
  .union([z.string().max(40), z.array(z.string().max(40))])
  .default([])
  .transform((value) => [value].flat());
const kindsToPurge = z
  .union([z.enum(deadKinds), z.array(z.enum(deadKinds))])
  .default([])
  .transform((value) => [value].flat());
const bulkForm = z.object({
  ids,
  act: z.enum(['revoke', 'extend']),
  back: z.string().max(300).default(''),
});
/** Behind the undo of a list: as many as one page of it shows. */
const undoQuery = z.object({ ids: z.string().max(3000).default('') });
const purgeForm = z.object({ what: kindsToPurge });

/** What is done to many keys from the list, and clearing away what is dead. */
export function bulkRoutes({ host, bulk }: Deps): Route[] {
  return [
    route({
      method: 'post',
      path: `${ROOT}/bulk`,
      access: MANAGE,
      body: bulkForm,
      onRefused: (_incoming, error) =>
        redirect(ROOT, { flash: { kind: 'warning', code: `errors.${error.code}` } }),
      handler: async ({ actor, body: { ids: wanted, act, back } }) => {
        if (wanted.length === 0) throw new InvalidInputError('invitation.choose_some');
        const chosen = wanted.slice(0, MOST_AT_A_TIME);
        const result =
          act === 'revoke' ? await bulk.revoke(actor, chosen) : await bulk.extend(actor, chosen, 7);
        const skipped = new Set(result.skipped.map(({ id }) => id));
        const done = chosen.filter((id) => !skipped.has(id));
        return redirect(`${ROOT}${/^\?[\w=&%+.~-]*$/.test(back) ? back : ''}`, {
          flash:
            act === 'revoke'
              ? { ...flashOf('revoked-many', result), ...undoOf(done) }
              : flashOf('extended-many', result),
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/bulk/restore`,
      access: MANAGE,
      query: undoQuery,
      onRefused: (_incoming, error) =>
        redirect(ROOT, { flash: { kind: 'warning', code: `errors.${error.code}` } }),
      handler: async ({ actor, query }) => {
        const wanted = query.ids.split(',').filter((id) => id !== '');
        return redirect(ROOT, { flash: flashOf('restored-many', await bulk.restore(actor, wanted)) });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/purge`,
      access: MANAGE,
      handler: async ({ actor }) => {
        const kinds = [];
        for (const kind of deadKinds) kinds.push({ kind, count: await bulk.countDead(actor, [kind]) });
        return view(`${host.plugin.id}/keys/purge`, {
          kinds,
          isEmpty: kinds.every(({ count }) => count === 0),
          most: MOST_AT_A_TIME,
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/purge`,
      access: MANAGE,
      body: purgeForm,
      onRefused: (_incoming, error) =>
        redirect(`${ROOT}/purge`, { flash: { kind: 'warning', code: `errors.${error.code}` } }),
      handler: async ({ actor, body: { what } }) => {
        const kinds = deadKinds.filter((kind) => what.includes(kind));
        if (kinds.length === 0) throw new InvalidInputError('invitation.choose_some');
        const result = await bulk.purge(actor, kinds);
        return redirect(result.left ? `${ROOT}/purge` : `${ROOT}?tab=all`, {
          flash: flashOf(result.left ? 'purged-some' : 'purged', result),
        });
      },
    }),
  ];
}

/** A flash travels in a cookie, so it names a page of keys at most. */
const MOST_UNDONE = 50;
const undoOf = (ids: readonly string[]): Pick<Flash, 'undo'> =>
  ids.length === 0 || ids.length > MOST_UNDONE
    ? {}
    : { undo: { action: `${ROOT}/bulk/restore?ids=${ids.join(',')}`, label: 'registration-key:undo' } };

const flashOf = (code: string, { done, skipped }: BulkResult): Flash => ({
  kind: done > 0 ? 'success' : 'warning',
  code: `registration-key:flash.${code}${skipped.length > 0 ? '-but' : ''}`,
  params: { count: done, skipped: skipped.length },
});

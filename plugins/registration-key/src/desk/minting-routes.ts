import {
  InvalidInputError,
  redirect,
  route,
  text,
  view,
  z,
  type Flash,
  type Host,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { backWith } from '../keys/back-with.ts';
import type { BatchService, SheetLine } from '../keys/batch-service.ts';
import type { KeyBulk } from '../keys/key-bulk.ts';
import { pillOf } from './key-presenter.ts';
import { mayManage, mayReveal } from '../keys/key-policy.ts';
import type { KeyService } from '../keys/key-service.ts';
import type { Places } from '../keys/places.ts';
import type { PresetBook } from '../keys/preset-book.ts';
import { saferTerms } from './risk-lint.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  places: Places;
  presets: PresetBook;
  batches: BatchService;
  bulk: KeyBulk;
}

const READ = { right: 'registration-key.read' };
const ROOT = '/invitation-keys';
const idParams = z.object({ id: z.string().max(40) });
const nameForm = z.object({ name: z.string().max(200).default('') });
/** Only what one press of the button closed comes back. */
const sinceQuery = z.object({ since: z.coerce.number().int().min(1) });
const agreeForm = z.object({ version: z.coerce.number().int() });
const saferForm = z.object({ version: z.coerce.number().int(), risk: z.string().max(40) });

/** Presets, many keys at once, the second administrator's yes, and the safer settings beside a risk. */
export function mintingRoutes({ host, keys, places, presets, batches, bulk }: Deps): Route[] {
  const page = (template: string, model: object): Reply => view(`${host.plugin.id}/keys/${template}`, model);
  const said = (code: string, params: Flash['params'] = {}): Flash => ({
    kind: 'success',
    code: `registration-key:flash.${code}`,
    params,
  });
  const keyPath = ({ id }: { id: string }): string => `${ROOT}/${id}`;

  return [
    route({
      method: 'get',
      path: `${ROOT}/presets`,
      access: 'signed-in',
      handler: async ({ actor }) => {
        const [found, names] = [await presets.list(actor), await places.names()];
        return page('presets', {
          presets: found.map((preset) => ({
            id: preset.id,
            name: preset.name,
            madeBy: preset.madeByName,
            at: preset.updatedAt,
            entity: names.entity(preset.entityId),
            profile: names.profile(preset.draft.profile ?? ''),
            maxUses: preset.draft.maxUses,
            days: preset.lifeMs === null ? null : Math.round(preset.lifeMs / 86_400_000),
            mayKeep: actor.can('registration-key.presets', preset.entityId),
            mayMint: actor.can('registration-key.mint', preset.entityId),
          })),
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/presets/:id/rename`,
      access: { right: 'registration-key.presets' },
      params: idParams,
      body: nameForm,
      onRefused: (_incoming, error) => backWith(`${ROOT}/presets`, error),
      handler: async ({ actor, params, body }) => {
        await presets.rename(actor, params.id, body.name);
        return redirect(`${ROOT}/presets`, { flash: said('preset-renamed') });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/presets/:id/delete`,
      access: { right: 'registration-key.presets' },
      params: idParams,
      onRefused: (_incoming, error) => backWith(`${ROOT}/presets`, error),
      handler: async ({ actor, params }) => {
        await presets.remove(actor, params.id);
        return redirect(`${ROOT}/presets`, { flash: said('preset-removed') });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/preset`,
      access: { right: 'registration-key.presets' },
      params: idParams,
      body: nameForm,
      onRefused: ({ params }, error) => backWith(keyPath(params), error),
      handler: async ({ actor, params, body }) => {
        await presets.keep(actor, params.id, body.name);
        return redirect(`${ROOT}/presets`, { flash: said('preset-saved') });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/agree`,
      access: READ,
      params: idParams,
      body: agreeForm,
      onRefused: ({ params }, error) => backWith(keyPath(params), error),
      handler: async ({ actor, params, body }) => {
        await keys.agree(actor, params.id, body.version);
        return redirect(keyPath(params), { flash: said('agreed') });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/safer`,
      access: READ,
      params: idParams,
      body: saferForm,
      onRefused: ({ params }, error) => backWith(keyPath(params), error),
      handler: async ({ actor, params, body }) => {
        const changes = saferTerms(body.risk, await keys.get(actor, params.id), host.clock.now());
        if (changes === null) throw new InvalidInputError('invitation.unknown_choice');
        await keys.edit(actor, params.id, body.version, changes);
        return redirect(keyPath(params), { flash: said('edited') });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/batches/:id`,
      access: READ,
      params: idParams,
      handler: async ({ actor, params }) => {
        const { batch, keys: made } = await batches.get(actor, params.id);
        const [sheet, now] = [await batches.sheet(actor, batch), host.clock.now()];
        const texts = new Map(sheet?.map((line) => [line.label, line.key]));
        return page('batch', {
          batch,
          isShown: sheet !== null,
          all: sheet?.map(({ url }) => url).join('\n') ?? '',
          rows: Math.min(12, made.length),
          keys: made.map((key) => ({
            id: key.id,
            label: key.label,
            text: texts.get(key.label) ?? '',
            pill: pillOf(key, now),
            uses: key.uses,
            maxUses: key.maxUses,
          })),
          mayRevoke: made.some((key) => key.revokedAt === null && mayManage(actor, key)),
          printable: made
            .filter((key) => key.revokedAt === null && key.hasCopy && mayReveal(actor, key))
            .map(({ id }) => id),
        });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/batches/:id/csv`,
      access: READ,
      params: idParams,
      handler: async ({ actor, params }) => {
        const { batch } = await batches.get(actor, params.id);
        const sheet = await batches.sheet(actor, batch);
        if (sheet === null) return redirect(`${ROOT}/batches/${batch.id}`);
        return text(csvOf(sheet), 'text/csv; charset=utf-8', {
          headers: {
            'Content-Disposition': 'attachment; filename="invitations.csv"',
            'Cache-Control': 'no-store',
          },
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/batches/:id/revoke`,
      access: READ,
      params: idParams,
      onRefused: ({ params }, error) => backWith(`${ROOT}/batches/${params.id}`, error),
      handler: async ({ actor, params }) => {
        const { keys: made } = await batches.get(actor, params.id);
        const open = made.filter(({ revokedAt }) => revokedAt === null).map(({ id }) => id);
        const since = host.clock.now();
        const { done } = await bulk.revoke(actor, open);
        const action = `${ROOT}/batches/${params.id}/restore?since=${String(since)}`;
        return redirect(`${ROOT}/batches/${params.id}`, {
          flash: {
            ...said('revoked-many', { count: done }),
            ...(done > 0 ? { undo: { action, label: 'registration-key:undo' } } : {}),
          },
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/batches/:id/restore`,
      access: READ,
      params: idParams,
      query: sinceQuery,
      onRefused: ({ params }, error) => backWith(`${ROOT}/batches/${params.id}`, error),
      handler: async ({ actor, params, query: { since } }) => {
        const { keys: made } = await batches.get(actor, params.id);
        const closed = made.filter(({ revokedAt }) => revokedAt !== null && revokedAt >= since);
        const { done } = await bulk.restore(
          actor,
          closed.map(({ id }) => id),
        );
        return redirect(`${ROOT}/batches/${params.id}`, { flash: said('restored-many', { count: done }) });
      },
    }),
  ];
}

/** As spreadsheets open it, and without a cell that one of them would run. */
export function csvOf(sheet: readonly SheetLine[]): string {
  const cell = (said: string): string =>
    `"${(/^[=+\-@\t\r]/.test(said) ? `'${said}` : said).replaceAll('"', '""')}"`;
  const lines = sheet.map(({ label, key, url }) => [label, key, url].map(cell).join(','));
  return `\uFEFFlabel,key,link\r\n${lines.join('\r\n')}\r\n`;
}

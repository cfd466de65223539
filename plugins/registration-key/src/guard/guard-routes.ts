import {
  askAgain,
  ForbiddenError,
  InvalidInputError,
  redirect,
  route,
  text,
  view,
  z,
  type Host,
  type Incoming,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { findCopy } from '../copies/copy-repository.ts';
import { problemsOf } from '../join/join-presenter.ts';
import { backWith } from '../keys/back-with.ts';
import { mayManage } from '../keys/key-policy.ts';
import type { KeyService } from '../keys/key-service.ts';
import { momentOf } from './moment.ts';
import type { Breaker } from './breaker.ts';
import { csvOf } from './csv.ts';
import type { Evidence } from './evidence.ts';
import { historyKinds, presentHappening, presentPerson, presentUndo } from './guard-presenter.ts';
import type { LeakReports } from './leak-reports.ts';
import { peopleStatuses, type RedeemedBy } from './redeemed-by.ts';
import { undoActions } from './undo-repository.ts';
import type { UndoService } from './undo-service.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  evidence: Evidence;
  breaker: Breaker;
  undo: UndoService;
  reports: LeakReports;
  redeemedBy: RedeemedBy;
}

const READ = { right: 'registration-key.read' };
const ROOT = '/invitation-keys';
const REPORT = '/join/report';
const idParams = z.object({ id: z.string().max(40) });
const historyQuery = z.object({
  kind: z.enum(historyKinds).optional().catch(undefined),
  before: z.string().max(40).optional().catch(undefined),
});
const peopleQuery = z.object({
  status: z.enum(peopleStatuses).catch('all'),
  q: z.string().trim().max(120).catch(''),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
});
const undoForm = z.object({
  /** A local time as `datetime-local` says it. */
  since: z.string().max(30).default(''),
  action: z.enum(undoActions).catch('suspend'),
  descendants: z.string().optional(),
  copy: z.string().max(40).optional(),
});
const reportForm = z.object({ key: z.string().trim().min(1, 'invitation.paste_key').max(2000) });
const PER_PAGE = 50;

/** What happened with a key, who came by it, and what to do when it got into the wrong hands. */
export function guardRoutes({ host, keys, evidence, breaker, undo, reports, redeemedBy }: Deps): Route[] {
  const page = (template: string, model: object): Reply => view(`${host.plugin.id}/guard/${template}`, model);
  const pathOf = (id: string): string => `${ROOT}/${id}`;
  const flash = (code: string, params: Record<string, string | number> = {}) =>
    ({ kind: 'success', code: `registration-key:flash.${code}`, params }) as const;
  const backTo =
    (path: (id: string) => string) =>
    ({ params }: Incoming<{ id: string }>, error: KnownError): Reply =>
      backWith(path(params.id), error);

  const resume = (name: 'resume' | 'raise'): Route =>
    route({
      method: 'post',
      path: `${ROOT}/:id/guard/${name}`,
      access: READ,
      params: idParams,
      onRefused: backTo(pathOf),
      handler: async ({ actor, params: { id } }) => {
        await breaker.resume(actor, id, { raise: name === 'raise' });
        return redirect(pathOf(id), { flash: flash(`guard-${name}`) });
      },
    });

  async function nameOfCopy(keyId: string, copyId = ''): Promise<string> {
    const copy = copyId === '' ? null : await findCopy(host.db, copyId);
    return copy?.keyId === keyId ? copy.name : '';
  }

  async function undoPage(
    { actor, params, locale }: Incoming<{ id: string }>,
    form: z.output<typeof undoForm>,
    error?: KnownError,
  ): Promise<Reply> {
    const key = await keys.get(actor, params.id);
    if (!mayManage(actor, key)) throw new ForbiddenError('invitation.may_not_manage');
    const { timeZone } = await host.site();
    const since = form.since === '' ? null : momentOf(form.since, timeZone);
    const query = {
      since: since ?? 0,
      withDescendants: form.descendants !== undefined,
      copyId: form.copy ?? null,
    };
    const found = since === null ? null : await undo.preview(actor, key.id, query);
    const t = (code: string): string => host.t(code, {}, locale);
    return page('undo', {
      key: { id: key.id, label: key.label, hint: key.hint },
      copyName: await nameOfCopy(key.id, form.copy),
      form,
      wasAsked: found !== null,
      people: found?.people.slice(0, 200).map(presentPerson) ?? [],
      count: found?.people.length ?? 0,
      actions: undoActions.map((value) => ({
        value,
        label: t(`undo.${value}`),
        hint: t(`undo.${value}-hint`),
        icon: { suspend: 'user-off', groups: 'users-group', delete: 'trash' }[value],
      })),
      earlier: (await undo.list(actor, key.id)).map(presentUndo),
      errors: problemsOf(error),
    });
  }

  return [
    route({
      method: 'get',
      path: `${ROOT}/:id/history`,
      access: READ,
      params: idParams,
      query: historyQuery,
      handler: async ({ actor, params, query: { kind, before } }) => {
        const key = await keys.get(actor, params.id);
        const found = await evidence.history(key, { kind, before, limit: PER_PAGE });
        return page('history', {
          key: { id: key.id, label: key.label, hint: key.hint },
          items: found.items.map(presentHappening),
          kinds: historyKinds.map((value) => ({ value, label: `registration-key:history.${value}` })),
          kind,
          next: found.next,
          before,
          networkDays: await host.settings.get<number>('networkDays'),
        });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id/people`,
      access: READ,
      params: idParams,
      query: peopleQuery,
      handler: async ({ actor, params, query: { status, q, page: at } }) => {
        const wanted = { page: at, perPage: PER_PAGE };
        const { key, found } = await redeemedBy.list(actor, params.id, { status, search: q }, wanted);
        return page('people', {
          key: { id: key.id, label: key.label, hint: key.hint },
          people: found.items.map(({ redemption, person }) => presentPerson({ redemption, person })),
          page: { page: found.page, perPage: found.perPage, total: found.total },
          statuses: peopleStatuses.map((value) => ({ value, label: `registration-key:people.${value}` })),
          status,
          q,
          mayUndo: mayManage(actor, key),
        });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id/people/export.csv`,
      access: READ,
      params: idParams,
      query: peopleQuery,
      handler: async ({ actor, params, query: { status, q } }) => {
        const rows: (string | number)[][] = [['seat', 'name', 'email', 'status', 'how', 'at']];
        for await (const part of redeemedBy.all(actor, params.id, { status, search: q })) {
          for (const { redemption, person } of part) {
            const { seat, how, settledAt, at } = redemption;
            const when = new Date(settledAt ?? at).toISOString();
            rows.push([seat, person?.name ?? '', person?.email ?? '', redemption.status, how, when]);
          }
        }
        return text(csvOf(rows), 'text/csv; charset=utf-8', {
          headers: { 'Content-Disposition': `attachment; filename="invitation-${params.id}.csv"` },
        });
      },
    }),
    resume('resume'),
    resume('raise'),
    route({
      method: 'get',
      path: `${ROOT}/:id/undo`,
      access: READ,
      params: idParams,
      query: undoForm,
      onRefused: (incoming, error) => {
        if (error.kind !== 'invalid-input') throw error;
        return undoPage(incoming, undoForm.parse({}), error);
      },
      handler: (incoming) => undoPage(incoming, incoming.query),
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/undo`,
      access: READ,
      params: idParams,
      body: undoForm,
      onRefused: (incoming, error) => {
        if (error.kind === 'not-found' || error.kind === 'forbidden') throw error;
        return undoPage(incoming, undoForm.catch(undoForm.parse({})).parse(incoming.body), error);
      },
      handler: async (incoming) => {
        const { actor, params, body } = incoming;
        const { timeZone } = await host.site();
        const { since, action, descendants, copy } = body;
        const moment = momentOf(since, timeZone);
        if (moment === null)
          throw new InvalidInputError('input.invalid', {
            fields: [{ field: 'since', code: 'invitation.not_a_moment' }],
          });
        const again = new URLSearchParams({
          since,
          action,
          ...(descendants ? { descendants } : {}),
          ...(copy ? { copy } : {}),
        });
        const asked = askAgain(incoming, {
          now: host.clock.now(),
          next: `${pathOf(params.id)}/undo?${again.toString()}`,
        });
        if (asked) return asked;
        const query = { since: moment, withDescendants: descendants !== undefined, copyId: copy ?? null };
        const started = await undo.start(actor, params.id, { ...query, action });
        return redirect(`${ROOT}/undo/${started.id}`, { flash: flash('undo-started') });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/undo/:id`,
      access: READ,
      params: idParams,
      handler: async ({ actor, params }) => {
        const { key, undo: one, counts, people } = await undo.view(actor, params.id);
        const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
        const left = one.state === 'reversing' ? counts.done : one.state === 'running' ? counts.waiting : 0;
        return page('undone', {
          key: { id: key.id, label: key.label, hint: key.hint },
          undo: presentUndo(one),
          counts,
          total,
          done: total - left,
          isUnderWay: one.state === 'running' || one.state === 'reversing',
          mayReverse:
            (one.state === 'done' || one.state === 'running') && host.clock.now() < one.reversibleUntil,
          people: people.map(({ person, row }) => ({
            name: person?.name ?? '',
            email: person?.email ?? '',
            depth: row.depth,
            existed: row.existed,
            state: row.state,
            problem: row.problem === null ? null : `errors.${row.problem}`,
          })),
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/undo/:id/reverse`,
      access: READ,
      params: idParams,
      onRefused: backTo((id) => `${ROOT}/undo/${id}`),
      handler: async (incoming) => {
        const next = `${ROOT}/undo/${incoming.params.id}`;
        const asked = askAgain(incoming, { now: host.clock.now(), next });
        if (asked) return asked;
        await undo.reverse(incoming.actor, incoming.params.id);
        return redirect(next, { flash: flash('undo-reversing') });
      },
    }),
    route({
      method: 'get',
      path: REPORT,
      access: 'public',
      handler: async () => page('report', { organisation: (await host.site()).organisation }),
    }),
    route({
      method: 'post',
      path: REPORT,
      access: 'public',
      body: reportForm,
      onRefused: async (_incoming, error) =>
        page('report', { organisation: (await host.site()).organisation, errors: problemsOf(error) }),
      handler: async ({ body, network }) => {
        await reports.report(body.key, network);
        return redirect(`${REPORT}/thanks`);
      },
    }),
    route({
      method: 'get',
      path: `${REPORT}/thanks`,
      access: 'public',
      handler: async () => page('reported', { organisation: (await host.site()).organisation }),
    }),
  ];
}

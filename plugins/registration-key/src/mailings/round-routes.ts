import {
  InvalidInputError,
  redirect,
  route,
  view,
  z,
  type FieldProblem,
  type Flash,
  type Host,
  type Incoming,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { problemsOf } from '../join/join-presenter.ts';
import { countOpenKeysOfBatch } from '../keys/key-repository.ts';
import { backWith } from '../keys/back-with.ts';
import { DAY_MS, type KeyDraft } from '../keys/key-terms.ts';
import type { Places } from '../keys/places.ts';
import { ShownSecret } from '../keys/shown-secret.ts';
import type { AgainService } from './again-service.ts';
import { filterOf, shows } from './delivery-shows.ts';
import { textOfFile } from './file-text.ts';
import { findInvitees, type Invitee } from './invitee-repository.ts';
import type { LineFilter } from './line-repository.ts';
import { columnsNotRead } from './people-table.ts';
import { chosenVerdicts, isMendable, mendable, verdicts, type Round, type Verdict } from './round.ts';
import { presentInvitee, presentLine, presentProgress, presentVerdicts } from './round-presenter.ts';
import { exportRound } from './round-export.ts';
import type { Decision, RoundFacts, RoundService } from './round-service.ts';

interface Deps {
  host: Host;
  rounds: RoundService;
  again: AgainService;
  places: Places;
}

const READ = { right: 'registration-key.read' };
const ROOT = '/invitation-keys/rounds';
const idParams = z.object({ id: z.string().max(40) });
const pageNumber = z.coerce.number().int().min(1).max(10_000).catch(1);
const periods = ['1', '7', '14', '30', '90', 'never'] as const;
const listQuery = z.object({ page: pageNumber });
const newQuery = z.object({ key: z.string().max(40).optional(), numbers: z.string().optional() });
const roundQuery = z.object({
  page: pageNumber,
  show: z.enum(verdicts).optional().catch(undefined),
});
const looks = [...shows, 'left-out'] as const;
const progressQuery = z.object({
  page: pageNumber,
  show: z.enum(looks).catch('all'),
});
const openForm = z.object({
  people: z.string().max(1_000_000).default(''),
  key: z.string().max(40).default(''),
  numbers: z.string().optional(),
});
const many = z
  .union([z.string(), z.array(z.string())])
  .default([])
  .transform((value) => [value].flat().filter((one) => one !== ''));
const ticked = z.string().optional();
/** With `fix-<line>` and `leave-<line>` of the lines that were shown. */
const startForm = z.looseObject({
  show: z.enum(verdicts).catch('malformed'),
  does: z.enum(['shared', 'personal', 'roster']).default('personal'),
  label: z.string().max(300).default(''),
  note: z.string().max(3000).default(''),
  days: z.enum(periods).default('14'),
  profile: z.string().max(64).default(''),
  entity: z.string().max(64).default(''),
  groups: many,
  approval: z.enum(['auto', 'manual']).default('auto'),
  message: z.string().trim().max(1000, 'round.message_too_long').default(''),
  locale: z.enum(['en', 'fr', '']).default(''),
  groupsFromList: ticked,
  withAccounts: ticked,
  withInvited: ticked,
  mails: ticked,
  keepsAddresses: ticked,
});
type StartForm = z.output<typeof startForm>;
const messageForm = z.object({ message: z.string().trim().max(1000).default('') });
const PER_PAGE = 50;
const LONGEST_NAMES = 200;

/** Inviting many: the list, what is in it, what is to happen, and how far it is. */
export function roundRoutes({ host, rounds, again, places }: Deps): Route[] {
  const shown = new ShownSecret(host);
  const page = (template: string, model: object, headers: Record<string, string> = {}): Reply =>
    view(`${host.plugin.id}/rounds/${template}`, model, { headers });
  const pathOf = (id: string): string => `${ROOT}/${id}`;
  const said = (code: string, count = 1): Flash => ({
    kind: 'success',
    code: `registration-key:flash.${code}`,
    params: { count },
  });

  async function newPage(
    { actor }: Pick<Incoming, 'actor'>,
    form: { people?: string; key?: string | undefined; numbers?: string | undefined },
    errors: FieldProblem[] = [],
  ): Promise<Reply> {
    const { entities } = await places.offered(actor);
    return page('new', {
      form,
      errors,
      byNumber: form.numbers !== undefined && form.numbers !== '',
      keyId: form.key ?? '',
      mayBegin: entities.length > 0 || (form.key ?? '') !== '',
      most: await host.settings.get<number>('mostAtOnce'),
      mailIsOn: host.mail.isOn,
    });
  }

  async function draftPage(
    {
      actor,
      locale,
      query,
    }: Pick<Incoming<unknown, z.output<typeof roundQuery>>, 'actor' | 'locale' | 'query'>,
    facts: RoundFacts,
    extra: { form?: Partial<StartForm>; error?: KnownError } = {},
  ): Promise<Reply> {
    const { round, key, verdicts: counts } = facts;
    const show = query.show ?? firstOf(counts);
    const filter = { roundId: round.id, verdicts: [show] };
    const found = await rounds.lines(actor, filter, { page: query.page, perPage: PER_PAGE });
    const { profiles, entities, groups } = await places.offered(actor);
    const names = await places.names();
    const form = extra.form ?? round.terms.typed ?? usualForm(round, { mailIsOn: host.mail.isOn });
    const t = (name: string): string => host.t(name, {}, locale);
    return page('draft', {
      round,
      key: key === null ? null : { id: key.id, label: key.label },
      counts,
      tabs: presentVerdicts(host, counts, { path: pathOf(round.id), shown: show, locale }),
      show,
      isMendable: isMendable(show) && round.format !== 'numbers' && facts.mayManage,
      leftBehind: counts.malformed + counts.refused,
      makesLink: round.format === 'numbers' || !host.mail.isOn,
      isNumbers: round.format === 'numbers',
      lines: found.items.map((line) => presentLine(host, line, { groups: (id) => names.group(id), locale })),
      page: found,
      unmapped: round.unmappedGroups,
      form,
      choices: (round.format === 'numbers' || !host.mail.isOn
        ? ['roster']
        : key === null
          ? ['personal', 'shared', 'roster']
          : ['shared', 'roster']
      ).map((value) => ({
        value,
        label: t(`round.does.${value}`),
        hint: t(`round.does.${value}-hint`),
        icon: icons[value],
      })),
      periods: periods.map((value) => ({ value, label: t(`round.days.${value}`) })),
      approvals: (['auto', 'manual'] as const).map((value) => ({ value, label: t(`approval.${value}`) })),
      profiles: profiles.map(({ id, name }) => ({ value: id, label: name })),
      entities: entities.map(({ id, path }) => ({ value: id, label: path })),
      groups: groups.map(({ id, name }) => ({ value: id, label: name })),
      languages: [
        { value: 'en', label: 'English' },
        { value: 'fr', label: 'Français' },
      ],
      mailIsOn: host.mail.isOn,
      mayManage: facts.mayManage,
      errors: problemsOf(extra.error),
    });
  }

  async function progressModel(
    { actor, locale }: Pick<Incoming, 'actor' | 'locale'>,
    facts: RoundFacts,
    { page: at, show }: z.output<typeof progressQuery>,
  ): Promise<object> {
    const { round } = facts;
    const found = await rounds.lines(actor, shownLines(round, show), { page: at, perPage: PER_PAGE });
    const invitees = await findInvitees(
      host.db,
      found.items.flatMap(({ inviteeId }) => (inviteeId === null ? [] : [inviteeId])),
    );
    const present = (invitee: Invitee | undefined): object | null =>
      invitee === undefined ? null : presentInvitee(host, invitee, locale);
    return {
      ...presentProgress(facts),
      show,
      tabs: looks
        .filter((name) => name !== 'left-out' || facts.states.skipped > 0)
        .map((name) => ({
          label: host.t(name === 'left-out' ? 'round.verdict.left-out' : `invited.show.${name}`, {}, locale),
          path: `${pathOf(round.id)}?show=${name}`,
          active: name === show,
        })),
      lines: found.items.map((line) => ({
        id: line.id,
        line: line.line,
        email: line.email || line.staffNumber,
        name: line.name,
        state: line.state,
        problem: line.problem === null ? '' : host.t(`round.problem.${line.problem}`, {}, locale),
        keyId: round.keyId === null ? line.keyId : null,
        mail: present(line.inviteeId === null ? undefined : invitees.get(line.inviteeId)),
      })),
      page: found,
    };
  }

  const action = (name: 'pause' | 'resume' | 'stop'): Route =>
    route({
      method: 'post',
      path: `${ROOT}/:id/${name}`,
      access: READ,
      params: idParams,
      onRefused: ({ params }, error) => backWith(pathOf(params.id), error),
      handler: async ({ actor, params: { id } }) => {
        await rounds[name](actor, id);
        return redirect(pathOf(id), { flash: said(`round-${name}`) });
      },
    });

  return [
    route({
      method: 'get',
      path: ROOT,
      access: READ,
      query: listQuery,
      handler: async ({ actor, query }) => {
        const found = await rounds.list(actor, {}, { ...query, perPage: 25 });
        const facts = await Promise.all(found.items.map(({ id }) => rounds.get(actor, id)));
        return page('list', {
          rounds: facts.map((one) => ({
            ...presentProgress(one),
            ready: one.verdicts.ready,
            lines: Object.values(one.verdicts).reduce((sum, count) => sum + count, 0),
          })),
          page: found,
          mayMint: actor.can('registration-key.mint'),
        });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/new`,
      access: READ,
      query: newQuery,
      handler: (incoming) => newPage(incoming, incoming.query),
    }),
    route({
      method: 'post',
      path: ROOT,
      access: READ,
      uploads: true,
      body: openForm,
      onRefused: (incoming, error) => {
        if (error.kind === 'not-found' || error.kind === 'forbidden') throw error;
        const form = openForm.catch(openForm.parse({})).parse(incoming.body);
        return newPage(incoming, form, problemsOf(error));
      },
      handler: async ({ actor, body, files }) => {
        const upload = files.find(({ field, size }) => field === 'file' && size > 0);
        const text = upload ? textOfFile(await upload.read()) : body.people;
        if (text.trim() === '')
          throw new InvalidInputError('round.list', {
            fields: [{ field: 'people', code: 'round.nobody_there' }],
          });
        const round = await rounds.open(actor, {
          text,
          source: upload?.name ?? '',
          keyId: body.key === '' ? undefined : body.key,
          byNumber: body.numbers !== undefined && body.numbers !== '',
        });
        const unread = columnsNotRead(text).join(', ').slice(0, LONGEST_NAMES);
        return redirect(pathOf(round.id), unread === '' ? {} : { flash: notRead(unread) });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id`,
      access: READ,
      params: idParams,
      query: z.looseObject({}),
      handler: async (incoming) => {
        const facts = await rounds.get(incoming.actor, incoming.params.id);
        if (facts.round.state === 'draft') {
          const query = roundQuery.parse(incoming.query);
          return draftPage({ ...incoming, query }, facts);
        }
        const model = await progressModel(incoming, facts, progressQuery.parse(incoming.query));
        const { round, mayManage } = facts;
        const openKeys = mayManage ? await countOpenKeysOfBatch(host.db, round.id, host.clock.now()) : 0;
        // The page asks how far it is. In another state it has other buttons, so all of it is drawn again.
        const drawnFor = incoming.header('x-drawn-for') ?? round.state;
        const headers = drawnFor === round.state ? {} : { 'HX-Refresh': 'true' };
        return page('round', { ...model, openKeys }, headers);
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id/export.csv`,
      access: READ,
      params: idParams,
      query: progressQuery,
      handler: async ({ actor, params: { id }, query: { show } }) => {
        const { round } = await rounds.get(actor, id);
        return exportRound({ host, rounds, places }, actor, shownLines(round, show));
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/correct`,
      access: READ,
      params: idParams,
      body: startForm,
      onRefused: ({ params }, error) => backWith(pathOf(params.id), error),
      handler: async ({ actor, params: { id }, body }) => {
        const { ready } = await rounds.correct(actor, id, correctionsIn(body), typedIn(body));
        return redirect(`${pathOf(id)}?show=${body.show}`, { flash: said('round-corrected', ready) });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/discard`,
      access: READ,
      params: idParams,
      onRefused: ({ params }, error) => backWith(pathOf(params.id), error),
      handler: async ({ actor, params }) => {
        await rounds.discard(actor, params.id);
        return redirect(ROOT, { flash: said('round-discarded') });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/start`,
      access: READ,
      params: idParams,
      body: startForm,
      onRefused: async (incoming, error) => {
        if (error.kind === 'not-found') throw error;
        const facts = await rounds.get(incoming.actor, incoming.params.id);
        if (facts.round.state !== 'draft') return backWith(pathOf(incoming.params.id), error);
        const form = typedIn(z.looseObject({}).catch({}).parse(incoming.body));
        return draftPage({ ...incoming, query: { page: 1, show: undefined } }, facts, { form, error });
      },
      handler: async ({ actor, params: { id }, body }) => {
        const { stillWrong } = await rounds.correct(actor, id, correctionsIn(body), typedIn(body));
        if (stillWrong > 0)
          return redirect(`${pathOf(id)}?show=${body.show}`, {
            flash: { ...said('round-still-wrong', stillWrong), kind: 'warning' },
          });
        const decision = decisionFrom(body, host.clock.now());
        const { shown: made } = await rounds.start(actor, id, decision);
        if (made === null || decision.kind !== 'roster') return redirect(pathOf(id));
        return redirect(`/invitation-keys/${made.keyId}/link`, {
          cookies: [shown.keep(made.keyId, made.text, actor.userId)],
        });
      },
    }),
    action('pause'),
    action('resume'),
    action('stop'),
    route({
      method: 'post',
      path: `${ROOT}/:id/revoke`,
      access: READ,
      params: idParams,
      onRefused: ({ params }, error) => backWith(pathOf(params.id), error),
      handler: async ({ actor, params: { id } }) => {
        const { done, left } = await rounds.revokeKeys(actor, id);
        const flash = said(left === 0 ? 'round-revoked' : 'round-revoked-some', done);
        return redirect(pathOf(id), { flash });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/again`,
      access: READ,
      params: idParams,
      body: messageForm,
      onRefused: ({ params }, error) => backWith(pathOf(params.id), error),
      handler: async ({ actor, params, body }) =>
        redirect(pathOf((await again.toAll(actor, { roundId: params.id }, body)).id)),
    }),
  ];
}

const icons: Record<string, string> = { personal: 'user', shared: 'users', roster: 'list-check' };

const notRead = (columns: string): Flash => ({
  kind: 'info',
  code: 'registration-key:flash.round-columns-not-read',
  params: { columns },
});

const shownLines = ({ id, terms }: Round, show: (typeof looks)[number]): LineFilter => ({
  roundId: id,
  verdicts: chosenVerdicts(terms),
  ...(show === 'left-out' ? { state: 'skipped' } : show === 'all' ? {} : { heard: filterOf[show] }),
});

/** What needs a look first. */
const firstOf = (counts: Record<Verdict, number>): Verdict =>
  mendable.find((verdict) => counts[verdict] > 0) ?? 'ready';

const usualForm = ({ format, keyId }: Round, { mailIsOn }: { mailIsOn: boolean }): Partial<StartForm> => ({
  does: format === 'numbers' || !mailIsOn ? 'roster' : keyId === null ? 'personal' : 'shared',
  days: '14',
  groupsFromList: 'true',
});

function decisionFrom(form: StartForm, now: number): Decision {
  const { does, message, locale, days } = form;
  const draft: KeyDraft = {
    label: form.label,
    note: form.note,
    groups: form.groups,
    approval: form.approval,
    expiresAt: days === 'never' ? null : now + Number(days) * DAY_MS,
    locale: locale === '' ? null : locale,
    ...(form.profile === '' ? {} : { profile: form.profile }),
    ...(form.entity === '' ? {} : { entity: form.entity }),
    ...(does === 'personal' ? { maxUses: 1 } : {}),
  };
  const isTicked = (
    name: 'groupsFromList' | 'withAccounts' | 'withInvited' | 'mails' | 'keepsAddresses',
  ): boolean => form[name] !== undefined;
  return {
    kind: does,
    message,
    locale: locale === '' ? null : locale,
    terms: {
      draft,
      groupsFromList: isTicked('groupsFromList') && does === 'personal',
      withAccounts: isTicked('withAccounts'),
      withInvited: isTicked('withInvited'),
      mails: isTicked('mails'),
      keepsAddresses: isTicked('keepsAddresses'),
    },
  };
}

/** What was decided so far, without the lines. */
const typedIn = (form: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(form).filter(([name]) => name in startForm.shape));

/** `fix-<line>` is what stands there now, `leave-<line>` a tick beside it. */
function correctionsIn(
  body: Record<string, unknown>,
): { lineId: string; email: string; leaveOut: boolean }[] {
  return Object.entries(body)
    .filter((entry): entry is [string, string] => entry[0].startsWith('fix-') && typeof entry[1] === 'string')
    .slice(0, PER_PAGE * 2)
    .map(([name, email]) => {
      const lineId = name.slice('fix-'.length);
      return { lineId, email, leaveOut: body[`leave-${lineId}`] !== undefined };
    });
}

import {
  askAgain,
  ForbiddenError,
  InvalidInputError,
  KnownError,
  redirect,
  route,
  view,
  z,
  type Flash,
  type Host,
  type Incoming,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { backWith } from '../keys/back-with.ts';
import { saidOnTheWay } from '../carries/said-on-the-way.ts';
import { presentCarriesForm } from '../carries/carries-form.ts';
import { listSteps } from '../steps/step-repository.ts';
import type { ApprovalService } from '../people/approval-service.ts';
import { presentForm, problemsOf } from '../join/join-presenter.ts';
import {
  changesFromForm,
  countFrom,
  draftFromForm,
  formOf,
  formOfDraft,
  keyFormSchema,
  kinds,
  periods,
  presetOf,
  type Kind,
} from './key-form.ts';
import { sorts, states, tabs } from '../keys/key-filter.ts';
import { manyInWords } from '../keys/key-sentence.ts';
import { presentDetail, presentRow, presentSentence, type DetailFacts } from './key-presenter.ts';
import { mayEdit, mayManage } from '../keys/key-policy.ts';
import type { Guard } from '../guard/guard.ts';
import type { KeyService, ShownKey } from '../keys/key-service.ts';
import { DAY_MS, type KeyDraft } from '../keys/key-terms.ts';
import type { MailingService } from '../mailings/mailing-service.ts';
import type { RosterBook } from '../roster/roster-book.ts';
import { MOST_AT_ONCE, type BatchService } from '../keys/batch-service.ts';
import type { Places } from '../keys/places.ts';
import { draftFrom, type PresetBook } from '../keys/preset-book.ts';
import { presentLink } from '../sharing/link-model.ts';
import type { KeyInsight } from '../insight/key-insight.ts';
import { countByStatus, joinTimes, listRedemptions } from '../seats/redemption-repository.ts';
import { risksOf, saferForm, saferTerms } from './risk-lint.ts';
import { ShownSecret } from '../keys/shown-secret.ts';
import { humanChecks, seatsLeft } from '../keys/invitation-key.ts';

interface Deps {
  host: Host;
  keys: KeyService;
  places: Places;
  mailings: MailingService;
  rosters: RosterBook;
  approvals: ApprovalService;
  guard: Pick<Guard, 'evidence' | 'breaker'>;
  insight: KeyInsight;
  presets: PresetBook;
  batches: BatchService;
}

const READ = { right: 'registration-key.read' };
const MINT = { right: 'registration-key.mint' };
const ROOT = '/invitation-keys';
const idParams = z.object({ id: z.string().max(40) });
const listQuery = z.object({
  tab: z.enum(tabs).catch('active'),
  q: z.string().max(120).catch(''),
  state: z.enum(states).or(z.literal('')).catch(''),
  sort: z.enum(sorts).catch('newest'),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
});
const newQuery = z.object({ kind: z.enum(kinds).catch('team'), preset: z.string().max(80).catch('') });
const sendForm = z.object({
  addresses: z.string().max(10_000).default(''),
  message: z.string().trim().max(1000).default(''),
});
const deleteForm = z.object({ keepHistory: z.string().optional() });
const PER_PAGE = 25;

/** Where administrators make, hand out and follow invitation keys. */
export function keyRoutes({
  host,
  keys,
  places,
  mailings,
  rosters,
  approvals,
  insight,
  presets,
  batches,
  guard,
}: Deps): Route[] {
  const shown = new ShownSecret(host);
  const page = (template: string, model: object): Reply => view(`${host.plugin.id}/keys/${template}`, model);
  const pathOf = (id: string): string => `${ROOT}/${id}`;
  const said = (code: string, extras: { undo?: string } = {}): Flash => ({
    kind: 'success',
    code: `registration-key:flash.${code}`,
    ...(extras.undo === undefined ? {} : { undo: { action: extras.undo, label: 'registration-key:undo' } }),
  });

  async function formModel(
    { actor, locale }: Pick<Incoming, 'actor' | 'locale'>,
    form: Record<string, unknown>,
    error?: KnownError,
  ): Promise<object> {
    const { profiles, entities, groups } = await places.offered(actor);
    const kind = (form['kind'] ?? 'team') as Kind;
    const t = (key: string): string => host.t(key, {}, locale);
    return {
      form,
      kinds: kinds.map((value) => ({
        value,
        label: t(`kind.${value}`),
        hint: t(`kind.${value}-hint`),
        icon: kindIcons[value],
      })),
      approvals: (['auto', 'domain', 'manual'] as const).map((value) => ({
        value,
        label: t(`approval.${value}`),
        hint: t(`approval.${value}-hint`),
      })),
      proofs: (['required', 'none'] as const).map((value) => ({ value, label: t(`proof.${value}`) })),
      humanChecks: humanChecks.map((value) => ({ value, label: t(`human-check.${value}`) })),
      usualProof: t('proof.usual'),
      proofHint: t(host.mail.isOn ? 'proof.hint' : 'proof.hint-no-mail'),
      usualProfile: t('field.profile-usual'),
      languages: [
        { value: 'en', label: 'English' },
        { value: 'fr', label: 'Français' },
      ],
      weekdays: weekdaysIn(locale),
      presets: (await presets.list(actor)).map(({ id, name }) => ({ id, name })),
      countHint: host.t('field.count-hint', { limit: MOST_AT_ONCE }, locale),
      zone: (await host.site()).timeZone,
      preset: presetOf(kind),
      periods,
      profiles: profiles.map(({ id, name }) => ({ value: id, label: name })),
      entities: entities.map(({ id, path }) => ({ value: id, label: path })),
      groups: groups.map(({ id, name }) => ({ value: id, label: name })),
      mailIsOn: host.mail.isOn,
      errors: problemsOf(error),
      hasMore: error !== undefined,
      carries: presentCarriesForm(host, form, { locale, steps: await listSteps(host.db) }),
    };
  }

  /** The sentence and the warnings for a form as it stands; a form that is not yet sound has problems instead. */
  async function planned({
    actor,
    locale,
    body,
  }: Incoming<unknown, unknown, z.output<typeof keyFormSchema>>): Promise<object> {
    const { timeZone } = await host.site();
    const now = host.clock.now();
    try {
      const draft = draftFromForm(body, { now, timeZone });
      const [count, plan] = [countFrom(body), await keys.plan(actor, draft)];
      if (count !== 1) batches.assertMany(draft, count);
      return {
        sentence: [
          ...manyInWords(count, plan.terms.maxUses, locale),
          ...(await presentSentence(host, places, plan.terms, locale)),
        ],
        waitsForSecond: plan.waitsForSecond,
        risks: risksOf(plan.terms, { now, ...plan }),
      };
    } catch (error) {
      if (!(error instanceof KnownError)) throw error;
      return { problems: problemsOf(error) };
    }
  }

  const showIt = ({ actor }: Incoming, { key, text }: ShownKey): Reply =>
    redirect(`${pathOf(key.id)}/link`, { cookies: [shown.keep(key.id, text, actor.userId)] });

  /** One button on a key's page: does it, and comes back. */
  const action = (name: 'pause' | 'resume' | 'restore', undo?: 'resume'): Route =>
    route({
      method: 'post',
      path: `${ROOT}/:id/${name}`,
      access: READ,
      params: idParams,
      onRefused: ({ params }, error) => backWith(pathOf(params.id), error),
      handler: async ({ actor, params: { id } }) => {
        await keys[name](actor, id);
        return redirect(pathOf(id), {
          flash: said(name, undo === undefined ? {} : { undo: `${pathOf(id)}/${undo}` }),
        });
      },
    });

  async function linkModel({ actor, cookies, locale }: Incoming, id: string): Promise<object | null> {
    const key = await keys.get(actor, id);
    const text = shown.read(cookies, id, actor.userId);
    if (text === null) return null;
    return presentLink(host, places, { key, copy: null, text }, { locale });
  }

  async function detail(
    incoming: Incoming<z.infer<typeof idParams>>,
    extra: { error?: KnownError; typed?: object } = {},
  ): Promise<Reply> {
    const { actor, locale, params } = incoming;
    const key = await keys.get(actor, params.id);
    const now = host.clock.now();
    const { timeZone } = await host.site();
    const people = await listRedemptions(host.db, { keyId: key.id }, { page: 1, perPage: 12 });
    const facts = {
      key,
      people: people.items,
      said: await saidOnTheWay(host.db, key.id, people.items),
      counts: await countByStatus(host.db, key.id),
      names: await host.users.named(people.items.flatMap(({ userId }) => (userId === null ? [] : [userId]))),
      history: (await guard.evidence.history(key, { limit: 8 })).items,
      mailings: await mailings.list(key.id, locale),
      joins: await joinTimes(host.db, key.id, now - 30 * DAY_MS),
      now,
      timeZone,
      locale,
    };
    const profile = (await host.memberships.profiles()).find(({ id }) => id === key.profileId);
    return page('detail', {
      ...presentDetail(facts),
      insight: await insight.of(key, { locale, joined: facts.counts.active }),
      seatsLabel: seatsInWords(host, facts, locale),
      sentence: await presentSentence(host, places, key, locale),
      risks: risksOf(key, {
        now,
        weak: key.weak,
        isStaff: profile !== undefined && places.isStaff(profile),
        isAgent: profile?.kind === 'staff',
      }).map((risk) => ({
        ...risk,
        saferNow: mayEdit(actor, key) && key.revokedAt === null && saferTerms(risk.code, key, now) !== null,
      })),
      mayManage: mayManage(actor, key),
      mayKeepPreset: actor.can('registration-key.presets', key.entityId),
      second: await keys.secondYesOf(actor, key),
      guard: await guard.breaker.notice(key, { mayManage: mayManage(actor, key) }),
      mayReveal: actor.can('registration-key.reveal', key.entityId) && key.hasCopy,
      mailIsOn: host.mail.isOn,
      roster: await rosters.countsOf(key),
      isPerson: key.email !== null,
      email: key.email,
      typed: extra.typed ?? {},
      errors: problemsOf(extra.error),
    });
  }

  return [
    route({
      method: 'get',
      path: ROOT,
      access: READ,
      query: listQuery,
      handler: async ({ actor, locale, url, query: { tab, q, state, sort, page: at } }) => {
        const wanted = { tab, search: q, sort, ...(state === '' ? {} : { state }) };
        const found = await keys.list(actor, wanted, { page: at, perPage: PER_PAGE });
        const counts = await keys.countTabs(actor, q);
        const names = await places.names();
        const now = host.clock.now();
        return page('list', {
          tabs: tabs.map((name) => ({
            label: host.t(`tab.${name}`, {}, locale),
            path: `${ROOT}?tab=${name}${q === '' ? '' : `&q=${encodeURIComponent(q)}`}`,
            count: counts[name],
            active: name === tab,
          })),
          keys: found.items.map((key) => presentRow(key, names, now)),
          page: { page: found.page, perPage: found.perPage, total: found.total },
          q,
          tab,
          state,
          sort,
          states: states.map((value) => ({ value, label: host.t(`state.${value}`, {}, locale) })),
          sorts: sorts.map((value) => ({ value, label: host.t(`sort.${value}`, {}, locale) })),
          mayBulk: actor.can('registration-key.manage'),
          mayApprove: actor.can('registration-key.approve'),
          back: url.includes('?') ? url.slice(url.indexOf('?')) : '',
          isEmpty: counts.all === 0 && q === '',
          waiting: await approvals.countWaiting(actor),
          mayMint: actor.can('registration-key.mint'),
          mailNote: host.t(host.mail.isOn ? 'list.mail-on' : 'list.mail-off', {}, locale),
          isOpen: !(await host.site()).registration.isPaused,
        });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/new`,
      access: MINT,
      query: newQuery,
      handler: async ({ actor, locale, query: { kind, preset: wanted } }) => {
        const empty = { kind, approval: 'auto', groups: [] };
        const preset = wanted === '' ? null : await presets.find(actor, wanted);
        const here = { now: host.clock.now(), timeZone: (await host.site()).timeZone };
        const form = preset === null ? empty : formOfDraft(draftFrom(preset, here.now), here);
        return page('new', {
          ...(await formModel({ actor, locale }, form)),
          preset: preset ?? presetOf(kind),
          hasMore: preset !== null,
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/sentence`,
      access: MINT,
      body: keyFormSchema,
      handler: async (incoming) => page('sentence', await planned(incoming)),
    }),
    route({
      method: 'post',
      path: ROOT,
      access: MINT,
      body: keyFormSchema,
      onRefused: async ({ actor, locale, body }, error) =>
        page(
          'new',
          await formModel({ actor, locale }, keyFormSchema.catch(keyFormSchema.parse({})).parse(body), error),
        ),
      handler: async (incoming) => {
        const { actor, locale } = incoming;
        const body =
          incoming.body.safer === undefined ? incoming.body : saferForm(incoming.body.safer, incoming.body);
        if (body.step === 'preview' || body.safer !== undefined)
          return page('new', {
            ...(await formModel({ actor, locale }, body)),
            ...(await planned({ ...incoming, body })),
            hasMore: true,
          });
        const { timeZone } = await host.site();
        const draft = draftFromForm(body, { now: host.clock.now(), timeZone });
        if (isUnlimitedForEver(draft) && body.understood === undefined) throw unlimitedForEver();
        const count = countFrom(body);
        if (count !== 1) {
          const { batch } = await batches.mint(actor, draft, count);
          return redirect(`${ROOT}/batches/${batch.id}`);
        }
        const made = await keys.mint(actor, draft);
        const reply = showIt(incoming, made);
        return made.isReused === true ? { ...reply, flash: said('reused') } : reply;
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id`,
      access: READ,
      params: idParams,
      handler: (incoming) => detail(incoming),
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id/link`,
      access: READ,
      params: idParams,
      handler: async (incoming) => {
        const model = await linkModel(incoming, incoming.params.id);
        return model === null ? redirect(pathOf(incoming.params.id)) : page('link', model);
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id/preview`,
      access: READ,
      params: idParams,
      handler: async ({ actor, params, locale }) => {
        const key = await keys.get(actor, params.id);
        const form = { key, handle: null, mailing: null, locale: key.locale ?? locale, preview: true };
        const back = pathOf(key.id);
        return view(`${host.plugin.id}/join/form`, { ...(await presentForm(host, form)), back });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id/edit`,
      access: READ,
      params: idParams,
      handler: async ({ actor, locale, params }) => {
        const key = await keys.get(actor, params.id);
        if (!mayManage(actor, key)) throw new ForbiddenError('invitation.may_not_manage');
        return page('edit', {
          ...(await formModel({ actor, locale }, formOf(key, await host.site()))),
          id: key.id,
          label: key.label,
          hasMore: true,
          weak: key.weak,
        });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/edit`,
      access: READ,
      params: idParams,
      body: keyFormSchema,
      onRefused: async ({ actor, locale, params, body }, error) => {
        const key = await keys.get(actor, params.id);
        const typed = keyFormSchema.catch(keyFormSchema.parse({})).parse(body);
        return page('edit', {
          ...(await formModel({ actor, locale }, { ...typed, version: key.version }, error)),
          id: key.id,
          label: key.label,
          hasMore: true,
          weak: key.weak,
        });
      },
      handler: async ({ actor, params: { id }, body }) => {
        const key = await keys.get(actor, id);
        const { timeZone } = await host.site();
        const changes = changesFromForm(body, key, { now: host.clock.now(), timeZone });
        const wasSo = key.maxUses === null && key.expiresAt === null;
        if (!wasSo && isUnlimitedForEver(changes) && body.understood === undefined) throw unlimitedForEver();
        await keys.edit(actor, id, body.version ?? 0, changes);
        return redirect(pathOf(id), { flash: said('edited') });
      },
    }),
    action('pause', 'resume'),
    action('resume'),
    action('restore'),
    route({
      method: 'post',
      path: `${ROOT}/:id/rotate`,
      access: READ,
      params: idParams,
      onRefused: ({ params }, error) => backWith(pathOf(params.id), error),
      handler: async (incoming) => showIt(incoming, await keys.rotate(incoming.actor, incoming.params.id)),
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/reveal`,
      access: READ,
      params: idParams,
      onRefused: ({ params }, error) => backWith(pathOf(params.id), error),
      handler: async (incoming) => {
        const { id } = incoming.params;
        const asked = askAgain(incoming, { now: host.clock.now(), next: pathOf(id) });
        return asked ?? showIt(incoming, await keys.reveal(incoming.actor, id));
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/delete`,
      access: READ,
      params: idParams,
      body: deleteForm,
      onRefused: ({ params }, error) => backWith(pathOf(params.id), error),
      handler: async ({ actor, params, body }) => {
        await keys.remove(actor, params.id, { keepHistory: body.keepHistory === 'true' });
        return redirect(ROOT, { flash: said('deleted') });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id/send`,
      access: READ,
      params: idParams,
      body: sendForm,
      onRefused: (incoming, error) => {
        if (error.kind === 'not-found') throw error;
        return detail(incoming, {
          error,
          typed: sendForm.catch({ addresses: '', message: '' }).parse(incoming.body),
        });
      },
      handler: async ({ actor, params: { id }, body }) => {
        const count = await mailings.send(actor, id, body);
        return redirect(pathOf(id), { flash: { ...said('sent'), params: { count } } });
      },
    }),
  ];
}

const weekdaysIn = (locale: string): { value: string; label: string }[] =>
  // The first of January 2024 was a Monday.
  [1, 2, 3, 4, 5, 6, 7].map((day) => ({
    value: String(day),
    label: new Intl.DateTimeFormat(locale, { weekday: 'short', timeZone: 'UTC' }).format(
      Date.UTC(2024, 0, day),
    ),
  }));

const kindIcons: Record<Kind, string> = { person: 'user', team: 'users', event: 'qrcode' };

/** "18 joined, 2 in progress, 5 free." */
function seatsInWords(
  host: Host,
  { key, counts }: Pick<DetailFacts, 'key' | 'counts'>,
  locale: string,
): string {
  const free = seatsLeft(key);
  const params = {
    joined: counts.active,
    pending: counts.pending_email + counts.pending_approval,
    free: free ?? 0,
  };
  return host.t(free === null ? 'detail.seats-unlimited' : 'detail.seats-words', params, locale);
}

const isUnlimitedForEver = ({ maxUses, expiresAt }: KeyDraft): boolean =>
  maxUses === null && expiresAt === null;

const unlimitedForEver = (): InvalidInputError =>
  new InvalidInputError('invitation.contradiction', {
    fields: [{ field: 'understood', code: 'invitation.confirm_unlimited' }],
  });

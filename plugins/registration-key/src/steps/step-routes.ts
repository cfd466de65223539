import {
  empty,
  json,
  redirect,
  route,
  view,
  z,
  type ApiFacts,
  type Flash,
  type Host,
  type KnownError,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { problemsOf } from '../join/join-presenter.ts';
import { stepJson, stepSchema } from './step-json.ts';
import type { StepService } from './step-service.ts';

interface Deps {
  host: Host;
  steps: StepService;
}

const READ = { right: 'registration-key.read' };
const WRITE = { right: 'registration-key.steps' };
const ROOT = '/invitation-keys/steps';
const idParams = z.object({ id: z.string().max(40) });
const some = z.string().max(30_000).default('');
const stepForm = z.object({
  phase: z.enum(['before', 'after']).default('before'),
  scope: z.enum(['everywhere', 'chosen']).default('everywhere'),
  title: some,
  body: some,
  agreement: some,
  edition: z.coerce.number().int().default(0),
});
type StepForm = z.output<typeof stepForm>;
const draftOf = ({ scope, phase, title, body, agreement }: StepForm): Parameters<StepService['add']>[1] => ({
  phase,
  everywhere: scope === 'everywhere',
  title,
  body,
  agreement,
});

/** The pages that newcomers walk through, for those who write them. */
export function stepRoutes({ host, steps }: Deps): Route[] {
  const page = (template: string, model: object): Reply => view(`${host.plugin.id}/steps/${template}`, model);
  const said = (code: string): { flash: Flash } => ({
    flash: { kind: 'success', code: `registration-key:flash.step-${code}` },
  });
  const formPage = (
    { locale }: { locale: string },
    form: object,
    facts: { id?: string; error?: KnownError } = {},
  ): Reply => {
    const t = (key: string): string => host.t(key, {}, locale);
    return page('form', {
      form,
      id: facts.id,
      action: facts.id === undefined ? ROOT : `${ROOT}/${facts.id}`,
      phases: (['before', 'after'] as const).map((value) => ({
        value,
        label: t(`step.phase.${value}`),
        hint: t(`step.phase.${value}-hint`),
      })),
      scopes: (['everywhere', 'chosen'] as const).map((value) => ({
        value,
        label: t(`step.scope.${value}`),
        hint: t(`step.scope.${value}-hint`),
      })),
      errors: problemsOf(facts.error),
    });
  };
  const typed = (body: unknown): object => stepForm.catch(stepForm.parse({})).parse(body);

  return [
    route({
      method: 'get',
      path: ROOT,
      access: READ,
      handler: async ({ actor }) => {
        const all = await steps.list(actor);
        const phases = (['before', 'after'] as const).map((phase) => {
          const own = all.filter((step) => step.phase === phase);
          return {
            phase,
            steps: own.map((step, at) => ({ ...step, isFirst: at === 0, isLast: at === own.length - 1 })),
          };
        });
        return page('list', {
          phases,
          isEmpty: all.length === 0,
          mayWrite: actor.can('registration-key.steps'),
        });
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/new`,
      access: WRITE,
      handler: (incoming) => formPage(incoming, { phase: 'before', scope: 'everywhere' }),
    }),
    route({
      method: 'post',
      path: ROOT,
      access: WRITE,
      body: stepForm,
      onRefused: (incoming, error) => formPage(incoming, typed(incoming.body), { error }),
      handler: async ({ actor, body }) => {
        await steps.add(actor, draftOf(body));
        return redirect(ROOT, said('added'));
      },
    }),
    route({
      method: 'get',
      path: `${ROOT}/:id`,
      access: WRITE,
      params: idParams,
      handler: async (incoming) => {
        const step = await steps.get(incoming.actor, incoming.params.id);
        const form = { ...step, scope: step.everywhere ? 'everywhere' : 'chosen' };
        return formPage(incoming, form, { id: step.id });
      },
    }),
    route({
      method: 'post',
      path: `${ROOT}/:id`,
      access: WRITE,
      params: idParams,
      body: stepForm,
      onRefused: (incoming, error) => {
        if (error.kind === 'not-found') throw error;
        return formPage(incoming, typed(incoming.body), { id: incoming.params.id, error });
      },
      handler: async ({ actor, params: { id }, body }) => {
        await steps.edit(actor, id, body.edition, draftOf(body));
        return redirect(ROOT, said('saved'));
      },
    }),
    ...(['up', 'down'] as const).map((direction) =>
      route({
        method: 'post',
        path: `${ROOT}/:id/${direction}`,
        access: WRITE,
        params: idParams,
        handler: async ({ actor, params: { id } }) => {
          await steps.move(actor, id, direction);
          return redirect(ROOT);
        },
      }),
    ),
    route({
      method: 'post',
      path: `${ROOT}/:id/delete`,
      access: WRITE,
      params: idParams,
      handler: async ({ actor, params: { id } }) => {
        await steps.remove(actor, id);
        return redirect(ROOT, said('removed'));
      },
    }),
    ...stepApi(steps),
  ];
}

const API = '/api/v1/invitation-keys/steps';
const stepBody = z.strictObject({
  phase: z.enum(['before', 'after']),
  everywhere: z.boolean().default(true),
  title: z.string().max(500),
  body: z.string().max(30_000),
  agreement: z.string().max(1000).default(''),
});
const facts = (summary: string, scope: 'read' | 'write', schema: z.ZodType, status = 200): ApiFacts => ({
  summary,
  tag: 'Invitation keys',
  scope: `invitation-keys:${scope}`,
  responses: { [status]: { description: summary, schema } },
});

/** `/api/v1/invitation-keys/steps`. */
const stepApi = (steps: StepService): Route[] => [
  route({
    method: 'get',
    path: API,
    access: READ,
    api: facts('The pages newcomers walk through', 'read', z.object({ items: z.array(stepSchema) })),
    handler: async ({ actor }) => json({ items: (await steps.list(actor)).map(stepJson) }),
  }),
  route({
    method: 'post',
    path: API,
    access: WRITE,
    body: stepBody,
    api: facts('Add a page before or after joining', 'write', stepSchema, 201),
    handler: async ({ actor, body }) => json(stepJson(await steps.add(actor, body)), { status: 201 }),
  }),
  route({
    method: 'put',
    path: `${API}/:id`,
    access: WRITE,
    params: idParams,
    body: stepBody.extend({ edition: z.int() }),
    api: facts('Change a page; `edition` must be the one that was read', 'write', stepSchema),
    handler: async ({ actor, params, body: { edition, ...draft } }) =>
      json(stepJson(await steps.edit(actor, params.id, edition, draft))),
  }),
  route({
    method: 'post',
    path: `${API}/:id/move`,
    access: WRITE,
    params: idParams,
    body: z.strictObject({ direction: z.enum(['up', 'down']) }),
    api: facts('Show a page one place earlier or later', 'write', z.object({ items: z.array(stepSchema) })),
    handler: async ({ actor, params, body }) => {
      await steps.move(actor, params.id, body.direction);
      return json({ items: (await steps.list(actor)).map(stepJson) });
    },
  }),
  route({
    method: 'delete',
    path: `${API}/:id`,
    access: WRITE,
    params: idParams,
    api: {
      summary: 'Remove a page; what was agreed to stays on record',
      tag: 'Invitation keys',
      scope: 'invitation-keys:write',
      responses: { 204: { description: 'Removed' } },
    },
    handler: async ({ actor, params }) => {
      await steps.remove(actor, params.id);
      return empty();
    },
  }),
];

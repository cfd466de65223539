import {
  json,
  NotFoundError,
  route,
  view,
  z,
  type CommandDefinition,
  type Host,
  type Reply,
  type Route,
} from 'latchkey/plugin-api';
import { presentStep } from '../steps/walk-routes.ts';
import { givenFields } from '../carries/carries.ts';
import { outcomeJson, outcomeSchema } from './outcome-json.ts';
import type { Outcome, Outcomes } from './outcome.ts';

interface Deps {
  host: Host;
  outcomes: Outcomes;
}

const READ = { right: 'registration-key.read' };
const idParams = z.object({ id: z.string().max(40) });
const stepParams = idParams.extend({ step: z.string().max(100) });

/** "What will they get?", on a page, for programs, and each page that newcomers will meet. */
export function outcomeRoutes({ host, outcomes }: Deps): Route[] {
  return [
    route({
      method: 'get',
      path: '/invitation-keys/:id/outcome',
      access: READ,
      params: idParams,
      handler: async ({ actor, params, locale }): Promise<Reply> =>
        view(
          `${host.plugin.id}/keys/outcome`,
          present(host, await outcomes.of(actor, params.id, locale), locale),
        ),
    }),
    route({
      method: 'get',
      path: '/invitation-keys/:id/preview/:step',
      access: READ,
      params: stepParams,
      handler: async ({ actor, params, locale }) => {
        const { key, steps } = await outcomes.of(actor, params.id, locale);
        const step = steps.find(({ id }) => id === params.step);
        if (step === undefined) throw new NotFoundError('invitation.step_unknown');
        const all = steps.filter(({ phase }) => phase === step.phase);
        const way = { all, open: all.slice(all.indexOf(step)) };
        const { organisation } = await host.site();
        const place = { action: `/invitation-keys/${key.id}/outcome`, organisation, preview: true };
        return view(`${host.plugin.id}/join/step`, presentStep(way, place));
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/invitation-keys/:id/outcome',
      access: READ,
      params: idParams,
      api: {
        summary: 'What whoever joins now will get, without a seat being taken',
        tag: 'Invitation keys',
        scope: 'invitation-keys:read',
        responses: { 200: { description: 'The account as it would be', schema: outcomeSchema } },
      },
      handler: async ({ actor, params, locale }) =>
        json(outcomeJson(await outcomes.of(actor, params.id, locale))),
    }),
  ];
}

/** `latchkey invite outcome <id>` */
export const outcomeCommand = (outcomes: Outcomes): CommandDefinition => ({
  name: 'invite outcome',
  summary: 'What whoever joins by a key would get; takes no seat',
  args: '<id>',
  run: async ({ actor, args, print }) => {
    print(outcomeJson(await outcomes.of(actor, args[0] ?? '', actor.locale)));
  },
});

function present(host: Host, outcome: Outcome, locale: string): object {
  const t = (key: string, params: Record<string, string> = {}): string => host.t(key, params, locale);
  const { key, questions, steps, approval, proof } = outcome;
  const stepOf = ({ id, title, agreement }: Outcome['steps'][number]): object => ({
    text: t(`outcome.way.${agreement === '' ? 'step' : 'agree'}`, { title }),
    path: `/invitation-keys/${key.id}/preview/${id}`,
  });
  const approvals = {
    auto: [],
    manual: [{ text: t('outcome.way.approval') }],
    domain: [{ text: t('outcome.way.approval-domain', { domains: key.emailDomains.join(', ') }) }],
  };
  const proofs = {
    none: [],
    'by-mail': [{ text: t('outcome.way.confirm') }],
    'by-hand': [{ text: t('outcome.way.confirm-hand') }],
  };
  const asked = { questions: questions.map(({ label }) => label).join(', ') };
  return {
    id: key.id,
    label: key.label,
    outcome,
    profileName: outcome.profile.name,
    rights: outcome.profile.rights,
    attributes: Object.entries(outcome.attributes).map(([name, value]) => ({
      label: givenFields.some((known) => known === name) ? t(`given.${name}`) : name,
      value,
    })),
    way: [
      { text: t('outcome.way.open') },
      ...steps.filter(({ phase }) => phase === 'before').map(stepOf),
      { text: t('outcome.way.form'), path: `/invitation-keys/${key.id}/preview` },
      ...(questions.length === 0 ? [] : [{ text: t('outcome.way.questions', asked) }]),
      ...proofs[proof],
      ...approvals[approval],
      { text: t('outcome.way.in') },
      ...steps.filter(({ phase }) => phase === 'after').map(stepOf),
    ],
  };
}

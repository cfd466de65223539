import { InvalidInputError, type CommandContext, type CommandDefinition } from 'latchkey/plugin-api';
import type { Delivery, Endpoint } from './endpoint.ts';
import type { EndpointService } from './endpoint-service.ts';
import { eventNames } from './events.ts';

/** `latchkey webhook list | show | add | edit | on | off | test | secret | remove | deliveries | redeliver | events`. */
export function webhookCommands({ endpoints }: { endpoints: EndpointService }): CommandDefinition[] {
  const id = '<id>';
  const idOf = ({ args }: CommandContext): string => args[0] ?? '';

  const turn = (name: 'on' | 'off', summary: string): CommandDefinition => ({
    name: `webhook ${name}`,
    summary,
    args: id,
    run: async (context) => {
      const before = await endpoints.get(context.actor, idOf(context));
      const draft = { ...draftOf(before), isOn: name === 'on' };
      context.print(brief(await endpoints.edit(context.actor, before.id, before.version, draft)));
    },
  });

  return [
    {
      name: 'webhook list',
      summary: 'Webhooks, and whether they are on',
      run: async ({ actor, print }) => {
        print((await endpoints.list(actor)).map(brief));
      },
    },
    {
      name: 'webhook show',
      summary: 'One webhook, without its secret',
      args: id,
      run: async (context) => {
        context.print(brief(await endpoints.get(context.actor, idOf(context))));
      },
    },
    {
      name: 'webhook events',
      summary: 'The events that can be sent',
      run: ({ print }) => {
        print(eventNames.map((event) => ({ event })));
        return Promise.resolve();
      },
    },
    {
      name: 'webhook add',
      summary: 'Add a webhook and show its secret, once',
      args: '<url>',
      options: [
        { flags: '--name <name>', description: 'What administrators call it' },
        { flags: '--events <events>', description: 'With commas; see `webhook events`' },
      ],
      run: async (context) => {
        const url = context.args[0] ?? '';
        const draft = {
          url,
          name: nameFrom(context) ?? hostOf(url),
          events: eventsFrom(context) ?? [],
          isOn: true,
        };
        const { endpoint, secret } = await endpoints.add(context.actor, draft);
        context.print({ ...brief(endpoint), secret });
      },
    },
    {
      name: 'webhook edit',
      summary: 'Change name, address or events of a webhook',
      args: id,
      options: [
        { flags: '--name <name>', description: 'What administrators call it' },
        { flags: '--url <url>', description: 'Where it goes' },
        { flags: '--events <events>', description: 'With commas, all of them anew' },
      ],
      run: async (context) => {
        const before = await endpoints.get(context.actor, idOf(context));
        const draft = {
          name: nameFrom(context) ?? before.name,
          url: text(context, 'url') ?? before.url,
          events: eventsFrom(context) ?? before.events,
          isOn: before.isOn,
        };
        context.print(brief(await endpoints.edit(context.actor, before.id, before.version, draft)));
      },
    },
    turn('on', 'Send to a webhook again'),
    turn('off', 'Send nothing to a webhook; what waits is given up'),
    {
      name: 'webhook test',
      summary: 'Send a test now and say how it went',
      args: id,
      run: async (context) => {
        context.print(tried(await endpoints.test(context.actor, idOf(context))));
      },
    },
    {
      name: 'webhook secret',
      summary: 'Replace the secret of a webhook and show the new one, once',
      args: id,
      run: async (context) => {
        context.print({ id: idOf(context), secret: await endpoints.rotate(context.actor, idOf(context)) });
      },
    },
    {
      name: 'webhook remove',
      summary: 'Remove a webhook and its log',
      args: id,
      run: async (context) => {
        await endpoints.remove(context.actor, idOf(context));
        context.print({ removed: idOf(context) });
      },
    },
    {
      name: 'webhook deliveries',
      summary: 'What was sent to a webhook, newest first',
      args: id,
      run: async (context) => {
        const { items } = await endpoints.deliveries(context.actor, idOf(context), { page: 1, perPage: 100 });
        context.print(items.map(tried));
      },
    },
    {
      name: 'webhook redeliver',
      summary: 'Send once more what has not arrived, under the same id',
      args: '<id> <delivery>',
      run: async (context) => {
        const [webhook = '', delivery = ''] = context.args;
        context.print(tried(await endpoints.redeliver(context.actor, webhook, delivery)));
      },
    },
  ];
}

const draftOf = ({ name, url, events }: Endpoint): Pick<Endpoint, 'name' | 'url' | 'events'> => ({
  name,
  url,
  events,
});

function text({ options }: CommandContext, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value.trim() : undefined;
}

function nameFrom(context: CommandContext): string | undefined {
  const name = text(context, 'name');
  if (name === undefined || (name !== '' && name.length <= 80)) return name;
  throw new InvalidInputError('input.invalid', { fields: [{ field: 'name', code: 'webhook.name' }] });
}

const eventsFrom = (context: CommandContext): string[] | undefined =>
  text(context, 'events')
    ?.split(',')
    .map((event) => event.trim())
    .filter((event) => event !== '');

const brief = ({ id, name, url, events, isOn, offReason }: Endpoint): object => ({
  id,
  name,
  url,
  isOn,
  offReason,
  events,
});

const tried = ({ id, eventName, state, attempts, status, problem, triedAt }: Delivery): object => ({
  id,
  event: eventName,
  state,
  attempts,
  status,
  problem,
  triedAt: triedAt === null ? null : new Date(triedAt).toISOString(),
});

/** What it is called unless said; an address that is none is refused where all are. */
const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : url).slice(0, 80);

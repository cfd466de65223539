import type { SupportCourier, SupportService } from '../network/index.ts';
import { InvalidInputError } from '../shared/errors.ts';
import type { Command, CommandContext } from './command.ts';

interface Deps {
  support: SupportService;
  supportCourier: SupportCourier;
}

/** Asking the vendor, for whoever sits at the server. Words come on standard input. */
export const supportCommands = ({ support, supportCourier }: Deps): Command[] => [
  {
    name: 'network support list',
    summary: 'What was asked of the vendor, and where it stands',
    run: async ({ actor, print }) => {
      const { requests } = await support.list(actor);
      print(
        requests.map(({ id, reference, status, title, openedByName, updatedAt }) => ({
          id,
          ticket: reference ?? '',
          status,
          title,
          by: openedByName,
          updated: new Date(updatedAt).toISOString(),
        })),
      );
    },
  },
  {
    name: 'network support show',
    summary: 'Asks the hub for news, then shows all that was said on a request',
    args: '<id>',
    run: async ({ actor, args: [id = ''], print }) => {
      await support.lookSoon(actor, id);
      await supportCourier.run();
      print(await shown(support, actor, id));
    },
  },
  {
    name: 'network support open',
    summary:
      'Asks the vendor; the question is read from standard input. Facts about this installation go along',
    args: '<title>',
    options: [
      { flags: '--plugin <id>', description: 'The plugin that it is about' },
      { flags: '--no-facts', description: 'Send no facts about this installation' },
    ],
    run: async ({ actor, args: [title = ''], options, readStdin, print }) => {
      const { plugin, facts } = options;
      const { id } = await support.open(actor, {
        title: title.slice(0, 200),
        body: await wordsIn(readStdin),
        plugin: typeof plugin === 'string' ? plugin : null,
        ticket: null,
        diagnostics: facts === false ? '' : await support.diagnostics(actor),
      });
      await supportCourier.run();
      print(await shown(support, actor, id));
    },
  },
  {
    name: 'network support reply',
    summary: 'Says more on a request, from standard input',
    args: '<id>',
    run: async ({ actor, args: [id = ''], readStdin, print }) => {
      await support.reply(actor, id, await wordsIn(readStdin));
      await supportCourier.run();
      print(await shown(support, actor, id));
    },
  },
];

async function wordsIn(readStdin: CommandContext['readStdin']): Promise<string> {
  const words = (await readStdin()).trim();
  if (words === '') throw new InvalidInputError('support.words-needed');
  return words;
}

async function shown(support: SupportService, actor: CommandContext['actor'], id: string): Promise<object> {
  const { request, messages } = await support.thread(actor, id);
  const { reference, status, title, diagnostics } = request;
  return {
    id,
    ticket: reference,
    status,
    title,
    facts: diagnostics,
    messages: messages.map(({ authorName, kind, state, problem, detail, body }) => ({
      by: authorName,
      kind,
      state,
      problem: detail ?? problem,
      body,
    })),
  };
}

import type { CommandDefinition } from 'latchkey/plugin-api';
import { firstWord, said } from '../command-words.ts';
import type { RequestService } from './request-service.ts';

/** `latchkey invite requests | grant | refuse`: whoever holds a key that is over may ask for a way in. */
export const requestCommands = ({ requests }: { requests: RequestService }): CommandDefinition[] => [
  {
    name: 'invite requests',
    summary: 'Who asks for a way in because their key is over, longest waiting first',
    run: async ({ actor, print }) => {
      const { items } = await requests.list(actor, { state: 'open' }, { page: 1, perPage: 200 });
      print(
        items.map(({ request, key }) => ({
          id: request.id,
          name: request.name,
          email: request.email,
          message: request.message,
          key: key.label === '' ? key.hint : key.label,
          reason: request.reason,
          at: new Date(request.at).toISOString(),
        })),
      );
    },
  },
  {
    name: 'invite grant',
    summary: 'Let this one person in: makes a key of one seat and mails it',
    args: '<request>',
    options: [{ flags: '--message <text>', description: 'A few words of your own' }],
    run: async (context) => {
      const message = said(context, 'message') ?? '';
      const { child, wasMailed } = await requests.grant(context.actor, firstWord(context), { message });
      context.print({ id: child.key.id, key: child.text, url: child.url, mailed: wasMailed });
    },
  },
  {
    name: 'invite refuse',
    summary: 'Say no to a request; the person hears of it by mail',
    args: '<request>',
    options: [{ flags: '--reason <text>', description: 'What they read' }],
    run: async (context) => {
      await requests.decline(context.actor, firstWord(context), said(context, 'reason') ?? '');
      context.print({ refused: firstWord(context) });
    },
  },
];

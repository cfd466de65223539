import type { CommandDefinition } from 'latchkey/plugin-api';
import { firstWord } from '../command-words.ts';
import type { CopyService, ShownCopy } from './copy-service.ts';

/** `latchkey invite copies | copy | copy-close | copy-reopen | copy-reveal`. */
export function copyCommands({ copies }: { copies: CopyService }): CommandDefinition[] {
  const brief = ({ copy, text, url }: ShownCopy): object => ({
    id: copy.id,
    name: copy.name,
    key: text,
    url,
  });

  const move = (what: 'close' | 'reopen', summary: string): CommandDefinition => ({
    name: `invite copy-${what}`,
    summary,
    args: '<id> <copy>',
    run: async ({ actor, args: [id = '', copyId = ''], print }) => {
      const { name, closedAt } = await copies[what](actor, id, copyId);
      print({ id: copyId, name, closedAt: closedAt === null ? null : new Date(closedAt).toISOString() });
    },
  });

  return [
    {
      name: 'invite copies',
      summary: 'Copies of a key, and how many came by each',
      args: '<id>',
      run: async (context) => {
        const list = await copies.list(context.actor, firstWord(context));
        context.print(
          list.map(({ id, name, joined, pending, closedAt }) => ({
            id,
            name,
            joined,
            pending,
            closedAt: closedAt === null ? null : new Date(closedAt).toISOString(),
          })),
        );
      },
    },
    {
      name: 'invite copy',
      summary: 'Make a copy of a key for one place, such as "Poster", and show its link',
      args: '<id> <name>',
      run: async ({ actor, args: [id = '', ...words], print }) => {
        print(brief(await copies.make(actor, id, words.join(' ').trim())));
      },
    },
    move('close', 'Close one copy; the key and its other copies go on'),
    move('reopen', 'Open a closed copy again'),
    {
      name: 'invite copy-reveal',
      summary: 'Show the link of a copy again; this is audited',
      args: '<id> <copy>',
      run: async ({ actor, args: [id = '', copyId = ''], print }) => {
        print(brief(await copies.reveal(actor, id, copyId)));
      },
    },
  ];
}

import type { BackgroundService } from '../jobs/index.ts';
import { InvalidInputError } from '../shared/errors.ts';
import type { Command } from './command.ts';

const AT_MOST = 200;

/** Events on their way to those who listen: which wait for another try, which were given up, and how to try again. */
export function eventCommands(background: BackgroundService): Command[] {
  return [
    {
      name: 'events list',
      summary: 'Deliveries that failed: those that wait for another try, and those that were given up',
      run: async ({ actor, print }) => {
        const { troubled } = await background.overview(actor, { page: 1, perPage: AT_MOST });
        print(troubled.items);
      },
    },
    {
      name: 'events retry',
      summary: 'Has a failed delivery tried again now; `--all` takes every one that was given up',
      args: '[position] [consumer]',
      options: [
        { flags: '--all', description: 'everything that was given up' },
        { flags: '--consumer <plugin>', description: 'with --all: of this plugin only' },
      ],
      run: async ({ actor, args: [position, consumer], options, print }) => {
        if (options['all'] === true) {
          const only = options['consumer'];
          print({ retried: await background.retryAll(actor, typeof only === 'string' ? only : null) });
          return;
        }
        if (!/^\d+$/.test(position ?? '') || consumer === undefined)
          throw new InvalidInputError('background.which-delivery');
        await background.retry(actor, { position: Number(position), consumer });
        print({ retried: 1 });
      },
    },
  ];
}

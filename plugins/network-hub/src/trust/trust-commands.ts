import type { CommandContext, CommandDefinition } from 'latchkey/plugin-api';
import type { TrustService } from './trust-service.ts';

/** The ceremony: begun and ended at the hub, signed by its keepers wherever their keys are. */
export const trustCommands = (trust: TrustService): CommandDefinition[] => [
  {
    name: 'hub trust status',
    summary: 'Who signs for this hub, until when, and what waits for the keepers',
    run: async ({ print }) => {
      print(
        (await trust.look()) ??
          'No ceremony was held yet: begin with three keys of `latchkey plugin keygen`.',
      );
    },
  },
  {
    name: 'hub trust begin',
    summary: 'Prints what two of the three keepers have to sign, with `latchkey ceremony sign`',
    args: '[keys...]',
    options: [{ flags: '--rotate', description: 'with new online keys' }],
    run: async ({ actor, args, options, readFile, print }) => {
      const keepers = await Promise.all(args.map(async (file) => (await readFile(file)).toString('utf8')));
      const wanted = { ...(keepers.length > 0 ? { keepers } : {}), rotate: options['rotate'] === true };
      const ceremony = await trust.begin(actor, wanted);
      print(options['json'] === true ? ceremony : JSON.stringify(ceremony));
    },
  },
  {
    name: 'hub trust finish',
    summary: 'Takes from standard input what two of the three keepers have signed',
    run: async ({ actor, readStdin, print }) => {
      print(await trust.finish(actor, await readStdin()));
    },
  },
  {
    name: 'hub trust publisher',
    summary: 'The next ceremony is to let this publisher sign packages with this key',
    args: '<name> <key>',
    run: async (context) => {
      const [name = '', file = ''] = context.args;
      await trust.wantPublisher(context.actor, name, (await context.readFile(file)).toString('utf8'));
      await shown(trust, context);
    },
  },
  {
    name: 'hub trust withdraw',
    summary: 'The next ceremony is to stop this plugin everywhere',
    args: '<plugin> [versions...]',
    options: [{ flags: '--reason <text>', description: 'what administrators are told' }],
    run: async (context) => {
      const [plugin = '', ...versions] = context.args;
      const reason = String(context.options['reason'] ?? '');
      const withdrawal = { plugin, reason, ...(versions.length > 0 ? { versions } : {}) };
      await trust.wantWithdrawal(context.actor, withdrawal);
      await shown(trust, context);
    },
  },
];

const shown = async (trust: TrustService, { print }: CommandContext): Promise<void> => {
  print((await trust.look())?.wanted ?? 'It is part of the first ceremony.');
};

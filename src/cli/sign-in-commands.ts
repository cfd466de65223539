import type { Database } from '../db/database.ts';
import { localSignIn } from '../identity/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { InvalidInputError } from '../shared/errors.ts';
import type { Command } from './command.ts';

interface Deps {
  db: Database;
  settings: SettingsService;
}

/** The way back when the provider that everybody must come through is away. */
export const signInCommands = ({ db, settings }: Deps): Command[] => [
  {
    name: 'sign-in local',
    summary: 'Whether passwords and passkeys let people in: on or off',
    args: '<on|off>',
    run: async ({ actor, args, print }) => {
      const [said = ''] = args;
      if (said !== 'on' && said !== 'off') throw new InvalidInputError('cli.on-or-off');
      await db.transaction((tx) => settings.set(tx, actor, localSignIn, said === 'on'));
      print({ local: said });
    },
  },
];

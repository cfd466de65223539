import type { Database } from '../db/database.ts';
import {
  authProviders,
  localSignIn,
  type ProviderSignInService,
  type SignInProviders,
} from '../identity/index.ts';
import type { PluginHost } from '../plugin-host/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { InvalidInputError, KnownError } from '../shared/errors.ts';
import type { Command } from './command.ts';
import type { DoctorCheck } from './doctor-commands.ts';

interface Deps {
  db: Database;
  settings: SettingsService;
  providers: SignInProviders;
  providerSignIn: ProviderSignInService;
}

interface Answer {
  provider: string;
  works: boolean;
  /** The code under which the guide explains it. */
  problem: string;
}

/** The way back when the provider that everybody must come through is away, and whether it is. */
export const signInCommands = (
  { db, settings, ...ways }: Deps,
  { onProblem }: { onProblem: () => void },
): Command[] => [
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
  {
    name: 'sign-in check',
    summary: 'Asks every sign-in provider whether it answers; exit code 1 if nobody could get in',
    run: async ({ print }) => {
      const answers = await askProviders(ways);
      print(answers);
      if (!(await settings.get(localSignIn)) && !answers.some(({ works }) => works)) onProblem();
    },
  },
];

/** For the doctor: a house that only providers open, and none of them does. */
export const signInCheck = (
  { settings, ...ways }: Omit<Deps, 'db'>,
  { plugins, answers }: { plugins: Pick<PluginHost, 'list'>; answers?: (() => Promise<boolean>) | undefined },
): DoctorCheck => ({
  name: 'sign-in',
  run: async () => {
    if (await settings.get(localSignIn)) return null;
    const ask = answers ?? (async () => (await askProviders(ways)).some(({ works }) => works));
    if ((await bringsProviders(plugins)) && (await ask())) return null;
    return {
      level: 'problem',
      message:
        'Passwords and passkeys let nobody in, and no sign-in provider answers. `latchkey sign-in check` says more; `latchkey sign-in local on` opens the door again.',
    };
  },
});

const bringsProviders = async (plugins: Pick<PluginHost, 'list'>): Promise<boolean> =>
  (await plugins.list('en')).some(
    ({ state, manifest }) =>
      state === 'enabled' && manifest?.hooks.uses.includes(authProviders.name) === true,
  );

/** As if somebody set out to each of them; nobody does. */
async function askProviders({
  providers,
  providerSignIn,
}: Pick<Deps, 'providers' | 'providerSignIn'>): Promise<Answer[]> {
  const ask = async (offered: Awaited<ReturnType<SignInProviders['all']>>[number]): Promise<Answer> => {
    const provider = offered.ref;
    try {
      const redirectUri = await providerSignIn.redirectUri(provider);
      const trip = { redirectUri, state: 'doctor', locale: 'en', again: false, choose: false };
      await providers.start(offered, trip);
      return { provider, works: true, problem: '' };
    } catch (error) {
      return { provider, works: false, problem: error instanceof KnownError ? error.code : String(error) };
    }
  };
  return Promise.all((await providers.all()).map(ask));
}

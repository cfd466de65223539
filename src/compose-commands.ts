import { join } from 'node:path';
import { backupCommands } from './cli/backup-commands.ts';
import type { Command } from './cli/command.ts';
import { doctorCommands, machineChecks, type DoctorCheck, type Outcome } from './cli/doctor-commands.ts';
import { sealedColumns } from './cli/doctor-hooks.ts';
import { eventCommands } from './cli/event-commands.ts';
import { hookCommands } from './cli/hook-commands.ts';
import { installCommands } from './cli/install-commands.ts';
import { keyCommands } from './cli/key-commands.ts';
import { mailCommands } from './cli/mail-commands.ts';
import { marketplaceCommands } from './cli/marketplace-commands.ts';
import { networkCommands } from './cli/network-commands.ts';
import { askPlugins } from './cli/plugin-checks.ts';
import { pluginCommands } from './cli/plugin-commands.ts';
import { seedCommands } from './cli/seed-commands.ts';
import { signInCheck, signInCommands } from './cli/sign-in-commands.ts';
import { seedHubCommand } from './cli/seed/seed-hub.ts';
import { supportCommands } from './cli/support-commands.ts';
import { tokenCommands } from './cli/token-commands.ts';
import { userCommands } from './cli/user-commands.ts';
import { attachmentsFolder } from './compose-domains.ts';
import { folders } from './compose-ground.ts';
import { backgroundOf } from './compose-routes.ts';
import { makeRestoreSafe, releaseAfterRestore } from './compose-restore.ts';
import { compose, version, type Latchkey } from './compose.ts';
import type { Config } from './config.ts';
import { trySealed, type TriedColumns } from './crypto/sealed-columns.ts';
import { listHolds } from './jobs/index.ts';
import { silentLog } from './log.ts';
import { system } from './shared/actor.ts';

export interface CommandDeps {
  onProblem: () => void;
  signInAnswers?: (() => Promise<boolean>) | undefined;
  pluginAnswers?: (() => Promise<readonly Outcome[]>) | undefined;
}

/** Every command of core that needs the house to stand; plugins' come from the host. */
export function coreCommands(
  latchkey: Latchkey,
  { onProblem, signInAnswers, pluginAnswers }: CommandDeps,
): Command[] {
  const { config, ground, domains, plugins } = latchkey;
  const signIn = signInCheck({ ...ground, ...domains }, { plugins, answers: signInAnswers });
  return [
    ...userCommands({ ...ground, ...domains }),
    ...signInCommands({ ...ground, ...domains }, { onProblem }),
    ...tokenCommands({ ...ground, ...domains }),
    ...keyCommands(ground),
    ...pluginCommands(plugins),
    ...installCommands(latchkey),
    ...hookCommands(ground.hooks),
    ...eventCommands(backgroundOf(latchkey)),
    ...mailCommands(domains.mail),
    ...networkCommands(domains, {
      onProblem,
      explain: (problem, { host, locale }) =>
        ground.i18n.translate(locale, `network:problem.${problem}`, { host }),
    }),
    ...supportCommands(latchkey),
    ...marketplaceCommands(latchkey),
    ...backupCommands({
      db: ground.db,
      dataDir: config.dataDir,
      filesFolder: attachmentsFolder(config),
      version,
      audit: ground.audit,
      hasPeople: async () => {
        const { total } = await domains.userAdmin.list(system, {}, { page: 1, perPage: 1 });
        return total > 0;
      },
      appendOnly: () => latchkey.plugins.appendOnlyTables(),
      makeTables: (tables, rowsOf) => latchkey.plugins.makeArchivedTables(tables, rowsOf),
      servers: () => latchkey.plugins.servers(),
      makeSafe: (tx) => makeRestoreSafe(tx, latchkey),
    }),
    seedHubCommand({
      plugins,
      commands: () => latchkey.commands.all(),
      folder: folders.plugins,
      dataDir: config.dataDir,
    }),
    ...seedCommands({
      ...domains,
      openHouse: async (clock) => {
        const story = await compose(withoutMail(config), { clock, log: silentLog(), isPasserBy: true });
        await story.open({ work: false });
        return {
          ...story.ground,
          ...story.domains,
          clock,
          incoming: join(config.dataDir, 'incoming'),
          close: () => story.close(),
        };
      },
    }),
    ...doctorCommands([...machineChecks(config), ...houseChecks(latchkey), signIn], {
      onProblem,
      askPlugins: () => askPlugins(ground.hooks),
      pluginAnswers,
    }),
    {
      name: 'release',
      summary: 'After a restore: lets mail and jobs go on, and people join again',
      run: async ({ actor, print }) => {
        print({ released: await releaseAfterRestore(latchkey, actor) });
      },
    },
    {
      name: 'migrate',
      summary: 'Brings the schema up to date; the server does so by itself when it starts',
      run: ({ print }) => {
        print({ schema: 'up to date' });
        return Promise.resolve();
      },
    },
  ];
}

/** Every sealed value of the house and of the plugins that run, opened and looked at by nobody. */
export async function trySecrets({ ground, domains }: Latchkey): Promise<TriedColumns[]> {
  const { settings, hooks, db } = ground;
  const { secondFactors, mail, network } = domains;
  const own = [settings, secondFactors, mail, network].flatMap((service) => service.sealed());
  const contributed = (await hooks.gather(sealedColumns, {})).flatMap(({ thing }) => thing);
  const tried: TriedColumns[] = [];
  for (const columns of [...own, ...contributed]) tried.push(await trySealed(db, columns));
  return tried;
}

/** People who do not exist get no mail. */
const withoutMail = (config: Config): Config => ({ ...config, smtpUrl: undefined });

const houseChecks = ({ ground, domains, plugins }: Latchkey): DoctorCheck[] => [
  {
    name: 'database',
    run: async () => {
      await ground.db.knex.raw('SELECT 1');
      return null;
    },
  },
  {
    name: 'keys',
    run: async () => {
      const shut = (await ground.keys.examine()).filter(({ opens }) => !opens);
      const names = shut.map(({ purpose, generation }) => `${purpose} ${String(generation)}`).join(', ');
      return shut.length === 0
        ? null
        : {
            level: 'problem',
            message: `The master key at hand does not open these keys: ${names}. See \`latchkey secret doctor\`.`,
          };
    },
  },
  {
    name: 'queue',
    run: async () => {
      const { dead } = await domains.dispatcher.stats();
      return dead === 0 ? null : { level: 'warning', message: `${String(dead)} deliveries were given up.` };
    },
  },
  {
    name: 'held',
    run: async () => {
      const [hold] = await listHolds(ground.db);
      const message = 'Mail, events and jobs are held since a restore. `latchkey release` lets them go on.';
      return hold ? { level: 'warning', message } : null;
    },
  },
  {
    name: 'plugins',
    run: async () => {
      const failed = (await plugins.list('en')).filter(
        ({ state }) => state === 'failed' || state === 'quarantined',
      );
      const names = failed
        .map(({ id, step, error }) => `${id} (${step ?? 'crashed'}: ${error ?? ''})`)
        .join(', ');
      return failed.length === 0 ? null : { level: 'problem', message: `Not running: ${names}` };
    },
  },
];

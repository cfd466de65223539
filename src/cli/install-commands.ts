import { InvalidInputError } from '../shared/errors.ts';
import {
  bisectSteps,
  dataChoices,
  PluginBisect,
  type PluginHost,
  type DataChoice,
  type InstallPlan,
  type PluginInstaller,
  type PluginUninstaller,
  type PublisherKeys,
} from '../plugin-host/index.ts';
import type { Command } from './command.ts';

/** Brings packages in and goes back to the one before; no plugin code runs in this process. */
interface House {
  installer: PluginInstaller;
  uninstaller: PluginUninstaller;
  publishers: PublisherKeys;
  plugins: PluginHost;
  ground: ConstructorParameters<typeof PluginBisect>[0]['ground'];
}

export function installCommands({ installer, uninstaller, publishers, plugins, ground }: House): Command[] {
  return [
    {
      name: 'plugin install',
      summary:
        'Verifies a package, tries it in a process of its own, says what it changes, and puts it to use',
      args: '<package>',
      options: [
        { flags: '--plan', description: 'only say what it changes; it is kept and not used' },
        { flags: '--unsigned', description: 'use it although no key that you trust has signed it' },
      ],
      run: async ({ actor, args: [file = ''], options, print, readFile }) => {
        const signature = await readFile(`${file}.sig`).then(String, () => null);
        const plan = await installer.stage(actor, await readFile(file), { signature });
        if (options['plan'] === true) {
          print(lineOf(plan));
          return;
        }
        const acceptsUnsigned = options['unsigned'] === true;
        const used = await installer.use(actor, plan.id, plan.version, { acceptsUnsigned });
        const { state, step, error } = used;
        print({ ...lineOf(plan), state, step, error });
      },
    },
    {
      name: 'plugin use',
      summary: 'Puts a version to use that was installed before',
      args: '<id> <version>',
      options: [{ flags: '--unsigned', description: 'although no key that you trust has signed it' }],
      run: async ({ actor, args: [id = '', wanted = ''], options, print }) => {
        const acceptsUnsigned = options['unsigned'] === true;
        const { version, state, step, error } = await installer.use(actor, id, wanted, { acceptsUnsigned });
        print({ id, version, state, step, error });
      },
    },
    {
      name: 'plugin trust',
      summary: 'Believes the signatures of a publisher; without a key, lists whom you believe',
      args: '[key] [name]',
      options: [{ flags: '--remove', description: 'no longer; the key is named by its id' }],
      run: async ({ actor, args: [key, name], options, print, readFile }) => {
        if (key !== undefined && options['remove'] === true) await publishers.remove(actor, key);
        else if (key !== undefined)
          await publishers.add(actor, { name: name ?? key, publicKey: String(await readFile(key)) });
        print(
          (await publishers.list(actor)).map(({ keyId, name: called, addedBy }) => ({
            keyId,
            name: called,
            addedBy,
          })),
        );
      },
    },
    {
      name: 'plugin rollback',
      summary: 'Back to the version before; what it stored since stays',
      args: '<id>',
      run: async ({ actor, args: [id = ''], print }) => {
        const { version, state, step, error } = await installer.rollback(actor, id);
        print({ id, version, state, step, error });
      },
    },
    {
      name: 'plugin bisect',
      summary: `Finds the plugin behind a trouble by halves: ${bisectSteps.join(', ')}`,
      args: '<step>',
      run: async ({ actor, args: [said], print }) => {
        const step = bisectSteps.find((known) => known === said);
        if (step === undefined) throw new InvalidInputError('plugin.bisect-step');
        print(await new PluginBisect({ ground, plugins }).take(actor, step));
      },
    },
    {
      name: 'plugin receipt',
      summary:
        'What is stored under the name of a plugin: tables with their rows, settings, jobs, rights, versions',
      args: '<id>',
      run: async ({ actor, args: [id = ''], print }) => {
        print(await uninstaller.receipt(actor, id));
      },
    },
    {
      name: 'plugin uninstall',
      summary: 'Takes a plugin out; its data is kept, exported into a file and deleted, or deleted',
      args: '<id>',
      options: [
        { flags: '--data <choice>', description: `what becomes of its data: ${dataChoices.join(', ')}` },
      ],
      run: async ({ actor, args: [id = ''], options, print }) => {
        print(await uninstaller.uninstall(actor, id, choiceFrom(options['data'])));
      },
    },
    {
      name: 'plugin take-back',
      summary: 'Puts back what `plugin uninstall --data export` has written, into a plugin without data',
      args: '<id> <file>',
      run: async ({ actor, args: [id = '', file = ''], print }) => {
        print(await uninstaller.takeBack(actor, id, file));
      },
    },
  ];
}

function choiceFrom(said: string | boolean | undefined): DataChoice {
  const choice = dataChoices.find((known) => known === said);
  if (choice === undefined) throw new InvalidInputError('plugin.data-choice');
  return choice;
}

const lineOf = ({
  id,
  version,
  from,
  added,
  migrations,
  leftovers,
  trust,
  signedBy,
}: InstallPlan): Record<string, unknown> => ({
  id,
  version,
  from,
  asksFor: added.join(', '),
  migrations: migrations.join(', '),
  leftovers: leftovers.join(', '),
  trust,
  signedBy,
});

import type { PluginFacts, PluginHost } from '../plugin-host/index.ts';
import type { Command } from './command.ts';

/** Works on the database and on files, also while the web does not; a running server follows within two seconds. */
export function pluginCommands(plugins: PluginHost): Command[] {
  return [
    {
      name: 'plugin list',
      summary: 'Every plugin there is, what is wanted of it and what became of it',
      run: async ({ actor, print }) => {
        print((await plugins.list(actor.locale)).map(lineOf));
      },
    },
    {
      name: 'plugin enable',
      summary: 'Enables a plugin and what it requires; asking again tries again',
      args: '<id>',
      run: async ({ actor, args, print }) => {
        print(lineOf(await plugins.enable(actor, args[0] ?? '')));
      },
    },
    {
      name: 'plugin disable',
      summary: 'Disables a plugin and what leans on it; its data stays',
      args: '<id>',
      run: async ({ actor, args, print }) => {
        print(lineOf(await plugins.disable(actor, args[0] ?? '')));
      },
    },
    {
      name: 'plugin purge',
      summary:
        'Deletes the tables of a disabled plugin with all that is in them; only a backup brings them back',
      args: '<id>',
      run: async ({ actor, args: [id = ''], print }) => {
        await plugins.purge(actor, id);
        print({ id, purged: true });
      },
    },
  ];
}

const lineOf = ({
  id,
  version,
  desired,
  state,
  step,
  error,
  nodes,
}: PluginFacts): Record<string, unknown> => ({
  id,
  version,
  desired,
  state,
  step,
  error,
  nodes: nodes.map(({ node, state: there }) => `${node}: ${there}`).join(', '),
});

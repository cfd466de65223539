import semver from 'semver';
import { reportFor, type PluginFacts, type PluginHost } from '../plugin-host/index.ts';
import { InvalidInputError } from '../shared/errors.ts';
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
      name: 'plugin report',
      summary: 'Before an update of Latchkey: which installed plugins say that they go with it',
      options: [{ flags: '--for <version>', description: 'the version of Latchkey to come' }],
      run: async ({ actor, options, print }) => {
        const core = semver.valid(String(options['for'] ?? ''));
        if (core === null) throw new InvalidInputError('plugin.core-version');
        print(reportFor(core, await plugins.list(actor.locale)));
      },
    },
    {
      name: 'plugin settle',
      summary: 'Nobody goes back to the version before any more: what only that one needed is cleared away',
      args: '<id>',
      run: async ({ actor, args: [id = ''], print }) => {
        print(lineOf(await plugins.settle(actor, id)));
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

/** Those that are as the line says need only be counted; one that differs is named. */
function nodesWords(
  nodes: PluginFacts['nodes'],
  { state, version }: Pick<PluginFacts, 'state' | 'version'>,
): string {
  const others = nodes.filter(
    (node) => node.state !== state || (state === 'enabled' && node.version !== version),
  );
  const alike = nodes.length - others.length;
  const named = others.map(({ node, state: there, version: runs }) =>
    `${node}: ${there} ${there === 'enabled' ? runs : ''}`.trim(),
  );
  return [...(alike > 0 ? [String(alike)] : []), ...named].join(', ');
}

const lineOf = ({
  id,
  version,
  desired,
  state,
  step,
  error,
  nodes,
  watched,
  disabledWith,
}: PluginFacts): Record<string, unknown> => ({
  id,
  version,
  desired,
  state,
  step,
  error,
  nodes: nodesWords(nodes, { state, version }),
  ...(watched === null ? {} : { onTrial: watched.on, rolledTo: watched.done }),
  ...(disabledWith === null ? {} : { disabledWith }),
});

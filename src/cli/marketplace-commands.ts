import {
  sorts,
  nameOf,
  type CatalogueReader,
  type MarketplaceService,
  type Offered,
  type OfflineService,
  type Operation,
  type StopService,
} from '../marketplace/index.ts';
import type { PluginInstaller } from '../plugin-host/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Command } from './command.ts';

interface House {
  marketplace: MarketplaceService;
  reader: Pick<CatalogueReader, 'refresh'>;
  stops: Pick<StopService, 'list' | 'allow'>;
  offline: Pick<OfflineService, 'take'>;
  installer: Pick<PluginInstaller, 'rollback' | 'use'>;
}

/** The marketplace for whoever sits at the server; it shows what was last read, as the page does. */
export function marketplaceCommands({ marketplace, reader, stops, offline, installer }: House): Command[] {
  const ended = async (actor: Actor, { id }: Operation): Promise<object> => {
    const { pluginId, version, step, problem, params } = await marketplace.finished(actor, id);
    return { id: pluginId, version, result: step, problem, ...(problem === null ? {} : { details: params }) };
  };
  return [
    {
      name: 'marketplace search',
      summary: 'Plugins of the hub with these words, and what can be done with each',
      args: '[words]',
      options: [
        { flags: '--tag <tag>', description: 'only with this tag', default: '' },
        { flags: '--sort <by>', description: sorts.join(', '), default: 'downloads' },
        { flags: '--page <number>', description: 'a dozen a page', default: '1' },
      ],
      run: async ({ actor, args: [words = ''], options, print }) => {
        const sort = sorts.find((known) => known === options['sort']) ?? 'downloads';
        const wish = { words, tag: String(options['tag'] ?? ''), only: '', sort } as const;
        const { items } = await marketplace.discover(actor, wish, Math.max(1, Number(options['page']) || 1));
        print(items.map((one) => lineOf(one, actor)));
      },
    },
    {
      name: 'marketplace info',
      summary: 'One plugin of the hub: what it is, what it may touch, its versions',
      args: '<id>',
      run: async ({ actor, args: [id = ''], print }) => {
        const { offered } = await marketplace.find(actor, id);
        const { license, tags, releases, manifest } = offered.item;
        print({
          ...lineOf(offered, actor),
          license,
          tags: tags.join(', '),
          versions: releases.map(({ version }) => version).join(', '),
          listensTo: manifest?.hooks.uses.join(', ') ?? '',
          calls: manifest?.permissions.net.join(', ') ?? '',
        });
      },
    },
    {
      name: 'marketplace install',
      summary: 'Fetches a plugin from the hub, verifies and tries it, and puts it to use',
      args: '<id>',
      options: [
        { flags: '--release <version>', description: 'this one; the newest that fits unless said' },
        { flags: '--trial', description: 'tries it, where the offer does not cover it' },
      ],
      run: async ({ actor, args: [id = ''], options, print }) => {
        const version = options['release'];
        const wanted = typeof version === 'string' ? version : undefined;
        const asTrial = options['trial'] === true;
        const begun = await marketplace.install(actor, id, wanted, { asTrial });
        print(await ended(actor, begun));
      },
    },
    {
      name: 'marketplace update',
      summary: 'Brings a plugin, or all of them, to the newest version that may be had',
      args: '[id]',
      run: async ({ actor, args: [id], print }) => {
        const begun =
          id === undefined ? await marketplace.updateAll(actor) : [await marketplace.install(actor, id)];
        const results: object[] = [];
        for (const operation of begun) results.push(await ended(actor, operation));
        print(results);
      },
    },
    {
      name: 'marketplace skip',
      summary: 'Passes over the newer version of a plugin: it is not offered until there is another one',
      args: '<id>',
      options: [{ flags: '--undo', description: 'offers it again' }],
      run: async ({ actor, args: [id = ''], options, print }) => {
        if (options['undo'] === true) await marketplace.unskip(actor, id);
        else {
          const { offered } = await marketplace.find(actor, id);
          await marketplace.skip(actor, id, offered.release?.version ?? '');
        }
        print(lineOf((await marketplace.find(actor, id)).offered, actor));
      },
    },
    {
      name: 'marketplace rollback',
      summary: 'Back to the version before; what it stored since stays',
      args: '<id>',
      run: async ({ actor, args: [id = ''], print }) => {
        const { version, state, step, error } = await installer.rollback(actor, id);
        print({ id, version, state, step, error });
      },
    },
    {
      name: 'marketplace stopped',
      summary: 'Plugins that the hub withdrew for security, and those whose trial is over',
      run: async ({ actor, print }) => {
        print((await stops.list(actor)).map(({ stoppedAt: _at, allowedAt: _allowed, ...stop }) => stop));
      },
    },
    {
      name: 'marketplace allow',
      summary: 'Lets a version run although it was withdrawn for security',
      args: '<id>',
      options: [{ flags: '--reason <text>', description: 'why it is safe here; it is written down' }],
      run: async ({ actor, args: [id = ''], options, print }) => {
        const { version, state, error } = await stops.allow(actor, id, String(options['reason'] ?? ''));
        print({ id, version, state, error });
      },
    },
    {
      name: 'marketplace import',
      summary:
        'Takes the file with which a hub answered `network request-file`, and keeps the packages in it',
      args: '<file>',
      options: [{ flags: '--use', description: 'puts them to use as well' }],
      run: async ({ actor, args: [file = ''], options, readFile, print }) => {
        const carried = await offline.take(actor, (await readFile(file)).toString('utf8'));
        for (const { id, version, problem } of carried)
          if (options['use'] === true && problem === null) await installer.use(actor, id, version);
        print(carried.map(({ problem, ...one }) => ({ ...one, problem: problem?.code ?? null })));
      },
    },
    {
      name: 'marketplace refresh',
      summary: 'Reads the catalogue of the hub now',
      run: async ({ actor, print }) => {
        await marketplace.refreshSoon(actor);
        await reader.refresh();
        const { reading } = await marketplace.shelf(actor);
        const { total = 0, problem = null, readAt = null } = reading ?? {};
        print({ plugins: total, problem, readAt: readAt === null ? null : new Date(readAt).toISOString() });
      },
    },
  ];
}

const lineOf = (offered: Offered, actor: Actor): Record<string, unknown> => ({
  id: offered.item.id,
  name: nameOf(offered.item, actor),
  publisher: offered.item.publisher,
  version: offered.release?.version ?? '',
  here: offered.local?.version ?? '',
  offers: offered.item.requiredOffers.join(', '),
  skipped: offered.skip?.version ?? '',
  can: offered.refusal ?? canOf(offered),
});

function canOf({ hasUpdate, skip, local }: Offered): string {
  if (hasUpdate && skip === null) return 'update';
  return local ? 'installed' : 'install';
}

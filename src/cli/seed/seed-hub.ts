import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { signPackage } from '../../network/index.ts';
import { packPlugin, type PluginHost } from '../../plugin-host/index.ts';
import { ConflictError } from '../../shared/errors.ts';
import type { Command } from '../command.ts';
import { holdCeremony } from './seed-keepers.ts';

interface Deps {
  plugins: Pick<PluginHost, 'enable'>;
  /** What the plugin brings to the command line once it runs. */
  commands: () => readonly Command[];
  /** Where the plugins lie that come with Latchkey. */
  folder: string;
  dataDir: string;
}

const HUB = 'network-hub';
const free: Readonly<Record<string, string>> = {
  branding: 'Look',
  tag: 'Tickets',
  satisfaction: 'Tickets',
};
const premium: Readonly<Record<string, { offer: string; tags: string; trialDays: string }>> = {
  'canned-replies': { offer: 'network-standard', tags: 'Tickets,Time', trialDays: '14' },
  'ticket-templates': { offer: 'network-advanced', tags: 'Tickets', trialDays: '14' },
};

/** Turns this house into a hub with something on its shelves; doing it again changes nothing. */
export const seedHubCommand = ({ plugins, commands, folder, dataDir }: Deps): Command => ({
  name: 'seed hub',
  summary: 'Makes this house a hub that signs, and publishes the free plugins and two premium ones on it',
  run: async (context) => {
    const { actor, print } = context;
    const { state, error } = await plugins.enable(actor, HUB);
    const publish = commands().find(({ name }) => name === 'hub publish');
    if (state !== 'enabled' || !publish)
      throw new ConflictError('plugin.version-does-not-run', {
        params: { plugin: HUB, version: '', problem: error ?? '' },
      });
    const present = new Set(await readdir(folder));
    const shelves = [
      ...Object.entries(free)
        .filter(([id]) => present.has(id))
        .map(([id, tags]) => ({ place: join(folder, id), options: { tags } })),
      ...Object.entries(premium).map(([id, options]) => ({
        place: join(folder, HUB, 'premium', id),
        options,
      })),
    ];
    const keepers = await holdCeremony(context, { commands: commands(), folder: join(dataDir, 'hub-keys') });
    const published: unknown[] = [];
    for (const { place, options } of shelves) {
      const { id, bytes } = await packPlugin(place);
      const signature = keepers.publisher && (await signPackage(bytes, keepers.publisher)).text;
      await publish.run({
        ...context,
        args: [id],
        options: { channel: 'stable', ...options },
        readFile: (path) => {
          if (!path.endsWith('.sig')) return Promise.resolve(bytes);
          return signature === null
            ? Promise.reject(new Error('It is not signed'))
            : Promise.resolve(Buffer.from(signature));
        },
        print: (line) => void published.push(line),
      });
    }
    print({ published, keys: keepers.folder, note: keepers.note });
  },
});

import { z, type CommandDefinition } from 'latchkey/plugin-api';
import { publishForm } from './network-api.ts';
import type { ReleaseService } from './release-service.ts';

/** For whoever sits at the hub itself; from elsewhere it is `latchkey plugin publish`. */
export const publishCommand = (releases: ReleaseService): CommandDefinition => ({
  name: 'hub publish',
  summary: 'Publishes a package on this hub',
  args: '<package>',
  options: [
    { flags: '--channel <name>', description: 'stable or beta', default: 'stable' },
    { flags: '--offer <reference>', description: 'the least offer that has it; free unless said' },
    { flags: '--tags <list>', description: 'separated by commas' },
    { flags: '--trial-days <number>', description: 'how long it may be tried without that offer' },
  ],
  run: async ({ actor, args: [path = ''], options, readFile, print }) => {
    const draft = publishForm.parse(z.record(z.string(), z.unknown()).parse(options));
    const signature = await readFile(`${path}.sig`).then(
      (text) => text.toString('utf8'),
      () => undefined,
    );
    const { listing, release } = await releases.publish(actor, await readFile(path), { ...draft, signature });
    const { version, sha256, size, channel } = release;
    print({ id: listing.record.id, version, channel, sha256, size });
  },
});

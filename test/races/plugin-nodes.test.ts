import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageOf, sayingVersion } from '../plugin-host/packages.ts';
import { temporaryFolder } from '../plugin-host/start-host.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import type { TestServer } from '../support/server-process.ts';
import { Nodes } from './nodes.ts';

/** What the nodes of one house may take until they all do the same. */
const CONVERGED = { timeout: 5_000, interval: 100 };

describeOnEachEngine('a plugin on several servers', (engine) => {
  test('comes to all of them within five seconds, to a new one too, and goes as quickly', async () => {
    const nodes = await Nodes.on(engine);
    const servers = [await nodes.start(), await nodes.start()];
    const file = join(await temporaryFolder(), 'parcel-1.0.0.tgz');
    await writeFile(file, await packageOf('parcel', '1.0.0', { files: sayingVersion('1.0.0') }));

    await nodes.command('plugin', 'install', file, '--unsigned');
    await expect.poll(() => answersOf(servers), CONVERGED).toEqual(['version 1.0.0', 'version 1.0.0']);

    const fresh = await nodes.start();
    expect(await answersOf([fresh])).toEqual(['version 1.0.0']);
    expect(await nodes.command('plugin', 'list')).toContainEqual(
      expect.objectContaining({ id: 'parcel', state: 'enabled', version: '1.0.0', nodes: '3' }),
    );

    await nodes.command('plugin', 'disable', 'parcel');
    await expect.poll(() => answersOf([...servers, fresh]), CONVERGED).toEqual(['404', '404', '404']);
  });
});

const answersOf = (servers: readonly TestServer[]): Promise<string[]> =>
  Promise.all(
    servers.map(async ({ url }) => {
      const answer = await fetch(`${url}/p/parcel`);
      const text = await answer.text();
      return answer.status === 200 ? text : String(answer.status);
    }),
  );

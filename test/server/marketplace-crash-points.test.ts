import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Latchkey } from '../../src/compose.ts';
import type { Step } from '../../src/marketplace/operation.ts';
import { system } from '../../src/shared/actor.ts';
import { setupWith, temporaryFolder } from '../plugin-host/start-host.ts';
import { endOf, inHouse } from '../support/crashing.ts';
import { freshDatabase } from '../support/databases.ts';
import { MASTER_KEY } from '../support/house.ts';
import { holdCeremony, publishSigned, startSignedHub, type SignedHub } from '../support/signed-hub.ts';
import { keyFor } from '../support/two-houses.ts';

/**
 * What differs in what a kill leaves behind: nothing but a line, a version that is kept, one that is in use and not reported yet.
 * The steps between are the host's, which has a test of its own for each.
 */
const written = ['verify', 'use', 'done'];
/** Until a package is kept there is nothing but the line, so one process is killed for all of these. */
const onlyLines: readonly Step[] = ['planned', 'download', 'verify', 'try'];

test(
  'what is brought in from a hub and killed on the way is there whole or not at all, and comes at once when it is tried again',
  { timeout: 120_000 },
  async () => {
    const hub = await startHubOfToday();
    const { url } = await freshDatabase('sqlite');
    const env = {
      LATCHKEY_DATA_DIR: await temporaryFolder(),
      LATCHKEY_DATABASE_URL: url,
      LATCHKEY_KEY: MASTER_KEY,
      LATCHKEY_HUB_URL: hub.origin,
    };
    await inHouse(env, (house) => believe(house, hub));

    const killedAt = (step: string): Promise<string> =>
      endOf('crashing-marketplace.ts', [step, `parcel-${step}`], env);
    for (const step of written) expect([step, await killedAt(step)]).toEqual([step, 'SIGKILL']);

    const files = new Map<Step, string[]>();
    const filesNow = (): string[] =>
      readdirSync(env.LATCHKEY_DATA_DIR, { recursive: true, encoding: 'utf8' });
    const brought = (step: Step): void => {
      if (!files.has(step)) files.set(step, filesNow());
    };
    const look = async ({ plugins, marketplace, ground: { db } }: Latchkey): Promise<void> => {
      const before = filesNow();
      const { id: left } = (await db
        .knex('marketplace_operation')
        .where({ plugin_id: 'parcel-verify' })
        .first()) as {
        id: string;
      };
      for (const step of onlyLines) {
        await db.transaction((tx) => tx.knex('marketplace_operation').where({ id: left }).update({ step }));
        expect(await marketplace.operation(system, left)).toMatchObject({
          problem: 'marketplace.interrupted',
        });
        expect((await marketplace.find(system, 'parcel-verify')).offered.underWay).toBeUndefined();
      }
      for (const step of written) {
        const plugin = `parcel-${step}`;
        const found = await plugins.find(plugin, 'en').catch(() => null);
        expect([step, found?.state ?? 'absent']).toEqual([step, stateAfter(step)]);
        const { id } = await marketplace.install(system, plugin);
        expect(await marketplace.finished(system, id)).toMatchObject({ step: 'done', problem: null });
        expect(await plugins.find(plugin, 'en')).toMatchObject({ state: 'enabled', error: null });
      }
      for (const step of onlyLines) expect([step, files.get(step)]).toEqual([step, before]);
    };
    await inHouse(env, look, { brought });
  },
);

/** Kept whole before it is put to use; in use before that is written down. */
const stateAfter = (step: string): string => ({ use: 'disabled', done: 'enabled' })[step] ?? 'absent';

/** Its papers are good for the clock of the processes that ask. */
async function startHubOfToday(): Promise<SignedHub> {
  const hub = await startSignedHub();
  hub.clock.set(Date.now());
  const files = { 'index.ts': setupWith('') };
  for (const step of written) await publishSigned(hub, `parcel-${step}`, {}, { files });
  await holdCeremony(hub);
  return hub;
}

async function believe({ domains, marketplace, reader }: Latchkey, hub: SignedHub): Promise<void> {
  await domains.network.setKey(system, await keyFor(hub));
  await domains.network.checkNow(system);
  await domains.jobs.runNow('network.trust');
  await domains.trust.confirm(system, hub.fingerprint);
  await domains.jobs.runNow('network.trust');
  await marketplace.refreshSoon(system);
  await reader.refresh();
}

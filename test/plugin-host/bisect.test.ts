import { expect, test } from 'vitest';
import { system } from '../../src/shared/actor.ts';
import { PluginBisect } from '../../src/plugin-host/index.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';
import { temporaryFolder, writePlugin } from './start-host.ts';

describeOnEachEngine('looking for the plugin at fault', (engine) => {
  test('finds it by halves, and lets everybody else run again', async () => {
    const pluginDir = await temporaryFolder();
    const added = ['alder', 'birch', 'cedar', 'elm', 'fir'];
    for (const id of added) await writePlugin(pluginDir, id);
    const { house } = await startTestApp({ engine, pluginDir });
    const { plugins, ground } = house;
    for (const id of added) await plugins.enable(system, id);
    const before = await running(house);
    const bisect = new PluginBisect({ ground, plugins });

    let shown = await bisect.take(system, 'start');
    for (let answers = 0; shown.culprit === null && answers < 5; answers += 1) {
      const isBad = (await running(house)).includes('cedar');
      shown = await new PluginBisect({ ground, plugins }).take(system, isBad ? 'bad' : 'good');
    }

    expect(shown.culprit).toBe('cedar');
    expect(await running(house)).toEqual(before.filter((id) => id !== 'cedar'));
    await expect(bisect.take(system, 'good')).rejects.toThrow('plugin.no-bisect');
  });

  test('can be given up: all that ran before runs again', async () => {
    const pluginDir = await temporaryFolder();
    await writePlugin(pluginDir, 'alder');
    const { house } = await startTestApp({ engine, pluginDir });
    await house.plugins.enable(system, 'alder');
    const before = await running(house);
    const bisect = new PluginBisect(house);

    await bisect.take(system, 'start');
    expect(await running(house)).not.toEqual(before);
    await bisect.take(system, 'stop');

    expect(await running(house)).toEqual(before);
  });
});

type House = Awaited<ReturnType<typeof startTestApp>>['house'];

const running = async ({ plugins }: House): Promise<string[]> =>
  (await plugins.list('en')).filter(({ state }) => state === 'enabled').map(({ id }) => id);

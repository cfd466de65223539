import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BootMarkers } from '../../src/plugin-host/index.ts';
import type { SafeModeFacts } from '../../src/plugin-host/safe-mode.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';
import { emptyHouse, startHost, temporaryFolder, writePlugin } from './start-host.ts';

describeOnEachEngine('safe mode that nobody asked for', (engine) => {
  test('is told by bell and mail to whoever looks after plugins, with the way back, and stands on their pages', async () => {
    const { as, given, databaseUrl } = await startTestApp({ engine });
    const owner = await given.owner();
    const someone = await given.technician();

    const safe = await startTestApp({ engine, databaseUrl, mail: true, config: { SAFE_MODE: 'crashes' } });

    const letter = await safe.mailbox.next(owner.email);
    expect(letter.subject).toContain('runs without plugins: safe mode');
    expect(letter.text).toContain('crashed six times within ten minutes');
    expect(letter.text).toContain('latchkey plugin bisect start');
    expect((await as(owner).get('/notifications')).text).toContain('runs without plugins: safe mode');
    expect((await safe.as(owner).get('/admin/plugins')).text).toContain('Safe mode.');
    expect((await safe.as(owner).get('/tickets')).text).toContain('then restart Latchkey');
    expect((await safe.as(someone).get('/tickets')).text).not.toContain('Safe mode.');
    expect((await safe.as(owner).get('/admin/hooks/costs')).text).toContain('Nobody has cost anything yet');
  });
});

test('a server that came up without plugins stays so until it is started again, and says so once', async () => {
  const { db, places } = await emptyHouse('sqlite');
  await writePlugin(places.bundled, 'hello', { manifest: { default: 'enabled' } });
  const markerFile = join(await temporaryFolder(), 'boot.json');
  const toldOfSafeMode: SafeModeFacts[] = [];
  const startInVain = (times: number): void => {
    for (let time = 0; time < times; time += 1) {
      const markers = new BootMarkers(markerFile, Date.now);
      markers.starting('here');
      if (time === 0) markers.booting('hello@1.0.0');
    }
  };
  startInVain(6);

  const { host } = await startHost({ db, places, markerFile, toldOfSafeMode });
  await expect
    .poll(async () => readFile(markerFile, 'utf8'), { timeout: 15_000 })
    .toContain('"isStarting":false');
  await host.converge();

  expect(await host.find('hello', 'en')).toMatchObject({ desired: 'enabled', state: 'safe-mode' });
  expect(toldOfSafeMode).toEqual([
    {
      reason: 'starts',
      node: 'node-1',
      suspects: [{ plugin: 'hello@1.0.0', why: expect.any(String) as string }],
    },
  ]);
  startInVain(6);
  await (await startHost({ db, places, markerFile, toldOfSafeMode })).host.stop();
  expect(toldOfSafeMode).toHaveLength(1);

  const again = await startHost({ db, places, markerFile, toldOfSafeMode });

  expect(await again.host.find('hello', 'en')).toMatchObject({ state: 'enabled' });
});

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { compose, type Latchkey } from '../../src/compose.ts';
import { processEnvironment, readConfig } from '../../src/config.ts';
import { silentLog } from '../../src/log.ts';
import { system } from '../../src/shared/actor.ts';

const [point = '', deed = '', about = ''] = process.argv.slice(2);
// To install a version has the same steps as to start the one before.
let isArmed = deed !== 'install';
let ahead = 0;
const LONGER_THAN_A_WATCH_MS = 30_000;

const deeds: Record<string, (house: Latchkey, about: string) => Promise<unknown>> = {
  install: async ({ installer }, file) => {
    const { id, version } = await installer.stage(system, readFileSync(file));
    await installer.use(system, id, version, { isWatched: false });
  },
  uninstall: ({ uninstaller }, id) => uninstaller.uninstall(system, id, 'export'),
  settle: ({ plugins }, id) => plugins.settle(system, id),
  watch: async ({ plugins }, id) => {
    ahead = LONGER_THAN_A_WATCH_MS;
    while ((await plugins.find(id, 'en')).watched !== null) await sleep(50);
  },
};

/** Does with a plugin what a server would, and is killed at the step that was asked for. */
const house = await compose(readConfig(processEnvironment()), {
  clock: { now: () => Date.now() + ahead },
  log: silentLog(),
  reached: (at) => {
    if (isArmed && at === point) process.kill(process.pid, 'SIGKILL');
  },
});
await house.open({ work: false });
isArmed = true;
await deeds[deed]?.(house, about);
await house.close();
process.exit(0);

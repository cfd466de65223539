import { readFileSync } from 'node:fs';
import { compose } from '../../src/compose.ts';
import { processEnvironment, readConfig } from '../../src/config.ts';
import { silentLog } from '../../src/log.ts';
import { system } from '../../src/shared/actor.ts';

/** Installs a package like a server would, or takes a plugin out, and is killed at the step that was asked for. */
const [point = '', file = '', going] = process.argv.slice(2);
let isArmed = false;
const house = await compose(readConfig(processEnvironment()), {
  log: silentLog(),
  reached: (at) => {
    if (isArmed && at === point) process.kill(process.pid, 'SIGKILL');
  },
});
await house.open({ work: false });
isArmed = true;
if (going === undefined) {
  const { id, version } = await house.installer.stage(system, readFileSync(file));
  await house.installer.use(system, id, version, { isWatched: false });
} else {
  await house.uninstaller.uninstall(system, going, 'export');
}
await house.close();
process.exit(0);

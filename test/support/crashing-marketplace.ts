import { compose } from '../../src/compose.ts';
import { processEnvironment, readConfig } from '../../src/config.ts';
import { silentLog } from '../../src/log.ts';
import { system } from '../../src/shared/actor.ts';

/** Brings plugins in from a hub like a server would, and is killed once the step that was asked for is written down. */
const [step = '', plugin = ''] = process.argv.slice(2);
const house = await compose(readConfig(processEnvironment()), {
  log: silentLog(),
  brought: (at) => {
    if (at === step) process.kill(process.pid, 'SIGKILL');
  },
});
await house.open({ work: false });
const { id } = await house.marketplace.install(system, plugin);
await house.marketplace.finished(system, id);
await house.close();
process.exit(0);

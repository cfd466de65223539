import { composeGround } from '../../src/compose-ground.ts';
import { processEnvironment, readConfig } from '../../src/config.ts';
import { silentLog } from '../../src/log.ts';

/** Gives the house a new master key, and is killed at the step that was asked for. */
const [step = ''] = process.argv.slice(2);
const { keys } = await composeGround(readConfig(processEnvironment()), { log: silentLog() });
await keys.rotate((at) => {
  if (at === step) process.kill(process.pid, 'SIGKILL');
});
process.exit(0);

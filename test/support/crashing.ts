import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { compose, type Latchkey } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { silentLog } from '../../src/log.ts';

type Env = Record<string, string>;

/** How a process that runs this script of ours ended: the name of a signal, or its code. */
export async function endOf(
  script: `crashing-${string}.ts`,
  words: readonly string[],
  env: Env,
): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...words], {
    env: { ...env, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return signal ?? String(code);
}

/** The house as it is found after a crash, for as long as `work` takes. */
export async function inHouse(
  env: Env,
  work: (house: Latchkey) => Promise<unknown>,
  options: Parameters<typeof compose>[1] = {},
): Promise<void> {
  const house = await compose(readConfig(env), { log: silentLog(), ...options });
  try {
    await house.open({ work: false });
    await work(house);
  } finally {
    await house.close();
  }
}

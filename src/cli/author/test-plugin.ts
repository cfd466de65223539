import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NotFoundError, UnavailableError } from '../../shared/errors.ts';

const config = fileURLToPath(new URL('../../plugin-test/vitest.config.ts', import.meta.url));

/** Runs a plugin's tests and answers how they ended. */
export async function testPlugin(folder: string): Promise<number> {
  if (!existsSync(join(folder, 'plugin.json')))
    throw new NotFoundError('author.no-plugin', { params: { folder } });
  const child = spawn(process.execPath, [vitest(), 'run', '--config', config, '--root', folder], {
    stdio: 'inherit',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

/** A server is installed without it. */
function vitest(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  } catch (cause) {
    throw new UnavailableError('author.no-vitest', { cause });
  }
}

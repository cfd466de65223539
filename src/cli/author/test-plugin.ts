import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NotFoundError, UnavailableError } from '../../shared/errors.ts';

const ownTests = fileURLToPath(new URL('../../plugin-test/vitest.config.ts', import.meta.url));
const torturing = fileURLToPath(new URL('../../plugin-test/torture.config.ts', import.meta.url));

/** Runs a plugin's own tests, or with `torture` (how often it is switched on and off) ours against it, and answers how they ended. */
export async function testPlugin(folder: string, { torture }: { torture?: number } = {}): Promise<number> {
  if (!existsSync(join(folder, 'plugin.json')))
    throw new NotFoundError('author.no-plugin', { params: { folder } });
  const ours = ['--config', torturing, '--root', dirname(torturing), '--reporter', 'verbose'];
  const own = ['--config', ownTests, '--root', folder];
  const child =
    torture === undefined
      ? spawn(process.execPath, [vitest(), 'run', ...own], { stdio: 'inherit' })
      : spawn(process.execPath, [vitest(), 'run', ...ours], {
          stdio: 'inherit',
          env: { LATCHKEY_TORTURED: folder, LATCHKEY_TORTURE_CYCLES: String(torture) },
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

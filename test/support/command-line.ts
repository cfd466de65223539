import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');

/** Runs `latchkey <words>` in a process of its own and reads the JSON it prints. */
export async function latchkey(words: readonly string[], env: Record<string, string>): Promise<unknown> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(LATCHKEY_|VITEST|NODE_OPTIONS)/.test(name),
  );
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(ROOT, 'src/cli.ts'), ...words, '--json'],
    {
      env: { ...Object.fromEntries(inherited), ...env },
    },
  );
  return JSON.parse(stdout);
}

import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const latchkey = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Lets an editor find our types and the schema of `plugin.json` from a plugin's folder, and `npx latchkey` this Latchkey; what is there
 * already stays. A convenience, and nothing that runs needs it: where it cannot be made, nobody is stopped.
 */
export async function linkLatchkey(folder: string): Promise<void> {
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '.bin'), { recursive: true }).catch(nobodyIsStopped);
  await symlink(latchkey, join(modules, 'latchkey'), 'junction').catch(nobodyIsStopped);
  await writeCommand(join(modules, '.bin/latchkey')).catch(nobodyIsStopped);
}

/** Each time anew: which Node.js runs us may have changed. */
async function writeCommand(path: string): Promise<void> {
  const inQuotes = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const words = [process.execPath, join(latchkey, 'src/cli.ts')].map(inQuotes).join(' ');
  await writeFile(`${path}.new`, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  await rename(`${path}.new`, path);
}

const nobodyIsStopped = (): void => undefined;

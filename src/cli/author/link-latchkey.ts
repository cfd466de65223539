import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const latchkey = fileURLToPath(new URL('../../..', import.meta.url));

/** Lets an editor find our types and the schema of `plugin.json` from a plugin's folder; what is there already stays. */
export async function linkLatchkey(folder: string): Promise<void> {
  const link = join(folder, 'node_modules/latchkey');
  try {
    await mkdir(dirname(link), { recursive: true });
    await symlink(latchkey, link, 'junction');
  } catch {
    // It is there, or cannot be made here: a convenience, and nothing that runs needs it.
  }
}

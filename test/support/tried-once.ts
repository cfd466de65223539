import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Preflight, RunPreflight } from '../../src/plugin-host/index.ts';

const tried = new Map<string, Preflight>();

/**
 * To try a package starts a process with a house of its own, and whether its files start among these neighbours is the same each time:
 * they are tried once, unless they have changed themselves. What is refused is tried each time.
 */
export const triedOnce =
  (preflight: RunPreflight): RunPreflight =>
  async (folder, id) => {
    const neighbours = await namesIn(dirname(dirname(folder)));
    const look = async (): Promise<string> => `${neighbours} ${await digestOf(folder)}`;
    const before = await look();
    const known = tried.get(before);
    if (known) return known;
    const result = await preflight(folder, id);
    if ((await look()) === before) tried.set(before, result);
    return result;
  };

const namesIn = async (place: string): Promise<string> => (await readdir(place)).sort().join();

async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  for (const file of files.sort()) hash.update(file.slice(folder.length)).update(await readFile(file));
  return hash.digest('hex');
}

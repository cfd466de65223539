import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Looked } from './doctor.ts';

const ENOUGH_BYTES = 120 * 1024 * 1024;

/** Whether packages could be unpacked there: writes, renames, and looks how much is free. */
export async function lookAtFolder(folder: string, { enough = ENOUGH_BYTES } = {}): Promise<Looked> {
  const draft = join(folder, `.doctor-${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(draft, 'x', { flag: 'wx' });
    await rename(draft, `${draft}.moved`);
    await rm(`${draft}.moved`);
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const facts = { folder, free: `${String(Math.round(free / 1024 / 1024))} MB` };
    return free < enough ? { state: 'problem', problem: 'F02', facts } : { facts };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return { state: 'problem', problem: code === 'ENOSPC' ? 'F02' : 'F01', facts: { folder, code } };
  }
}

/** A plugin that is here and does not fit this Latchkey. */
export interface Misfit {
  id: string;
  version: string;
}

export const lookAtPlugins = (misfits: readonly Misfit[]): Looked =>
  misfits.length === 0
    ? {}
    : {
        state: 'warning',
        problem: 'V01',
        facts: { plugins: misfits.map(({ id, version }) => `${id} ${version}`).join(', ') },
      };

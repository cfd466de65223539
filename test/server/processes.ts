import { spawn } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';
import { afterwards } from '../support/cleanup.ts';

const ROOT = join(import.meta.dirname, '../..');

export const newDataDir = (): Promise<string> => mkdtemp(join(inject('folder'), 'server-'));

/** `npm start` where it is not going to work: runs until it gives up. */
export async function startInVain(
  env: Record<string, string>,
): Promise<{ code: number | null; said: string }> {
  const ours = /^(LATCHKEY_|VITEST|NODE_OPTIONS)/;
  const inherited = Object.entries(process.env).filter(([name]) => !ours.test(name));
  const child = spawn(process.execPath, [join(ROOT, 'src/main.ts')], {
    env: { ...Object.fromEntries(inherited), LATCHKEY_DATA_DIR: await newDataDir(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  afterwards(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, said: `${out}${err}` };
}

/** The server process under a supervisor. */
export async function serverUnder(supervisor: number): Promise<number> {
  const children = await readFile(`/proc/${String(supervisor)}/task/${String(supervisor)}/children`, 'utf8');
  const [pid] = children
    .trim()
    .split(' ')
    .filter((word) => word !== '')
    .map(Number);
  if (pid === undefined) throw new Error('The supervisor has no server at this moment');
  return pid;
}

export async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8').catch(() => '');
  return status !== '' && !/^State:\s+Z/m.test(status);
}

/** Null while nobody answers. */
export async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number | null> {
  try {
    const answer = await fetch(url, { headers, redirect: 'manual' });
    await answer.text();
    return answer.status;
  } catch {
    return null;
  }
}

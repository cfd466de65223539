import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..');

/** Runs a program of ours to its end and reads the JSON it prints. */
export async function runProgram(
  script: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, script), ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout);
}

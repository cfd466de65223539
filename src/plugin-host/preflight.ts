import { fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { z } from 'zod';
import { InvalidInputError } from '../shared/errors.ts';

const report = z.object({
  /** Why it does not start, where it does not. */
  problem: z.string().nullable(),
  /** What was left of it after it had been disabled. */
  leftovers: z.array(z.string()),
  migrations: z.array(z.object({ name: z.string(), isLater: z.boolean(), statements: z.array(z.string()) })),
});
export type Preflight = z.output<typeof report>;

/** Starts a plugin out of a folder somewhere else, and says how that went. */
export type RunPreflight = (folder: string, id: string) => Promise<Preflight>;

const LIMIT_MS = 45_000;
const HEAP_MB = 512;

/**
 * In a process of its own, on an empty house of its own, with nothing of our environment: a loop without end, an exit or all memory taken
 * end that process and not this one.
 */
export const preflightIn =
  ({ script, added }: { script: string; added: string }): RunPreflight =>
  async (folder, id) => {
    const child = fork(script, [folder, id, added], {
      env: compileCache(),
      execArgv: [`--max-old-space-size=${String(HEAP_MB)}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    let said: unknown;
    child.on('message', (message) => {
      said = message;
    });
    const end = await new Promise<string>((resolve) => {
      child.once('error', (error) => {
        resolve(error.message);
      });
      child.once('exit', (code, signal) => {
        resolve(signal ?? `code ${String(code)}`);
      });
    });
    clearTimeout(timer);
    const parsed = report.safeParse(said);
    if (!parsed.success) throw failedPreflight(`It ended the process that tried it (${end})`);
    if (parsed.data.problem !== null) throw failedPreflight(parsed.data.problem);
    return parsed.data;
  };

/** What this process has compiled, that one need not compile again; nothing else of our environment is its business. */
function compileCache(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}

const failedPreflight = (problem: string): InvalidInputError =>
  new InvalidInputError('plugin.preflight-failed', { params: { problem } });

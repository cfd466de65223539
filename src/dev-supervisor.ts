import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Environment } from './config.ts';

const script = fileURLToPath(new URL('dev.ts', import.meta.url));
const PAUSE_MS = 500;
const LAST_GRACE_MS = 10_000;

interface Wanted {
  folder: string;
  port: number;
  env: Environment;
  say: (line: string) => void;
}

/** Runs the helpdesk of a plugin's author, and starts it again when the plugin has ended it, as the server's supervisor does. */
export async function superviseDevelopment({ folder, port, env, say }: Wanted): Promise<number> {
  let listensAt = 0;
  const wish = { toStop: false };
  for (;;) {
    const child = fork(script, [folder, String(listensAt || port)], { env: { ...env } });
    child.on('message', (message) => {
      listensAt = (message as { port: number }).port;
    });
    const stop = (): void => {
      wish.toStop = true;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), LAST_GRACE_MS).unref();
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    process.off('SIGTERM', stop).off('SIGINT', stop);
    if (wish.toStop || listensAt === 0 || code === 0) return code ?? 0;
    say(`✗ The helpdesk was ended (${signal ?? `code ${String(code)}`}) and is started again.`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

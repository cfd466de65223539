import { fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { EXIT_CONFIG, processEnvironment, type Environment } from './config.ts';

/**
 * The supervisor: starts the server in a process of its own and starts it again when it crashes. No plugin code runs here.
 * A plugin that crashes the server at its start is set aside by the plugin host after three times; should that not be enough,
 * the server comes up in safe mode, without any plugin.
 */
const CRASHES_BEFORE_SAFE_MODE = 6;
const CRASH_WINDOW_MS = 10 * 60_000;
const PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;
const LAST_GRACE_MS = 40_000;
/** sysexits.h: EX_UNAVAILABLE. The server says why and trying again at once would not help. */
const EXIT_UNAVAILABLE = 69;

const serverFile = fileURLToPath(new URL('server.ts', import.meta.url));
const crashes: number[] = [];
let isStopping = false;
let port: string | undefined;
let child = start();

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (isStopping) return;
    isStopping = true;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), LAST_GRACE_MS).unref();
  });
}

function start(): ChildProcess {
  const server = fork(serverFile, process.argv.slice(2), { env: environmentOfServer(processEnvironment()) });
  server.on('message', (message) => {
    port = portFrom(message) ?? port;
  });
  server.on('exit', (code, signal) => {
    const isFinal = isStopping || code === 0 || code === EXIT_CONFIG || code === EXIT_UNAVAILABLE;
    if (isFinal) process.exit(code ?? (signal === null ? 0 : 1));
    afterCrash(code, signal);
  });
  return server;
}

function afterCrash(code: number | null, signal: string | null): void {
  crashes.push(Date.now());
  const how = signal ?? `code ${String(code)}`;
  console.error(`Latchkey's server process ended unexpectedly (${how}); starting it again.`);
  setTimeout(() => {
    if (!isStopping) child = start();
  }, pauseAfter(recentCrashes()));
}

/** Quick at first; what crashes even in safe mode is tried ever more seldom. */
function pauseAfter(count: number): number {
  return Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** Math.max(0, count - CRASHES_BEFORE_SAFE_MODE));
}

function recentCrashes(): number {
  return crashes.filter((at) => Date.now() - at < CRASH_WINDOW_MS).length;
}

function environmentOfServer(env: Environment): NodeJS.ProcessEnv {
  return {
    ...env,
    // argon2 shares libuv's threads with files and DNS; hashing must not starve those.
    UV_THREADPOOL_SIZE: env['UV_THREADPOOL_SIZE'] ?? String(availableParallelism() + 4),
    ...(port === undefined ? {} : { LATCHKEY_PORT: port }),
    ...(process.argv.includes('--safe-mode') ? { LATCHKEY_SAFE_MODE: '1' } : {}),
    ...(recentCrashes() >= CRASHES_BEFORE_SAFE_MODE ? { LATCHKEY_SAFE_MODE: 'crashes' } : {}),
  };
}

const portFrom = (message: unknown): string | undefined =>
  typeof message === 'object' && message !== null && 'port' in message ? String(message.port) : undefined;

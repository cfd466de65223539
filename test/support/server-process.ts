import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

const ROOT = join(import.meta.dirname, '../..');
const READY_WITHIN_MS = 30_000;
const STOPS_WITHIN_MS = 20_000;
const LINES_TOLD = 30;

/** Nothing is left running, however this process ends. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) signalGroup(child, 'SIGKILL');
});

export interface ServerOptions {
  /** As in LATCHKEY_DATABASE_URL; without it SQLite in the data folder. */
  databaseUrl?: string;
  /** Shared by the nodes of one installation: the key file is in it. */
  dataDir: string;
  env?: Record<string, string>;
  /** Another program that says `ready at <url>`. */
  script?: string;
  args?: readonly string[];
  /** Where its lines are kept when it is gone. */
  logFile?: string;
}

export interface TestServer {
  readonly url: string;
  /** `…/setup/<token>` while there is no owner. */
  readonly ownerLink: string | null;
  readonly dataDir: string;
  readonly pid: number;
  /** What it wrote so far, line by line. */
  readonly logs: readonly string[];
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>;
  /** As if the power had gone: the supervisor and the server under it, no goodbye. */
  kill9(): Promise<void>;
  /** SIGSTOP to both: connections stay open and nobody answers. */
  freeze(): void;
  thaw(): void;
  /** Waits for a line of the log. */
  says(pattern: RegExp): Promise<string>;
}

/** `src/main.ts` in a process of its own, on a free port, once it is ready for requests. */
export async function spawnServer(options: ServerOptions): Promise<TestServer> {
  const { dataDir, script = 'src/main.ts', args = [], logFile } = options;
  const child = spawn(process.execPath, [join(ROOT, script), ...args], {
    cwd: dataDir,
    // A group of its own, so that kill -9 reaches the supervisor and what it started in one go.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(options),
  });
  running.add(child);
  const listeners = new Set<(line: string) => void>();
  const output = new Output((line) => {
    if (logFile !== undefined) appendFileSync(logFile, `${line}\n`);
    for (const listener of listeners) listener(line);
  });
  for (const stream of [child.stdout, child.stderr]) {
    const take = output.from();
    stream.on('data', (portion: Buffer) => {
      take(portion);
      // Nobody waits for a line: what is measured is the server, and not how quick its lines are told apart.
      if (logFile !== undefined || listeners.size > 0) output.lines();
    });
  }
  const says = (pattern: RegExp): Promise<string> => lineMatching({ child, output, listeners, pattern });
  try {
    const ready = await says(/ready at \S+/);
    return {
      url: /ready at (\S+)/.exec(ready)?.[1] ?? '',
      get ownerLink() {
        return /Owner link: (\S+)/.exec(output.lines().join('\n'))?.[1] ?? null;
      },
      dataDir,
      pid: child.pid ?? 0,
      get logs() {
        return output.lines();
      },
      says,
      stop: () => stop(child),
      kill9: () => killGroup(child),
      freeze: () => {
        signalGroup(child, 'SIGSTOP');
      },
      thaw: () => {
        signalGroup(child, 'SIGCONT');
      },
    };
  } catch (error) {
    await killGroup(child);
    throw error;
  }
}

function environment({ databaseUrl, dataDir, env }: ServerOptions): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(LATCHKEY_|VITEST|NODE_OPTIONS)/.test(name),
  );
  return {
    ...Object.fromEntries(inherited),
    NODE_ENV: 'production',
    LATCHKEY_PORT: '0',
    LATCHKEY_HOST: '127.0.0.1',
    LATCHKEY_DATA_DIR: dataDir,
    ...(databaseUrl === undefined ? {} : { LATCHKEY_DATABASE_URL: databaseUrl }),
    ...env,
  };
}

/** What a process has written, told apart line by line when somebody looks. */
class Output {
  readonly #tell: (line: string) => void;
  readonly #lines: string[] = [];
  readonly #waiting: { portion: Buffer; into: { rest: string; decoder: StringDecoder } }[] = [];

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  /** For one of its streams. */
  from(): (portion: Buffer) => void {
    const into = { rest: '', decoder: new StringDecoder('utf8') };
    return (portion) => {
      this.#waiting.push({ portion, into });
    };
  }

  lines(): readonly string[] {
    for (const { portion, into } of this.#waiting.splice(0)) {
      const parts = (into.rest + into.decoder.write(portion)).split('\n');
      into.rest = parts.pop() ?? '';
      for (const line of parts) {
        this.#lines.push(line);
        this.#tell(line);
      }
    }
    return this.#lines;
  }
}

interface Watched {
  child: ChildProcess;
  output: Output;
  listeners: Set<(line: string) => void>;
  pattern: RegExp;
}

function lineMatching({ child, output, listeners, pattern }: Watched): Promise<string> {
  const said = output.lines().find((line) => pattern.test(line));
  if (said !== undefined) return Promise.resolve(said);
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      listeners.delete(hear);
      child.off('exit', leave);
      finish();
    };
    const fail = (why: string): void => {
      settle(() => {
        reject(
          new Error(
            `${why} before it said ${String(pattern)}:\n${output.lines().slice(-LINES_TOLD).join('\n')}`,
          ),
        );
      });
    };
    const hear = (line: string): void => {
      if (pattern.test(line))
        settle(() => {
          resolve(line);
        });
    };
    const leave = (): void => {
      fail('The server ended');
    };
    const timer = setTimeout(() => {
      fail('Time ran out');
    }, READY_WITHIN_MS);
    listeners.add(hear);
    child.once('exit', leave);
  });
}

async function stop(child: ChildProcess): Promise<number | null> {
  if (hasEnded(child)) return child.exitCode;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const impatience = setTimeout(() => void killGroup(child), STOPS_WITHIN_MS);
  await ended;
  clearTimeout(impatience);
  return child.exitCode;
}

async function killGroup(child: ChildProcess): Promise<void> {
  const ended = hasEnded(child) ? null : once(child, 'exit');
  signalGroup(child, 'SIGKILL');
  running.delete(child);
  await ended;
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { freePort } from './ports.ts';
import { findProgram } from './programs.ts';

const START_WITHIN_MS = 30_000;

/** Nothing here outlives the run, so nothing is worth waiting for the disk. */
const CARELESS = [
  '--innodb-flush-method=nosync',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-doublewrite=OFF',
];

export const SMALL = [
  '--innodb-log-file-size=32M',
  '--innodb-buffer-pool-size=256M',
  '--innodb-stats-auto-recalc=OFF',
  '--skip-log-bin',
  '--skip-name-resolve',
  '--performance-schema=OFF',
  '--max-connections=600',
];

export interface MariaDb {
  /** `mysql://root@127.0.0.1:<port>`, without a schema. */
  url: string;
  stop(): Promise<void>;
}

export const mariadbIsInstalled = (): boolean => mariadbd() !== null && installer() !== null;

/** A MariaDB of our own in a folder of our own; `durable` waits for the disk at each commit, as in production. */
export async function startMariaDb(folder: string, { durable = false } = {}): Promise<MariaDb> {
  const port = await freePort();
  await installData(folder);
  const server = spawn(
    mariadbd() ?? '',
    [
      ...inFolder(folder),
      ...SMALL,
      ...(durable ? [] : CARELESS),
      '--bind-address=127.0.0.1',
      `--port=${String(port)}`,
      `--socket=${join(folder, 'socket')}`,
    ],
    { stdio: 'ignore', env: environmentIn(folder) },
  );
  process.once('exit', () => server.kill('SIGKILL'));
  const url = `mysql://root@127.0.0.1:${String(port)}`;
  await untilItAnswers(url, server);
  return { url, stop: () => stop(server) };
}

/** The tables a server needs before its first start, in `<folder>/data`. */
export async function installData(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await promisify(execFile)(
    installer() ?? '',
    [
      ...inFolder(folder),
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--innodb-log-file-size=32M',
    ],
    { env: environmentIn(folder) },
  );
}

export const inFolder = (folder: string, account = userInfo().username): string[] => [
  '--no-defaults',
  `--datadir=${join(folder, 'data')}`,
  `--user=${account}`,
];

/** Two installations side by side would give their temporary tables the same names in /tmp. */
export const environmentIn = (folder: string): NodeJS.ProcessEnv => ({ ...process.env, TMPDIR: folder });

export const mariadbd = (): string | null => findProgram('mariadbd', 'mysqld');
const installer = (): string | null => findProgram('mariadb-install-db', 'mysql_install_db');

async function untilItAnswers(url: string, server: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_WITHIN_MS;
  while (server.exitCode === null && Date.now() < deadline) {
    try {
      const connection = await mysql.createConnection(url);
      await connection.end();
      return;
    } catch {
      await sleep(50);
    }
  }
  server.kill('SIGKILL');
  throw new Error('MariaDB did not start');
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  server.kill('SIGKILL');
  await once(server, 'exit');
}

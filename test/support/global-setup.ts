import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { missing } from './loud.ts';
import { mariadbIsInstalled, startMariaDb, type MariaDb } from './mariadb.ts';
import { dropSchemas } from './mysql-schemas.ts';
import { makeLogFolder, secretsInLogs } from './run-logs.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder for this run, removed afterwards. */
    folder: string;
    engines: readonly ('sqlite' | 'mysql')[];
    /** The server the schemas are made on; null without MariaDB. */
    mysqlUrl: string | null;
    /** Why no house could be furnished; null when it could, as it should. */
    fault: string | null;
  }
}

interface Ground {
  folder: string;
  mysqlUrl: string | null;
  fault: string | null;
  leave: () => Promise<void>;
}

let ground: Promise<Ground> | null = null;

/** Called once for each project of a run; what it prepares is shared. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  ground ??= prepare();
  const { folder, mysqlUrl, fault, leave } = await ground;
  project.provide('folder', folder);
  project.provide('mysqlUrl', mysqlUrl);
  project.provide('fault', fault);
  project.provide('engines', mysqlUrl === null ? ['sqlite'] : ['sqlite', 'mysql']);
  return leave;
}

async function prepare(): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
  await makeLogFolder(folder);
  // Hundreds of processes are begun in a run; the second one need not compile what the first one has.
  process.env['NODE_COMPILE_CACHE'] ??= join(folder, 'compiled');
  const { url, own } = await findMysql(folder);
  const fault = await faultOf(async () => {
    const { prepareTemplates } = await import('./database-templates.ts');
    await prepareTemplates({ folder, mysqlUrl: url });
  });
  const leave = async (): Promise<void> => {
    if (own) await own.stop();
    else await dropSchemas({ folder, mysqlUrl: url });
    const told = await secretsInLogs(folder);
    await rm(folder, { recursive: true, force: true });
    if (told.length > 0) throw new Error(`Servers of this run have told secrets:\n${told.join('\n')}`);
  };
  return { folder, mysqlUrl: url, fault, leave };
}

/** Tests that need no house can still run, and those that do say what is wrong with it. */
async function faultOf(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

async function findMysql(folder: string): Promise<{ url: string | null; own?: MariaDb }> {
  const { LATCHKEY_TEST_ENGINES: only, LATCHKEY_TEST_MYSQL_URL: given } = process.env;
  if (only === 'sqlite') return { url: null };
  if (given) return { url: given };
  if (!mariadbIsInstalled()) {
    missing(
      'MariaDB is not installed: every test on it is SKIPPED.',
      'Install mariadb-server, or set LATCHKEY_TEST_MYSQL_URL=mysql://user:password@host:port',
    );
    return { url: null };
  }
  const own = await startMariaDb(join(folder, 'mariadb'));
  return { url: own.url, own };
}

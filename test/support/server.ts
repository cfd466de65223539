import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { afterwards } from './cleanup.ts';
import { newLogFile } from './run-logs.ts';
import { spawnServer, type ServerOptions, type TestServer } from './server-process.ts';

/** The real thing, in a data folder of its own unless one is given; killed when the test ends. */
export async function startServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(inject('folder'), 'data-')));
  const server = await spawnServer({ ...options, dataDir, logFile: newLogFile(inject('folder')) });
  afterwards(() => server.kill9());
  return server;
}

import { composeServer } from './compose.ts';
import { ConfigError, EXIT_CONFIG, processEnvironment, readConfig } from './config.ts';
import { KnownError } from './shared/errors.ts';

/** sysexits.h: EX_UNAVAILABLE. */
const EXIT_UNAVAILABLE = 69;

/** One server process: composes, listens, says so, and stops in reverse on SIGTERM or when its supervisor is gone. */
async function run(): Promise<void> {
  const server = await composeServer(readConfig(processEnvironment()));
  const { url, port, ownerLink } = await server.start();
  process.send?.({ port });
  console.log(`Latchkey is ready at ${url}`);
  if (ownerLink !== null) {
    console.log(`Owner link: ${ownerLink}`);
    console.log(
      'Open it in a browser within 60 minutes to set up Latchkey. It works once; each start prints a new one.',
    );
  }
  const stop = (): void => {
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', () => undefined); // Ctrl-C reaches the whole group; the supervisor passes it on as SIGTERM.
  process.once('disconnect', stop);
}

run().catch((error: unknown) => {
  if (error instanceof ConfigError) {
    console.error(error.message);
    process.exit(EXIT_CONFIG);
  }
  console.error(error instanceof KnownError ? `${error.message}: ${String(error.cause)}` : error);
  process.exit(isOutOfReach(error) ? EXIT_UNAVAILABLE : 1);
});

/** The database refuses or the port is taken: for whoever started it to mend. */
function isOutOfReach(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return [
    'EADDRINUSE',
    'EACCES',
    'ECONNREFUSED',
    'ENOTFOUND',
    'ETIMEDOUT',
    'ER_ACCESS_DENIED_ERROR',
    'ER_BAD_DB_ERROR',
  ].includes(code);
}

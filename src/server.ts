import { exitCodes, isOutOfReach } from './cli/exit-codes.ts';
import { composeServer } from './compose.ts';
import { ConfigError, processEnvironment, readConfig } from './config.ts';
import { KnownError } from './shared/errors.ts';

/** One server process: composes, listens, says so, and stops in reverse on SIGTERM or when its supervisor is gone. */
async function run(): Promise<void> {
  const server = await composeServer(readConfig(processEnvironment()));
  // An unhandled rejection comes here as well.
  process.on('uncaughtException', (error) => {
    if (server.takeBlame(error)) return;
    console.error(error);
    process.exit(1);
  });
  const { url, port, ownerLink } = await server.start();
  process.send?.({ port });
  console.log([`Latchkey is ready at ${url}`, ...linesAbout(ownerLink)].join('\n'));
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

/** Printed in one piece with the address, so that whoever waits for the one has the other. */
const linesAbout = (ownerLink: string | null): string[] =>
  ownerLink === null
    ? []
    : [
        `Owner link: ${ownerLink}`,
        'Open it in a browser within 60 minutes to set up Latchkey. It works once; each start prints a new one.',
      ];

run().catch((error: unknown) => {
  if (error instanceof ConfigError) {
    console.error(error.message);
    process.exit(exitCodes.config);
  }
  console.error(lastWords(error));
  process.exit(isOutOfReach(error) ? exitCodes.unavailable : exitCodes.failed);
});

/** What whoever started it can mend needs a sentence; what nobody foresaw needs its trace. */
function lastWords(error: unknown): unknown {
  if (error instanceof KnownError) return `${error.message}: ${String(error.cause)}`;
  if (error instanceof Error && isOutOfReach(error)) return `Latchkey cannot start: ${error.message}`;
  return error;
}

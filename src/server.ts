import { exitCodes, isOutOfReach } from './cli/exit-codes.ts';
import { composeServer } from './compose.ts';
import { ConfigError, processEnvironment, readConfig } from './config.ts';
import { keepProcess } from './plugin-host/index.ts';
import { KnownError } from './shared/errors.ts';
import { careForUncaught } from './uncaught.ts';

let takeBlame: (error: unknown, ending?: { endsProcess: boolean }) => boolean = () => false;
const exit = keepProcess((attempt) => takeBlame(attempt));

/** One server process: composes, listens, says so, and stops in reverse on SIGTERM or when its supervisor is gone. */
async function run(): Promise<void> {
  const server = await composeServer(readConfig(processEnvironment()));
  takeBlame = (error, ending) => server.takeBlame(error, ending);
  let isStopping = false;
  const stop = (code: number): void => {
    if (isStopping) return;
    isStopping = true;
    server.stop().then(
      () => exit(code),
      (error: unknown) => {
        console.error(error);
        exit(1);
      },
    );
  };
  careForUncaught({
    takeBlame: (error, ending) => takeBlame(error, ending),
    stop: () => {
      stop(1);
    },
    exit,
  });
  const { url, port, ownerLink } = await server.start();
  process.send?.({ port });
  console.log([`Latchkey is ready at ${url}`, ...linesAbout(ownerLink)].join('\n'));
  process.once('SIGTERM', () => {
    stop(0);
  });
  process.once('SIGINT', () => undefined); // Ctrl-C reaches the whole group; the supervisor passes it on as SIGTERM.
  process.once('disconnect', () => {
    stop(0);
  });
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
    exit(exitCodes.config);
  }
  console.error(lastWords(error));
  exit(isOutOfReach(error) ? exitCodes.unavailable : exitCodes.failed);
});

/** What whoever started it can mend needs a sentence; what nobody foresaw needs its trace. */
function lastWords(error: unknown): unknown {
  if (error instanceof KnownError) return `${error.message}: ${String(error.cause)}`;
  if (error instanceof Error && isOutOfReach(error)) return `Latchkey cannot start: ${error.message}`;
  return error;
}

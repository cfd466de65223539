import { explained } from './cli/terminal.ts';
import { surface } from './compose-author.ts';
import { developPlugin, devOthers, devOwner } from './compose-dev.ts';
import { folders } from './compose-ground.ts';
import { keepProcess } from './plugin-host/index.ts';
import { KnownError } from './shared/errors.ts';
import { careForUncaught } from './uncaught.ts';
import { I18n } from './views/index.ts';

const [folder = '.', port = '0'] = process.argv.slice(2);
const say = (line: string): void => {
  console.log(line);
};
let takeBlame: Parameters<typeof careForUncaught>[0]['takeBlame'] = () => false;
const exit = keepProcess((attempt) => takeBlame(attempt, { endsProcess: false }));

/** The helpdesk of `latchkey plugin dev`, in a process that a plugin may end: whoever started it starts it again. */
async function run(): Promise<void> {
  const helpdesk = await developPlugin({
    folder,
    port: Number(port),
    surface,
    say,
    supervisor: (facts) => process.send?.(facts),
  });
  takeBlame = helpdesk.takeBlame;
  const stop = (code: number): void => {
    helpdesk.close().then(
      () => exit(code),
      () => exit(1),
    );
  };
  careForUncaught({
    takeBlame: (error, ending) => takeBlame(error, ending),
    stop: () => {
      stop(1);
    },
    exit,
  });
  const others = devOthers.map(({ email }) => email).join(' or ');
  say(`Open ${helpdesk.url} and sign in as ${devOwner.email}, password “${devOwner.password}”.`);
  say(`With the rights of others, and the same password: ${others}.`);
  process.once('SIGTERM', () => {
    stop(0);
  });
  process.once('SIGINT', () => undefined); // Ctrl-C reaches both; the supervisor passes it on as SIGTERM.
  process.once('disconnect', () => {
    stop(0);
  });
}

run().catch((error: unknown) => {
  const words = new I18n({ directory: folders.locales });
  console.error(error instanceof KnownError ? explained(error, words) : error);
  exit(1);
});

#!/usr/bin/env node
import { configCommands } from './cli/config-commands.ts';
import { exitCodes, type Command } from './cli/command.ts';
import { runProgram } from './cli/program.ts';
import { coreCommands } from './compose-commands.ts';
import { compose, type Latchkey } from './compose.ts';
import { ConfigError, processEnvironment, readConfig } from './config.ts';
import { silentLog } from './log.ts';
import type { KnownError } from './shared/errors.ts';

/** `latchkey <command>`. Works on the database directly, so also while the server does not run. */
async function run(argv: readonly string[]): Promise<number> {
  const env = processEnvironment();
  if (argv[0] === 'serve') {
    await import('./main.ts');
    return new Promise<number>(() => undefined);
  }
  if (argv[0] === 'config') return runProgram(configCommands(env), argv, outputFor(null));

  const latchkey = await compose(readConfig(env), { log: silentLog(), isPasserBy: true });
  try {
    await latchkey.open({ work: false });
    let hasProblem = false;
    const onProblem = (): void => {
      hasProblem = true;
    };
    const commands: Command[] = [
      ...coreCommands(latchkey, { onProblem }),
      ...latchkey.commands.all(),
      serveHint,
      ...configCommands(env),
    ];
    const code = await runProgram(commands, argv, outputFor(latchkey));
    return hasProblem ? exitCodes.failed : code;
  } finally {
    await latchkey.close();
  }
}

/** Listed by `--help`; run above, before anything is opened. */
const serveHint: Command = {
  name: 'serve',
  summary: 'Runs the server, as `npm start` does',
  run: () => Promise.resolve(),
};

const outputFor = (latchkey: Latchkey | null): Parameters<typeof runProgram>[2] => ({
  out: (text) => {
    process.stdout.write(`${text}\n`);
  },
  error: (text) => {
    process.stderr.write(`${text}\n`);
  },
  explain: (error) => explanation(error, latchkey),
});

function explanation(error: KnownError, latchkey: Latchkey | null): string {
  const t = (code: string, params: Record<string, string | number>): string =>
    latchkey?.ground.i18n.translate('en', `errors.${code}`, params) ?? code;
  const fields = error.fields.map(({ field, code, params }) => `  ${field}: ${t(code, params ?? {})}`);
  return [t(error.code, error.params), ...fields].join('\n');
}

run(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof ConfigError) {
      console.error(error.message);
      process.exit(exitCodes.config);
    }
    console.error(error instanceof Error ? `${error.name}: ${error.message}` : error);
    process.exit(exitCodes.failed);
  },
);

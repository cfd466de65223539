#!/usr/bin/env node
import { execFile } from 'node:child_process';
import { configCommands } from './cli/config-commands.ts';
import type { Command } from './cli/command.ts';
import { exitCodeOf, exitCodes, isOutOfReach } from './cli/exit-codes.ts';
import { secretDoctor } from './cli/key-commands.ts';
import { pluginAnswers } from './cli/plugin-checks.ts';
import { runProgram } from './cli/program.ts';
import { explained, terminal } from './cli/terminal.ts';
import { authorTools } from './compose-author.ts';
import { coreCommands, trySecrets, type CommandDeps } from './compose-commands.ts';
import { composeGround } from './compose-ground.ts';
import { compose, folders, type Latchkey } from './compose.ts';
import { ConfigError, processEnvironment, readConfig } from './config.ts';
import type { TriedColumns } from './crypto/sealed-columns.ts';
import { silentLog } from './log.ts';
import { KnownError } from './shared/errors.ts';
import { I18n } from './views/index.ts';

/** What must work whatever a plugin does to the process that starts it. */
const withoutPluginCode = ['plugin', 'marketplace', 'doctor', 'backup', 'release', 'migrate'];

/** `latchkey <command>`. Works on the database directly, so also while the server does not run. */
async function run(argv: readonly string[]): Promise<number> {
  const env = processEnvironment();
  if (argv[0] === 'serve') {
    await import('./main.ts');
    return new Promise<number>(() => undefined);
  }
  if (argv[0] === 'config') return runProgram(configCommands(env), argv, terminal(coreWords));

  if (authorTools(silent).some(({ name }) => name === argv.slice(0, 2).join(' '))) {
    const found = { problem: false };
    const tools = authorTools({ onProblem: () => void (found.problem = true) });
    const code = await runProgram(tools, argv, terminal(coreWords));
    return found.problem ? exitCodes.failed : code;
  }

  if (argv.slice(0, 2).join(' ') === 'secret doctor') return examineSecrets(argv);

  const isOnlooker = withoutPluginCode.includes(argv[0] ?? '');
  const latchkey = await compose(readConfig(env), { log: silentLog(), isPasserBy: true, isOnlooker });
  try {
    await latchkey.open({ work: false });
    const found = { problem: false };
    const onProblem = (): void => {
      found.problem = true;
    };
    const commands: Command[] = [
      ...coreCommands(latchkey, { onProblem, ...(isOnlooker ? answersFromElsewhere(latchkey) : {}) }),
      ...authorTools(silent),
      ...latchkey.commands.all(),
      serveHint,
      ...configCommands(env),
    ];
    const code = await runProgram(
      commands,
      argv,
      terminal(() => latchkey.ground.i18n),
    );
    return found.problem ? exitCodes.failed : code;
  } finally {
    await latchkey.close();
  }
}

/** What only plugin code can say, for commands that have none of it in their process. */
const answersFromElsewhere = (latchkey: Latchkey): Pick<CommandDeps, 'signInAnswers' | 'pluginAnswers'> => ({
  signInAnswers,
  pluginAnswers: () => pluginAnswers(import.meta.filename, latchkey),
});

/** Providers are plugin code: it is asked in a process of its own, so that the doctor goes on whatever it does there. */
const signInAnswers = (): Promise<boolean> =>
  new Promise((resolve) => {
    const words = [import.meta.filename, 'sign-in', 'check'];
    execFile(process.execPath, words, { timeout: 60_000 }, (error) => {
      resolve(error === null);
    });
  });

/** A locked house does not open, and that is when one asks. */
async function examineSecrets(argv: readonly string[]): Promise<number> {
  const config = readConfig(processEnvironment());
  const { keys, db, outbound } = await composeGround(config, { log: silentLog() });
  const found = { problem: false };
  const onProblem = (): void => void (found.problem = true);
  const tryValues = async (): Promise<TriedColumns[]> => {
    const house = await compose(config, { log: silentLog(), isPasserBy: true });
    try {
      await house.open({ work: false });
      return await trySecrets(house);
    } finally {
      await house.close();
    }
  };
  try {
    const doctor = secretDoctor(keys, { onProblem, tryValues: keys.lock ? null : tryValues });
    const code = await runProgram([doctor], argv, terminal(coreWords));
    return found.problem ? exitCodes.failed : code;
  } finally {
    await outbound.close();
    await db.close();
  }
}

/** For listing them only. */
const silent = { onProblem: (): void => undefined };

/** Listed by `--help`; run above, before anything is opened. */
const serveHint: Command = {
  name: 'serve',
  summary: 'Runs the server, as `npm start` does',
  run: () => Promise.resolve(),
};

/** Words of core, for when there is no house to ask. */
const coreWords = (): I18n => new I18n({ directory: folders.locales });

run(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const { text, code } = lastWords(error);
    console.error(text);
    process.exit(code);
  },
);

/** What stopped it before a command could run, or what nobody foresaw. */
function lastWords(error: unknown): { text: string; code: number } {
  if (error instanceof ConfigError) return { text: error.message, code: exitCodes.config };
  if (error instanceof KnownError) return { text: explained(error, coreWords()), code: exitCodeOf(error) };
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return isOutOfReach(error)
    ? { text: `The database cannot be reached. ${text}`, code: exitCodes.unavailable }
    : { text, code: exitCodes.failed };
}

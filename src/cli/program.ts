import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { Command as Commander, CommanderError } from 'commander';
import { cliActor } from '../shared/actor.ts';
import { KnownError, NotFoundError } from '../shared/errors.ts';
import type { Command } from './command.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { formatted } from './print.ts';

export interface Terminal {
  out(text: string): void;
  error(text: string): void;
  /** A refusal's text for people. */
  explain(error: KnownError): string;
  /** All of standard input. */
  read(): Promise<string>;
}

/** Runs `latchkey <argv…>` over these commands and answers the exit code. */
export async function runProgram(
  commands: readonly Command[],
  argv: readonly string[],
  output: Terminal,
): Promise<number> {
  const program = programOf(commands, output);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    return report(error, output, argv.includes('--json'));
  }
}

function programOf(commands: readonly Command[], output: Terminal): Commander {
  const program = new Commander('latchkey')
    .description('A helpdesk that people let themselves into.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        output.out(text.trimEnd());
      },
      writeErr: (text) => {
        output.error(text.trimEnd());
      },
    });
  const groups = new Map<string, Commander>();
  for (const command of commands) {
    const words = command.name.split(' ');
    const parent = words.length > 1 ? groupOf(program, groups, words[0] ?? '') : program;
    parent.addCommand(commanderOf(command, words.at(-1) ?? '', output));
  }
  return program;
}

function groupOf(program: Commander, groups: Map<string, Commander>, word: string): Commander {
  const known = groups.get(word);
  if (known) return known;
  const group = program
    .command(word)
    .description(`latchkey ${word} --help lists what there is`)
    .exitOverride();
  groups.set(word, group);
  return group;
}

function commanderOf(command: Command, word: string, output: Terminal): Commander {
  const built = new Commander(word).description(command.summary).exitOverride();
  built.configureOutput({
    writeOut: (text) => {
      output.out(text.trimEnd());
    },
    writeErr: (text) => {
      output.error(text.trimEnd());
    },
  });
  for (const argument of (command.args ?? '').split(' ').filter((part) => part !== ''))
    built.argument(argument);
  for (const { flags, description, default: preset } of command.options ?? [])
    built.option(flags, description, preset);
  built.option('--json', 'print JSON for scripts');
  built.action(async () => {
    const options = built.opts<Record<string, string | boolean | undefined>>();
    await command.run({
      actor: cliActor(userInfo().username),
      args: built.args,
      options,
      print: (value) => {
        output.out(formatted(value, { asJson: options['json'] === true }));
      },
      readFile: (path) =>
        readFile(path).catch((cause: unknown) => {
          throw new NotFoundError('cli.file', { params: { file: path }, cause });
        }),
      readStdin: async () => (await output.read()).replace(/\r?\n$/, ''),
    });
  });
  return built;
}

function report(error: unknown, output: Terminal, asJson: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (!(error instanceof KnownError)) throw error;
  const { code, fields } = error;
  output.error(
    asJson ? JSON.stringify({ code, detail: output.explain(error), fields }) : output.explain(error),
  );
  return exitCodeOf(error);
}

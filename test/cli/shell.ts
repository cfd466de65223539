import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';
import { explained } from '../../src/cli/terminal.ts';
import { runProgram } from '../../src/cli/program.ts';
import { coreCommands } from '../../src/compose-commands.ts';
import type { Latchkey } from '../../src/compose.ts';
import { openDatabase, type FreshDatabase } from '../support/databases.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The master key of every house that `freshDatabase` copies. */
export const MASTER_KEY = 'a'.repeat(64);
export const me = `cli:${userInfo().username}`;

export interface Ended {
  code: number | null;
  out: string;
  err: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the expectations judge what a command prints
  json(): any;
}

export type RunCommand = (words: string, options?: { stdin?: string }) => Promise<Ended>;

export interface Shell {
  dataDir: string;
  /** Runs `latchkey <words>` in a process of its own and waits for its end. */
  latchkey(words: string, options?: { stdin?: string; env?: Record<string, string> }): Promise<Ended>;
}

/** A shell with nothing set but where its data lies. */
export async function openShell(env: Record<string, string> = {}): Promise<Shell> {
  const dataDir = env['LATCHKEY_DATA_DIR'] ?? (await mkdtemp(join(inject('folder'), 'shell-')));
  return {
    dataDir,
    latchkey: (words, options = {}) =>
      run(argumentsIn(words), {
        stdin: options.stdin ?? '',
        env: { LATCHKEY_DATA_DIR: dataDir, ...env, ...options.env },
      }),
  };
}

/** A shell on a house that is set up. */
export const shellOn = (
  { url }: Pick<FreshDatabase, 'url'>,
  env: Record<string, string> = {},
): Promise<Shell> => openShell({ LATCHKEY_DATABASE_URL: url, LATCHKEY_KEY: MASTER_KEY, ...env });

/** The commands themselves on a house that stands, in this process: what every command does, without the cost of starting each. */
export const commandsOf =
  (house: Latchkey): RunCommand =>
  async (words, { stdin = '' } = {}) => {
    const [out, err]: [string[], string[]] = [[], []];
    const problems: string[] = [];
    const onProblem = (): void => void problems.push('doctor');
    const code = await runProgram(
      [...coreCommands(house, { onProblem }), ...house.commands.all()],
      argumentsIn(words),
      {
        out: (text) => void out.push(text),
        error: (text) => void err.push(text),
        explain: (error) => explained(error, house.ground.i18n),
        read: () => Promise.resolve(stdin),
      },
    );
    const printed = out.join('\n');
    return {
      code: problems.length > 0 ? 1 : code,
      out: printed,
      err: err.join('\n'),
      json: () => JSON.parse(printed),
    };
  };

/** Words between blanks, or between quotes. */
const argumentsIn = (words: string): string[] =>
  [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');

async function run(
  words: readonly string[],
  { stdin, env }: { stdin: string; env: Record<string, string> },
): Promise<Ended> {
  const child = spawn(process.execPath, [join(ROOT, 'src/cli.ts'), ...words], {
    cwd: env['LATCHKEY_DATA_DIR'],
    env: { ...inherited(), ...env },
  });
  child.stdin.end(stdin);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, out, err, json: () => JSON.parse(out) };
}

function inherited(): NodeJS.ProcessEnv {
  const ours = /^(LATCHKEY_|VITEST|NODE_OPTIONS)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}

export interface AuditRow {
  actor_name: string;
  action: string;
  subject_label: string;
  state_before: string | null;
  state_after: string | null;
}

/** What the audit log says, oldest first. */
export async function auditOf({ url }: Pick<FreshDatabase, 'url'>, actorName?: string): Promise<AuditRow[]> {
  const rows: AuditRow[] = await openDatabase(url).knex('audit_entries').orderBy('id');
  return rows.filter((row) => actorName === undefined || row.actor_name === actorName);
}

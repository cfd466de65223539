import { execFile } from 'node:child_process';
import { z } from 'zod';
import type { Hooks, Observer } from '../hooks/index.ts';
import type { PluginHost } from '../plugin-host/index.ts';
import { PLUGIN_CHECKS, type Outcome } from './doctor-commands.ts';
import { doctorChecks } from './doctor-hooks.ts';

/** Asks every plugin what it found; who does not answer is named, for that is what the doctor was asked for. */
export async function askPlugins(hooks: Pick<Hooks, 'gather' | 'observe'>): Promise<Outcome[]> {
  const mute = new Set<string>();
  const observer: Observer = {
    look: () => null,
    saw: ({ hook, owner, outcome }) => {
      if (hook === doctorChecks.name && outcome !== 'answered') mute.add(owner);
    },
  };
  const found = await hooks.observe(observer, () => hooks.gather(doctorChecks, {}));
  return [
    ...found.map(({ owner, thing: { name, level, message } }) => ({
      check: `${owner}: ${name}`,
      result: level,
      ms: 0,
      message,
    })),
    ...[...mute].map((owner) => failure(owner, 'It was asked, and failed to answer in time.')),
  ];
}

const printed = z.array(
  z.object({
    check: z.string(),
    result: z.enum(['ok', 'warning', 'problem']),
    ms: z.number(),
    message: z.string(),
  }),
);
const PATIENCE_MS = 60_000;

/**
 * The same from a process of its own, so that the doctor goes on whatever a plugin does there. Nobody is started where no plugin has
 * anything to say.
 */
export async function pluginAnswers(
  cli: string,
  { plugins }: { plugins: Pick<PluginHost, 'list'> },
): Promise<Outcome[]> {
  const speaking = (await plugins.list('en')).filter(
    ({ state, manifest }) => state === 'enabled' && manifest?.hooks.uses.includes(doctorChecks.name) === true,
  );
  if (speaking.length === 0) return [];
  const said = await outputOf([cli, PLUGIN_CHECKS, '--json']);
  const answers = printed.safeParse(said);
  if (answers.success) return answers.data;
  const names = speaking.map(({ id }) => id).join(', ');
  const message = `The process that asked them ended without an answer. \`latchkey ${PLUGIN_CHECKS}\` says more.`;
  return [failure(names, message)];
}

/** What a command printed, as it is written; it may well have ended with 1. */
const outputOf = (words: readonly string[]): Promise<unknown> =>
  new Promise((resolve) => {
    execFile(process.execPath, [...words], { timeout: PATIENCE_MS }, (_, stdout) => {
      try {
        resolve(JSON.parse(stdout));
      } catch {
        resolve(null);
      }
    });
  });

const failure = (owner: string, message: string): Outcome => ({
  check: `${owner}: checks`,
  result: 'problem',
  ms: 0,
  message,
});

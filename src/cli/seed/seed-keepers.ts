import { createPublicKey } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newKeyPair } from '../../network/index.ts';
import { signCeremony } from '../author/sign-ceremony.ts';
import type { Command, CommandContext } from '../command.ts';

interface Wanted {
  /** What the hub brought to the command line. */
  commands: readonly Command[];
  folder: string;
}

export interface SeededKeys {
  /** The private key packages are signed with, as PEM; null where others hold the keys. */
  publisher: string | null;
  /** Where the keys lie; null where none were made. */
  folder: string | null;
  note: string;
}

const KEEPERS = ['keeper-1.key', 'keeper-2.key', 'keeper-3.key'] as const;
const PUBLISHER = 'publisher.key';
const PUBLISHER_NAME = 'Latchkey';

/** A first ceremony with keys made here, to try a hub out; a hub whose keepers are people is left to them. */
export async function holdCeremony(context: CommandContext, wanted: Wanted): Promise<SeededKeys> {
  const { folder } = wanted;
  const isHeld = typeof (await printedBy('hub trust status', context, wanted)) === 'object';
  if (!isHeld) await begin(context, wanted);
  const publisher = await readFile(join(folder, PUBLISHER), 'utf8').catch(() => null);
  if (publisher === null)
    return {
      publisher,
      folder: null,
      note: 'Not signed: others keep the keys of this hub. Helpdesks refuse these packages until they are published again with a signature.',
    };
  return {
    publisher,
    folder,
    note: 'All keys of this hub lie in one folder, readable by their owner only. That will do to try it out; for customers, give three people a key each.',
  };
}

/** Keys that are there already stay: they may be all that is left of a hub. */
async function begin(context: CommandContext, wanted: Wanted): Promise<void> {
  const { folder } = wanted;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [one, other] = await Promise.all([...KEEPERS, PUBLISHER].map((name) => keyAt(join(folder, name))));
  await printedBy('hub trust publisher', context, wanted, {
    args: [PUBLISHER_NAME, join(folder, `${PUBLISHER}.pub`)],
  });
  const publicKeys = KEEPERS.map((name) => join(folder, `${name}.pub`));
  const drafted = await printedBy('hub trust begin', context, wanted, { args: publicKeys });
  const { text } = signCeremony(signCeremony(String(drafted), one ?? '').text, other ?? '');
  await printedBy('hub trust finish', context, wanted, { readStdin: () => Promise.resolve(text) });
}

/** The private key in this file, made now if there is none; its public half always lies beside it. */
async function keyAt(file: string): Promise<string> {
  const pem = await readFile(file, 'utf8').catch(() => null);
  const key = pem ?? newKeyPair().privateKey;
  if (pem === null) await writeFile(file, key, { flag: 'wx', mode: 0o600 });
  await writeFile(`${file}.pub`, createPublicKey(key).export({ type: 'spki', format: 'pem' }));
  return key;
}

async function printedBy(
  name: string,
  context: CommandContext,
  { commands }: Wanted,
  more: Partial<CommandContext> = {},
): Promise<unknown> {
  let printed: unknown = null;
  const print = (line: unknown): void => {
    printed = line;
  };
  const plain = { args: [], options: {}, readFile: (path: string) => readFile(path), print };
  await commands.find((one) => one.name === name)?.run({ ...context, ...plain, ...more });
  return printed;
}

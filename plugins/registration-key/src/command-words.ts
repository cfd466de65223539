import { ConflictError, type CommandContext } from 'latchkey/plugin-api';
import type { BulkResult } from './keys/key-bulk.ts';

export const firstWord = ({ args }: Pick<CommandContext, 'args'>): string => args[0] ?? '';

/** The words after the command; `-` stands for those that are piped in. */
export async function manyWords({
  args,
  readStdin,
}: Pick<CommandContext, 'args' | 'readStdin'>): Promise<string[]> {
  const words = args.join(' ') === '-' ? await readStdin() : args.join(' ');
  return words.split(/[\s,]+/).filter((word) => word !== '');
}

/** An option that takes a text; undefined when it was not said. */
export function said({ options }: Pick<CommandContext, 'options'>, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** What became of many; a script hears by the exit code when it was nothing. */
export function printResult({ print }: Pick<CommandContext, 'print'>, result: BulkResult): void {
  print({ done: result.done, skipped: result.skipped.map(({ id, code }) => `${id} ${code}`) });
  const [first] = result.skipped;
  if (result.done === 0 && first) throw new ConflictError(first.code);
}

import type { Actor } from '../shared/actor.ts';

export interface CommandContext {
  /** Whoever runs it, with every right; the audit log says `cli:<name>`. */
  actor: Actor;
  args: readonly string[];
  options: Readonly<Record<string, string | boolean | undefined>>;
  /** Prints a value: as JSON with `--json`, else as a table or as lines. */
  readonly print: (value: unknown) => void;
  readonly readStdin: () => Promise<string>;
}

/** One `latchkey <name>`; core's and plugins' have the same shape. */
export interface Command {
  /** `user create`: the words after `latchkey`. */
  name: string;
  summary: string;
  /** As commander writes them: `<email>` or `[file]`. */
  args?: string;
  options?: { flags: string; description: string; default?: string }[];
  run(context: CommandContext): Promise<void>;
}

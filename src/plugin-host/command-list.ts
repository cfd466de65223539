import { ConflictError } from '../shared/errors.ts';
import type { CommandDefinition } from './host.ts';

/** What plugins add to the command line. */
export class CommandList {
  readonly #commands = new Map<string, CommandDefinition>();

  add(command: CommandDefinition): () => void {
    if (this.#commands.has(command.name)) {
      throw new ConflictError('plugin.command-taken', { params: { command: command.name } });
    }
    this.#commands.set(command.name, command);
    return () => {
      if (this.#commands.get(command.name) === command) this.#commands.delete(command.name);
    };
  }

  all(): CommandDefinition[] {
    return [...this.#commands.values()];
  }
}

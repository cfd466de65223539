/** One `latchkey <name>`; core's and plugins' have the same shape. */
export type { CommandContext, CommandDefinition as Command } from '../plugin-host/index.ts';

const LONGEST = 120;

interface Place {
  migration: string;
  /** From one. */
  step: number;
  steps: number;
  statement: string;
}

/** Which step of which file the database did not take, and what it said to it. */
export class MigrationError extends Error {
  constructor({ migration, step, steps, statement }: Place, cause: unknown) {
    const words = cause instanceof Error ? lastPart(cause.message) : String(cause);
    super(
      `migrations/${migration}.ts, step ${String(step)} of ${String(steps)}, ${summaryOf(statement)}: ${words}`,
      {
        cause,
      },
    );
    this.name = 'MigrationError';
  }
}

const summaryOf = (statement: string): string => {
  const line = statement.replaceAll(/\s+/g, ' ').trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
};

/** knex puts the whole statement before what the engine says. */
const lastPart = (message: string): string => message.split(' - ').at(-1) ?? message;

import { redact } from '../crypto/tokens.ts';

const LONGEST = 500;

/** What a row keeps of an error: its message, without secrets, cut to the column. */
export const failureText = (error: unknown): string =>
  redact(error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, LONGEST);

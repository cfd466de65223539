import { text as readAll } from 'node:stream/consumers';
import type { KnownError } from '../shared/errors.ts';
import type { Terminal } from './program.ts';

interface Words {
  translate(locale: string, key: string, params?: Record<string, string | number>): string;
}

/** Answers on standard output, refusals in words on standard error. */
export const terminal = (words: () => Words): Terminal => ({
  out: (text) => {
    process.stdout.write(`${text}\n`);
  },
  error: (text) => {
    process.stderr.write(`${text}\n`);
  },
  explain: (error) => explained(error, words()),
  read: () => readAll(process.stdin),
});

/** What went wrong, and below it each field that is to blame. */
export function explained(error: KnownError, words: Words): string {
  const say = (code: string, params: Record<string, string | number> = {}): string =>
    words.translate('en', `errors.${code}`, params);
  const fields = error.fields.map(({ field, code, params }) => `  ${field}: ${say(code, params)}`);
  return [say(error.code, error.params), ...fields].join('\n');
}

import { z } from 'zod';
import { redact } from './crypto/tokens.ts';
import { createLog, type Log } from './log.ts';

const failure = z.object({ message: z.string(), stack: z.string().default('') });
const line = z.union([
  z.object({ plugin: z.string(), where: z.string(), err: failure }),
  z
    .object({ owner: z.string(), hook: z.string(), error: failure })
    .transform(({ owner, hook, error }) => ({ plugin: owner, where: hook, err: error })),
]);

/** For whoever writes a plugin: of all that the house has to say, what went wrong in plugins, where, and on which line. */
export const authorLog = (say: (words: string) => void): Log =>
  createLog({
    level: 'warn',
    redact,
    destination: {
      write: (text) => {
        const parsed = line.safeParse(JSON.parse(text));
        if (!parsed.success) return;
        const { plugin, where, err } = parsed.data;
        const place = err.stack
          .split('\n')
          .find((frame) => frame.includes(`/${plugin}/`))
          ?.trim();
        say(`✗ ${plugin}, ${where}: ${err.message}${place === undefined ? '' : `\n  ${place}`}`);
      },
    },
  });

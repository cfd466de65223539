import { z } from 'zod';
import { redact } from './crypto/tokens.ts';
import { createLog, type Log } from './log.ts';

const failure = z.object({ message: z.string(), stack: z.string().default('') });
const line = z.union([
  z.object({ plugin: z.string(), where: z.string(), err: failure }),
  z
    .object({ owner: z.string(), hook: z.string(), error: failure })
    .transform(({ owner, hook, error }) => ({ plugin: owner, where: hook, err: error })),
  z
    .object({ owner: z.string(), slot: z.string(), error: failure })
    .transform(({ owner, slot, error }) => ({ plugin: owner, where: slot, err: error })),
  z.object({ plugin: z.string(), why: z.string() }).transform(({ plugin, why }) => ({
    plugin,
    where: 'the helpdesk was ended',
    err: { message: why, stack: '' },
  })),
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
        const place = placeIn(err.stack, plugin);
        const words = lastWords(err.message);
        say(
          `✗ ${plugin}, ${where}: ${words}${place === null || words.includes(place) ? '' : `\n  ${place}`}`,
        );
      },
    },
  });

/** The author's own file, not the copy of it that runs: `src/index.ts:12`. */
function placeIn(stack: string, plugin: string): string | null {
  const found = new RegExp(`/${plugin}/([\\w./-]+\\.[cm]?[jt]s)(?:\\?[^:]*)?:(\\d+)`).exec(stack);
  return found ? `${found[1] ?? ''}:${found[2] ?? ''}` : null;
}

/** Each who hands an error on says the same again before it. */
function lastWords(message: string): string {
  const parts = message.split(': ');
  return parts.filter((part, at) => part !== parts[at + 1] && parts.indexOf(part) === at).join(': ');
}

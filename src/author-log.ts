import { z } from 'zod';
import { redact } from './crypto/tokens.ts';
import { createLog, type Log } from './log.ts';

/** What went wrong in a plugin, as its author is told. */
export interface AuthorFault {
  plugin: string;
  where: string;
  words: string;
  /** `src/index.ts:12`, where the trace leads into the plugin. */
  place: string | null;
}

interface Hearing {
  onFault?: (fault: AuthorFault) => void;
  /** The sentence for an error that is known by its code. */
  explain?: (code: string, params: Record<string, string | number>) => string;
  /** Also what plugins write into the log themselves. */
  withOwnLines?: boolean;
}

const failure = z.object({
  message: z.string(),
  stack: z.string().default(''),
  code: z.string().optional().catch(undefined),
  params: z.record(z.string(), z.union([z.string(), z.number()])).catch({}),
});
const fault = z.union([
  z.object({ plugin: z.string(), where: z.string(), err: failure, why: z.string().optional() }),
  z
    .object({ owner: z.string(), hook: z.string(), error: failure })
    .transform(({ owner, hook, error }) => ({ plugin: owner, where: hook, err: error, why: undefined })),
  z
    .object({ owner: z.string(), slot: z.string(), error: failure })
    .transform(({ owner, slot, error }) => ({ plugin: owner, where: slot, err: error, why: undefined })),
  z
    .object({ job: z.string(), error: failure, msg: z.literal('A job failed') })
    .transform(({ job, error }) => ({
      plugin: job.split('.')[0] ?? '',
      where: job,
      err: error,
      why: undefined,
    })),
  z.object({ plugin: z.string(), why: z.string() }).transform(({ plugin, why }) => ({
    plugin,
    where: 'the helpdesk was ended',
    err: { message: why, stack: '', code: undefined, params: {} },
    why,
  })),
]);
const ownLine = z.looseObject({ plugin: z.string(), level: z.string(), msg: z.string().default('') });

/** For whoever writes a plugin: of all that the house has to say, what went wrong in plugins, where, and on which line. */
export const authorLog = (
  say: (words: string) => void,
  { onFault = () => undefined, explain = (code) => code, withOwnLines = false }: Hearing = {},
): Log =>
  createLog({
    level: withOwnLines ? 'info' : 'warn',
    redact,
    destination: {
      write: (text) => {
        const line: unknown = JSON.parse(text);
        const parsed = fault.safeParse(line);
        if (!parsed.success) {
          const own = withOwnLines ? ownLine.safeParse(line) : null;
          if (own?.success === true) say(wordsOfLine(own.data));
          return;
        }
        const { plugin, where, err, why } = parsed.data;
        const message = why ?? (err.code === err.message ? explain(err.code, err.params) : err.message);
        const told = {
          plugin,
          where,
          words: asTheAuthorKnows(lastWords(message)),
          place: placeIn(err.stack, plugin),
        };
        onFault(told);
        say(wordsOfFault(told));
      },
    },
  });

export const wordsOfFault = ({ plugin, where, words, place }: AuthorFault): string =>
  `✗ ${plugin}, ${where}: ${words}${place === null || words.includes(place) ? '' : `\n  ${place}`}`;

function wordsOfLine({ plugin, level, msg, time: _, ...facts }: z.output<typeof ownLine>): string {
  const more = Object.keys(facts).length === 0 ? '' : ` ${JSON.stringify(facts)}`;
  return asTheAuthorKnows(`· ${plugin}, ${level}: ${msg}${more}`);
}

/** `/tmp/latchkey-dev-1-ab/3/hello/`: what runs is a copy, and where that lies is of no use to anybody. */
const COPY =
  /(?:file:\/\/)?[^\s'"()]*\/latchkey-dev-[^/\s]+\/(?:\d+|plugins)\/[a-z0-9-]+(\/(?=[\w.])|(?![\w/-]))/g;

/** With the paths of the author's own files, from the plugin's folder on. */
export const asTheAuthorKnows = (words: string): string =>
  words.replaceAll(COPY, (_, slash: string) => (slash === '/' ? '' : '.')).replaceAll(/\?attempt=\d+/g, '');

/** The author's own file, not the copy of it that runs: `src/index.ts:12`. */
export function placeIn(stack: string, plugin: string): string | null {
  const found = new RegExp(`/${plugin}/([\\w./-]+\\.[cm]?[jt]s)(?:\\?[^:]*)?:(\\d+)`).exec(stack);
  return found ? `${found[1] ?? ''}:${found[2] ?? ''}` : null;
}

/** Each who hands an error on says the same again before it. */
function lastWords(message: string): string {
  const parts = message.split(': ');
  return parts.filter((part, at) => part !== parts[at + 1] && parts.indexOf(part) === at).join(': ');
}

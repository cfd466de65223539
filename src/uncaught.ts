import { fileURLToPath } from 'node:url';

const ours = new URL('.', import.meta.url);

interface Care {
  /** Whether it is a plugin's, which is charged with it. */
  takeBlame: (error: unknown, ending: { endsProcess: boolean }) => boolean;
  /** In order, since only a plugin is to blame. */
  stop: () => void;
  exit: (code: number) => never;
}

/** What nobody caught: a plugin's is charged to it and the process goes on, unless it came in the middle of our own work. */
export function careForUncaught({ takeBlame, stop, exit }: Care): void {
  // An unhandled rejection comes here as well.
  process.on('uncaughtException', (error, origin) => {
    const endsProcess = origin !== 'unhandledRejection' && isInOurMiddle(error);
    const isPlugins = takeBlame(error, { endsProcess });
    if (isPlugins && !endsProcess) return;
    console.error(error);
    if (isPlugins) stop();
    else exit(1);
  });
}

/**
 * Code of ours had called what threw, and did not get to its end: the process is no longer what it should be. What listens to an
 * `EventTarget` stops nobody: its errors come here by themselves.
 */
function isInOurMiddle(error: unknown): boolean {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  if (stack.includes('node:internal/event_target')) return false;
  const outermost = stack.split('\n').findLast((line) => /^\s+at /.test(line) && !line.includes('node:'));
  return (
    outermost !== undefined && [ours.href, fileURLToPath(ours)].some((place) => outermost.includes(place))
  );
}

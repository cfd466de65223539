import { hostname } from 'node:os';

export const steps = ['planned', 'download', 'verify', 'try', 'use', 'done', 'failed'] as const;
export type Step = (typeof steps)[number];

/** Something being brought in, or what became of it. */
export interface Operation {
  id: string;
  pluginId: string;
  name: string;
  version: string;
  from: string | null;
  step: Step;
  /** Bytes that have come, of how many. */
  got: number;
  size: number;
  /** The code of what went wrong, and what its text names. */
  problem: string | null;
  params: Record<string, string | number>;
  startedAt: number;
  beatAt: number;
  endedAt: number | null;
  startedBy: string;
  holder: Holder;
}

/** The process that does it. */
interface Holder {
  machine: string;
  pid: number;
}

/** How often a holder says that it is still there, and after how long a silence nobody believes it any more. */
export const BEAT_MS = 5_000;
export const SILENT_MS = 30_000;

/** A holder that is known to be gone, or was not heard of, lets go: somebody else may try. */
export const isOver = ({ endedAt, beatAt, holder }: Operation, now: number): boolean =>
  endedAt !== null || now - beatAt > SILENT_MS || isGone(holder);

/** Of another machine nothing is known but its silence. */
function isGone({ machine, pid }: Holder): boolean {
  if (machine !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

export const thisProcess = (): Holder => ({ machine: hostname(), pid: process.pid });

/** How far it is, of a hundred: most of the way is the download and the trial. */
export function percentOf({ step, got, size }: Operation): number {
  const at: Record<Step, number> = {
    planned: 2,
    download: 5,
    verify: 60,
    try: 65,
    use: 90,
    done: 100,
    failed: 100,
  };
  return step === 'download' && size > 0 ? at.download + Math.floor((got / size) * 50) : at[step];
}

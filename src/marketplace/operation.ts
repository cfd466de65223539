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
}

/** Whoever did it must have ended when nothing was heard for so long. */
export const SILENT_MS = 180_000;

export const isOver = ({ endedAt, beatAt }: Operation, now: number): boolean =>
  endedAt !== null || now - beatAt > SILENT_MS;

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

/** The seventeen looks, in the order in which one leans on another. */
export const steps = [
  'settings',
  'proxy',
  'dns',
  'tcp',
  'proxy-connect',
  'tls',
  'ping',
  'marker',
  'clock',
  'key',
  'key-online',
  'plan',
  'catalogue',
  'download',
  'signatures',
  'folder',
  'plugins',
] as const;
export type Step = (typeof steps)[number];

/** What came of one look. `problem` is an id of the table that page, command line, API and log share. */
export interface Finding {
  step: Step;
  state: 'ok' | 'warning' | 'problem' | 'skipped';
  problem: string | null;
  /** The step without which this one could not be taken. */
  because: Step | null;
  facts: Record<string, string | number>;
  ms: number;
}

export interface Looked {
  state?: 'ok' | 'warning' | 'problem' | 'skipped';
  problem?: string;
  facts?: Record<string, string | number>;
}

export type Looks = Record<Step, () => Promise<Looked>>;

/** What each needs to have gone well. */
const needs: Partial<Record<Step, readonly Step[]>> = {
  proxy: ['settings'],
  dns: ['settings'],
  tcp: ['dns'],
  'proxy-connect': ['tcp'],
  tls: ['proxy-connect', 'tcp'],
  ping: ['tls', 'tcp'],
  marker: ['ping'],
  clock: ['ping'],
  'key-online': ['marker', 'key'],
  // While the clock is wrong no date is to be believed.
  plan: ['key-online', 'clock'],
  catalogue: ['marker'],
  download: ['catalogue'],
  signatures: ['marker', 'clock'],
};
const STEP_MS = 6_000;
const ALL_MS = 45_000;

/** From the top; what leans on a failed step is skipped and says so. Never longer than 45 seconds. */
export async function examine(looks: Looks, problemOf: (error: unknown) => Looked): Promise<Finding[]> {
  const begun = performance.now();
  const found = new Map<Step, Finding>();
  for (const step of steps) {
    const because = failedBefore(needs[step] ?? [], found);
    if (because) {
      found.set(step, { step, state: 'skipped', problem: null, because, facts: {}, ms: 0 });
      continue;
    }
    const left = Math.min(STEP_MS, ALL_MS - (performance.now() - begun));
    found.set(step, await lookAt(step, { look: looks[step], problemOf, left }));
  }
  return [...found.values()];
}

async function lookAt(
  step: Step,
  { look, problemOf, left }: { look: Looks[Step]; problemOf: (error: unknown) => Looked; left: number },
): Promise<Finding> {
  const at = performance.now();
  const common = { step, because: null, problem: null, facts: {} };
  const looked = await Promise.race([look(), tooLong(left)]).catch(problemOf);
  return { ...common, state: 'ok', ...looked, ms: Math.round(performance.now() - at) };
}

function failedBefore(needed: readonly Step[], found: ReadonlyMap<Step, Finding>): Step | null {
  for (const step of needed) {
    const before = found.get(step);
    if (before?.state === 'problem') return step;
    if (before?.state === 'skipped' && before.because) return before.because;
  }
  return null;
}

const tooLong = (ms: number): Promise<Looked> =>
  new Promise((resolve) => {
    setTimeout(
      () => {
        resolve({ state: 'problem', problem: 'N14' });
      },
      Math.max(0, ms),
    ).unref();
  });

export const redAmong = (findings: readonly Finding[]): Finding | null =>
  findings.find(({ state }) => state === 'problem') ?? null;

/** The one thing to do something about; all before it is fine. */
export const firstProblem = (findings: readonly Finding[]): Finding | null =>
  redAmong(findings) ?? findings.find(({ state }) => state === 'warning') ?? null;

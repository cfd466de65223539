import { statfs } from 'node:fs/promises';
import type { Config } from '../config.ts';
import type { Command } from './command.ts';

/** One look at one thing: null when all is well, else the sentence that says what is wrong and what to do. */
export interface DoctorCheck {
  name: string;
  readonly run: () => Promise<Finding | null>;
}

export interface Finding {
  level: 'warning' | 'problem';
  message: string;
}

export interface Outcome {
  check: string;
  result: 'ok' | Finding['level'];
  ms: number;
  message: string;
}

/** The one of these commands that runs plugin code. */
export const PLUGIN_CHECKS = 'plugin-checks';

const ENOUGH_BYTES = 500 * 1024 * 1024;

interface Deps {
  onProblem: () => void;
  /** What the plugins look at themselves, asked in this process. */
  askPlugins: () => Promise<readonly Outcome[]>;
  /** The same, asked by whoever has no plugin code in this process. */
  pluginAnswers?: (() => Promise<readonly Outcome[]>) | undefined;
}

export function doctorCommands(
  checks: readonly DoctorCheck[],
  { onProblem, askPlugins, pluginAnswers = askPlugins }: Deps,
): Command[] {
  const judge = (outcomes: readonly Outcome[]): void => {
    if (outcomes.some(({ result }) => result === 'problem')) onProblem();
  };
  return [
    {
      name: 'doctor',
      summary:
        'Looks at everything that commonly goes wrong and says what to do; exit code 1 if something is wrong',
      run: async ({ print }) => {
        const outcomes: Outcome[] = [];
        for (const check of checks) outcomes.push(await examine(check));
        outcomes.push(...(await pluginAnswers()));
        print(outcomes);
        judge(outcomes);
      },
    },
    {
      name: PLUGIN_CHECKS,
      summary: 'The part of `latchkey doctor` that plugins look at: the services they call, their licences',
      run: async ({ print }) => {
        const outcomes = await askPlugins();
        print(outcomes);
        judge(outcomes);
      },
    },
  ];
}

async function examine({ name, run }: DoctorCheck): Promise<Outcome> {
  const begun = performance.now();
  const finding = await run().catch((error: unknown): Finding => ({
    level: 'problem',
    message: error instanceof Error ? error.message : String(error),
  }));
  const ms = Math.round(performance.now() - begun);
  return { check: name, result: finding?.level ?? 'ok', ms, message: finding?.message ?? '' };
}

/** What can be looked at without knowing any domain. */
export const machineChecks = ({ dataDir, baseUrl, smtpUrl, trustProxy }: Config): DoctorCheck[] => [
  {
    name: 'node',
    run: () => {
      const [major = 0] = process.versions.node.split('.').map(Number);
      const finding: Finding = {
        level: 'problem',
        message: `Node ${process.versions.node} runs this; Latchkey needs 24.`,
      };
      return Promise.resolve(major >= 24 ? null : finding);
    },
  },
  {
    name: 'disk',
    run: async () => {
      const { bavail, bsize } = await statfs(dataDir);
      const free = bavail * bsize;
      const megabytes = String(Math.round(free / 1024 / 1024));
      return free > ENOUGH_BYTES
        ? null
        : { level: 'problem', message: `Only ${megabytes} MB are free where ${dataDir} lies.` };
    },
  },
  {
    name: 'base-url',
    run: () =>
      Promise.resolve(
        baseUrl === undefined
          ? {
              level: 'warning',
              message: 'LATCHKEY_BASE_URL is not set: links carry the address given at set-up.',
            }
          : null,
      ),
  },
  {
    name: 'https',
    run: () =>
      Promise.resolve(
        baseUrl !== undefined && baseUrl.startsWith('https:') && trustProxy === 'none'
          ? {
              level: 'warning',
              message:
                'LATCHKEY_TRUST_PROXY is none though the address is https: behind a proxy every visitor seems to be the proxy.',
            }
          : null,
      ),
  },
  {
    name: 'mail',
    run: () =>
      Promise.resolve(
        smtpUrl === undefined
          ? {
              level: 'warning',
              message: 'LATCHKEY_SMTP_URL is not set: mail is off and links are shown instead.',
            }
          : null,
      ),
  },
];

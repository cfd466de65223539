/** All that is asked before a push, side by side on two cores, and what each cost: `npm run check`. */
import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { PassThrough } from 'node:stream';

interface Step {
  name: string;
  command: string;
}

interface Outcome extends Step {
  passed: boolean;
  output: string;
  seconds: number;
}

const AT_ONCE = 2;

/** The longest first, so that the last ones are short. */
const steps: Step[] = [
  { name: 'lint', command: 'npm run -s lint' },
  { name: 'unit tests on SQLite', command: 'npm run -s test:unit' },
  { name: 'types', command: 'npm run -s types' },
  { name: 'floors', command: 'npm run -s floors' },
  { name: 'unused code', command: 'npm run -s unused' },
  // What only tests call is no harm; a file or a package that only they need is in the wrong place.
  {
    name: 'unused code in production',
    command: 'npm run -s unused -- --production --include files,dependencies',
  },
  { name: 'format', command: 'prettier --check --log-level warn --cache .' },
];

const chosen = process.argv.slice(2).includes('--without-tests')
  ? steps.filter(({ name }) => !name.startsWith('unit tests'))
  : steps;
const startedAt = performance.now();
const outcomes = await runAll(chosen);
const failed = outcomes.filter(({ passed }) => !passed);
for (const { name, output } of failed) console.log(`\n── ${name} ──\n${output}`);
console.log(
  `\n${String(outcomes.length - failed.length)} of ${String(outcomes.length)} in ${secondsSince(startedAt)} s`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

async function runAll(all: readonly Step[]): Promise<Outcome[]> {
  const waiting = [...all];
  const done: Outcome[] = [];
  const work = async (): Promise<void> => {
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      const outcome = await run(step);
      console.log(`${outcome.passed ? '✓' : '✗'} ${outcome.name} (${outcome.seconds.toFixed(1)} s)`);
      done.push(outcome);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return done;
}

async function run(step: Step): Promise<Outcome> {
  const began = performance.now();
  const child = spawn(step.command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = new PassThrough();
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const [text, code] = await Promise.all([
    buffer(output),
    new Promise<number | null>((resolve) => {
      child.on('close', (exitCode) => {
        output.end();
        resolve(exitCode);
      });
    }),
  ]);
  return {
    ...step,
    passed: code === 0,
    output: text.toString(),
    seconds: (performance.now() - began) / 1000,
  };
}

function secondsSince(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1);
}

import { firstProblem, type Finding } from './doctor.ts';
import type { DoctorRun } from './doctor-repository.ts';

/** Facts that tell where the house stands; left out for readers outside. */
const places = new Set([
  'hub',
  'name',
  'address',
  'resolvers',
  'proxy',
  'folder',
  'from',
  'location',
  'asks',
]);

/**
 * A run as plain text, to paste into a ticket or a mail to the network team; in English, whoever copies it. Keys, passwords and tokens
 * never get as far as a finding.
 */
export function reportOf(
  { ranAt, findings }: DoctorRun,
  { version, withPlaces }: { version: string; withPlaces: boolean },
): string {
  const worst = firstProblem(findings);
  const lines = findings.map((finding, at) => lineOf(finding, { number: at + 1, withPlaces }));
  const summary = worst ? `First problem: ${worst.step} ${worst.problem ?? ''}` : 'No problem';
  return `Latchkey ${version}, doctor of the network, ${new Date(ranAt).toISOString()}\n${summary}\n\n${lines.join('\n')}\n`;
}

function lineOf(
  { step, state, problem, because, facts, ms }: Finding,
  { number, withPlaces }: { number: number; withPlaces: boolean },
): string {
  const told = Object.entries(facts)
    .filter(([name]) => withPlaces || !places.has(name))
    .map(([name, value]) => `${name}=${String(value)}`);
  const why = because === null ? [] : [`because of ${because}`];
  const words = [state.padEnd(7), `${String(ms)} ms`.padStart(8), problem ?? '-', ...why, ...told];
  return `${String(number).padStart(2)} ${step.padEnd(13)} ${words.join(' ')}`;
}

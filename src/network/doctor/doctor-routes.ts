import { z } from 'zod';
import { redirect, text, view } from '../../http/reply.ts';
import { route, type Route } from '../../http/route.ts';
import type { Log } from '../../log.ts';
import { NotFoundError } from '../../shared/errors.ts';
import type { Finding } from './doctor.ts';
import { firstProblem } from './doctor.ts';
import { reportOf } from './doctor-report.ts';
import type { NetworkDoctor } from './doctor-service.ts';

const PATH = '/admin/network/doctor';
const access = { right: 'network.manage' };
const tones = { ok: 'success', warning: 'warning', problem: 'danger', skipped: 'quiet' } as const;
const icons = { ok: 'circle-check', warning: 'alert-triangle', problem: 'ban', skipped: 'clock' } as const;

interface Deps {
  doctor: NetworkDoctor;
  log: Log;
  version: string;
}

const reportQuery = z.object({ places: z.enum(['shown', 'hidden']).default('shown') });

/** Every layer between this server and its hub, and the one that fails. The page shows the last run; nobody waits for the next. */
export function doctorRoutes({ doctor, log, version }: Deps): Route[] {
  return [
    route({
      method: 'get',
      path: PATH,
      access,
      query: reportQuery,
      handler: async ({ actor, query }) => {
        const run = await doctor.last(actor);
        const withPlaces = query.places === 'shown';
        const findings = run?.findings ?? [];
        const host = hubIn(findings);
        const first = firstProblem(findings);
        return view('network/doctor', {
          ranAt: run?.ranAt,
          report: run ? reportOf(run, { version, withPlaces }) : '',
          withPlaces,
          host,
          first,
          isFineBefore: first !== null && first !== findings[0] && isFineBefore(first, findings),
          findings: findings.map((finding, at) => ({
            ...finding,
            number: at + 1,
            tone: tones[finding.state],
            icon: icons[finding.state],
            facts: Object.entries(finding.facts).map(([name, value]) => ({ name, value })),
            before: run?.beforeThat?.find(({ step }) => step === finding.step)?.state ?? finding.state,
          })),
        });
      },
    }),
    route({
      method: 'post',
      path: PATH,
      access,
      handler: ({ actor }) => {
        doctor.run(actor).catch((error: unknown) => {
          log.warn({ error }, 'The doctor of the network could not finish');
        });
        return redirect(PATH, { flash: { kind: 'info', code: 'network:flash.doctor-running' } });
      },
    }),
    route({
      method: 'get',
      path: `${PATH}.txt`,
      access,
      query: reportQuery,
      handler: async ({ actor, query }) => {
        const run = await doctor.last(actor);
        if (!run) throw new NotFoundError('network.no-doctor');
        return text(reportOf(run, { version, withPlaces: query.places === 'shown' }));
      },
    }),
    route({
      method: 'get',
      path: `${PATH}.json`,
      access,
      handler: async ({ actor }) => {
        const run = await doctor.last(actor);
        if (!run) throw new NotFoundError('network.no-doctor');
        return text(JSON.stringify(run.findings, null, 2), 'application/json; charset=utf-8');
      },
    }),
  ];
}

const isFineBefore = (first: Finding, findings: readonly Finding[]): boolean =>
  findings.slice(0, findings.indexOf(first)).every(({ state }) => state === 'ok' || state === 'skipped');

const hubIn = (findings: readonly Finding[]): string =>
  String(findings.find(({ step }) => step === 'settings')?.facts['hub'] ?? '');

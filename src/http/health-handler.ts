import { timingSafeEqual } from 'node:crypto';
import { Router, type Request } from 'express';
import { plainAddress } from './client-address.ts';

export interface HealthCheck {
  name: string;
  /** Null when all is well; else what is wrong, in a few words. */
  readonly check: () => Promise<string | null>;
}

export interface HealthDeps {
  checks: readonly HealthCheck[];
  /** False from the moment of SIGTERM: balancers stop sending, what is under way is finished. */
  isAccepting(): boolean;
  metrics(): Promise<{ text: string; mediaType: string }>;
  metricsToken: string | undefined;
}

/** `/healthz` says that the process lives, `/readyz` that it can serve; details and `/metrics` are for those who run it. */
export function healthHandler(deps: HealthDeps): Router {
  const router = Router();
  router.get('/healthz', (_req, res) => {
    res.set('Cache-Control', 'no-store').type('text').send('ok');
  });
  router.get('/readyz', async (req, res) => {
    const found = deps.isAccepting()
      ? await runChecks(deps.checks)
      : [{ name: 'server', problem: 'shutting down' }];
    const isReady = found.every(({ problem }) => problem === null);
    const details = mayLookInside(req, deps.metricsToken) ? { checks: found } : {};
    res.status(isReady ? 200 : 503).set('Cache-Control', 'no-store');
    res.json({ status: isReady ? 'ready' : 'not ready', ...details });
  });
  router.get('/metrics', async (req, res) => {
    if (!mayLookInside(req, deps.metricsToken)) {
      res.status(404).type('text').send('Not found');
      return;
    }
    const { text, mediaType } = await deps.metrics();
    res.set('Cache-Control', 'no-store').type(mediaType).send(text);
  });
  return router;
}

const runChecks = (checks: readonly HealthCheck[]): Promise<{ name: string; problem: string | null }[]> =>
  Promise.all(
    checks.map(async ({ name, check }) => {
      const problem = await check().catch((error: unknown) =>
        error instanceof Error ? error.message : 'failed',
      );
      return { name, problem };
    }),
  );

/** With a token set only the token opens; without one this machine may look, unless a proxy forwards the outside to it. */
function mayLookInside(req: Request, token: string | undefined): boolean {
  if (token !== undefined) return isSame(`Bearer ${token}`, req.get('authorization') ?? '');
  const direct = plainAddress(req.socket.remoteAddress);
  const isForwarded = req.get('x-forwarded-for') !== undefined || req.get('forwarded') !== undefined;
  return !isForwarded && (direct.startsWith('127.') || direct === '::1');
}

const isSame = (expected: string, got: string): boolean =>
  expected.length === got.length && timingSafeEqual(Buffer.from(expected), Buffer.from(got));

import type { RequestListener } from 'node:http';
import express from 'express';
import type { Log } from '../log.ts';
import { NotFoundError } from '../shared/errors.ts';
import type { AssetStore } from '../views/index.ts';
import { assetsHandler } from './assets-handler.ts';
import { trustedProxies } from './client-address.ts';
import { errorHandler } from './error-handler.ts';
import { ExchangeSource, type ExchangeDeps } from './exchange-source.ts';
import { healthHandler, type HealthDeps } from './health-handler.ts';
import type { Translate } from './problem.ts';
import { requestLog, type RequestMeter } from './request-log.ts';
import { routeHandler } from './route-handler.ts';
import type { Reply } from './reply.ts';
import { RouteTable } from './route-table.ts';
import { RushLane } from './rush-lane.ts';
import { commonHeaders } from './security-headers.ts';
import type { ReplyTools } from './send-reply.ts';
import { watchRequest, type RequestWatch } from './watch-request.ts';
import type { UploadLimits } from './uploads.ts';

export interface AppDeps extends ReplyTools, ExchangeDeps, Pick<RequestWatch, 'hooks' | 'keepTrace'> {
  log: Log;
  onFault?: (thrown: unknown) => void;
  meter: RequestMeter;
  health: HealthDeps;
  assets: AssetStore;
  uploads: UploadLimits;
  trustProxy: string;
  strict: boolean;
  translate(locale: string): Translate;
}

/** The web server, top to bottom in the order a request passes through it. Routes are put into the table afterwards. */
export function createApp(deps: AppDeps): { app: RequestListener; routes: RouteTable } {
  const exchanges = new ExchangeSource(deps);
  const answers = new WeakMap<object, Promise<Reply>>();
  const routes = new RouteTable((route) =>
    routeHandler(route, { ...deps, answers, exchangeOf: (req) => exchanges.of(req) }),
  );
  const headers = commonHeaders({ https: deps.cookieNames.secure });

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', trustedProxies(deps.trustProxy));
  app.set('query parser', 'simple');

  app.use((_req, res, next) => {
    res.set(headers);
    next();
  });
  app.use(assetsHandler(deps.assets));
  app.use(healthHandler(deps.health));
  app.use(requestLog(deps));
  app.use(exchanges.middleware);
  app.use(watchRequest(exchanges, deps));
  app.use(routes.handle);
  app.use((_req, _res, next) => {
    next(new NotFoundError('page.not-found'));
  });
  app.use(errorHandler({ ...deps, exchanges }));
  const lane = new RushLane({ ...deps, routes, answers });
  return { app: lane.before(app), routes };
}

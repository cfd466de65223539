import { Router, type RequestHandler } from 'express';
import { ConflictError } from '../shared/errors.ts';
import type { Route } from './route.ts';

interface Mounted {
  owner: string;
  router: RequestHandler;
}

export const CORE_OWNER = 'core';

/**
 * The routes that exist now. A plugin's come and go while the server runs: requests look here each time,
 * so what was removed is gone with the next one. Core's routes win over any plugin's.
 */
export class RouteTable {
  readonly #toHandler: (route: Route, owner: string) => RequestHandler;
  readonly #bySegment = new Map<string, Mounted[]>();
  readonly #routes = new Map<string, { owner: string; route: Route }>();

  constructor(toHandler: (route: Route, owner: string) => RequestHandler) {
    this.#toHandler = toHandler;
  }

  /**
   * Adds all of them or none; the answer takes them away again.
   * @throws {ConflictError} `route.taken` when somebody else has the same method and path
   */
  add(routes: readonly Route[], owner: string): () => void {
    for (const route of routes) this.#assertFree(route);
    const mounted = [...groupBySegment(routes)].map(([segment, group]) => this.#mount(segment, group, owner));
    for (const route of routes) this.#routes.set(signature(route), { owner, route });
    return () => {
      for (const undo of mounted) undo();
      for (const route of routes) this.#routes.delete(signature(route));
    };
  }

  /** By its very path, without parameters. */
  find(method: string, path: string): Route | undefined {
    return this.#routes.get(`${method} ${path}`)?.route;
  }

  /** Every route with its owner: for OpenAPI and for the matrix of rights in the tests. */
  all(): readonly { owner: string; route: Route }[] {
    return [...this.#routes.values()];
  }

  /** The middleware that finds the way at the moment of the request. */
  readonly handle: RequestHandler = (req, res, next) => {
    const candidates = this.#bySegment.get(firstSegment(req.path)) ?? [];
    const tryFrom = (at: number): void => {
      const candidate = candidates[at];
      if (!candidate) {
        next();
        return;
      }
      candidate.router(req, res, (error?: unknown) => {
        if (error) next(error);
        else tryFrom(at + 1);
      });
    };
    tryFrom(0);
  };

  #mount(segment: string, routes: readonly Route[], owner: string): () => void {
    const router = Router({ caseSensitive: true });
    for (const route of routes) router[route.method](route.path, this.#toHandler(route, owner));
    const entry: Mounted = { owner, router };
    const others = this.#bySegment.get(segment) ?? [];
    // A new list each time: a request that is under way keeps the one it started with.
    this.#bySegment.set(segment, owner === CORE_OWNER ? [entry, ...others] : [...others, entry]);
    return () => {
      this.#bySegment.set(
        segment,
        (this.#bySegment.get(segment) ?? []).filter((one) => one !== entry),
      );
    };
  }

  #assertFree(route: Route): void {
    const taken = this.#routes.get(signature(route));
    if (taken) {
      throw new ConflictError('route.taken', { params: { route: signature(route), owner: taken.owner } });
    }
  }
}

const signature = ({ method, path }: Route): string =>
  `${method.toUpperCase()} ${path.replace(/[:*]\w+/g, ':')}`;

/** `/api/v1/tickets` and `/tickets/:number` are both found under `tickets`-like static words; API paths by their third. */
const firstSegment = (path: string): string => {
  const [, first = '', second = '', third = ''] = path.split('/');
  return first === 'api' ? `api/${second}/${third}` : first;
};

function groupBySegment(routes: readonly Route[]): Map<string, Route[]> {
  const groups = new Map<string, Route[]>();
  for (const route of routes) {
    const segment = firstSegment(route.path);
    groups.set(segment, [...(groups.get(segment) ?? []), route]);
  }
  return groups;
}

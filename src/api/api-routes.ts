import type { Hooks } from '../hooks/index.ts';
import { json, view } from '../http/reply.ts';
import { route, type Route } from '../http/route.ts';
import type { MenuEntry } from '../views/index.ts';
import { apiDocument } from './api-hooks.ts';
import { openApiOf, type OpenApi } from './openapi.ts';

export const apiMenu: readonly MenuEntry[] = [
  { id: 'developers', at: 'account', label: 'api:title', icon: 'code', path: '/developers', order: 90 },
];

interface Deps {
  hooks: Pick<Hooks, 'filter'>;
  /** The routes that exist at the moment of asking, plugins' included. */
  readonly routes: () => readonly Route[];
  version: string;
}

/** `/api/v1/openapi.json` for programs, `/api/v1/docs` for people. */
export function apiRoutes({ hooks, routes, version }: Deps): Route[] {
  const documentAt = async (origin: string): Promise<OpenApi> =>
    hooks.filter(apiDocument, openApiOf(routes(), { origin, version }), {});
  return [
    route({
      method: 'get',
      path: '/api/v1/openapi.json',
      access: 'public',
      handler: async ({ origin }) => json(await documentAt(origin)),
    }),
    route({
      method: 'get',
      path: '/developers',
      access: 'signed-in',
      handler: async ({ origin }) => view('api/docs', presentDocs(await documentAt(origin))),
    }),
    route({
      method: 'get',
      path: '/api/v1/docs',
      access: 'public',
      handler: () => ({ kind: 'redirect', to: '/developers', status: 303 }),
    }),
  ];
}

function presentDocs(document: OpenApi): object {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
      isPublic: operation.security.length === 0,
      request: operation.requestBody === undefined ? null : pretty(operation.requestBody),
      answers: Object.entries(operation.responses).map(([status, response]) => ({ status, ...response })),
    })),
  );
  const tags = [...new Set(operations.flatMap((operation) => operation.tags))].sort();
  return {
    origin: document.servers[0]?.url,
    version: document.info.version,
    groups: tags.map((tag) => ({ tag, operations: operations.filter(({ tags: own }) => own.includes(tag)) })),
  };
}

const pretty = (value: object): string => JSON.stringify(value, null, 2);

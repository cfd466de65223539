import { z } from 'zod';
import type { Route } from '../http/route.ts';

interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security: Record<string, string[]>[];
  parameters: Parameter[];
  requestBody?: object;
  responses: Record<string, object>;
}

interface Parameter {
  name: string;
  in: 'path' | 'query';
  required: boolean;
  schema: unknown;
}

export interface OpenApi {
  openapi: '3.1.0';
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  components: object;
  paths: Record<string, Record<string, Operation>>;
}

const problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'instance'],
  properties: {
    type: { type: 'string', examples: ['urn:latchkey:problem:ticket.closed'] },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'For people, in the language asked for by Accept-Language.' },
    code: { type: 'string', description: 'For programs; stable.' },
    instance: { type: 'string', description: 'The id of the request, found again in the log.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'code', 'detail'],
        properties: { field: { type: 'string' }, code: { type: 'string' }, detail: { type: 'string' } },
      },
    },
  },
};

/** The OpenAPI 3.1 document of all routes that carry API facts; the schemas are the very ones that parse. */
export function openApiOf(
  routes: readonly Route[],
  { origin, version }: { origin: string; version: string },
): OpenApi {
  const paths: OpenApi['paths'] = {};
  for (const route of routes) {
    if (!route.api) continue;
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operationOf(route, path) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Latchkey',
      version,
      description:
        'JSON only. Times are ISO 8601 with an offset. Errors are RFC 9457 problems with a machine code. ' +
        'Personal tokens (`lkpat_…`) are made under Account › API tokens.',
    },
    servers: [{ url: origin }],
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'lkpat_…' } },
      schemas: { Problem: problem },
    },
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => a.localeCompare(b))),
  };
}

function operationOf(route: Route, path: string): Operation {
  const { api, method, access } = route;
  if (!api) throw new TypeError(`${method} ${path} has no API facts`);
  const right = typeof access === 'object' ? ` Needs the right \`${access.right}\`.` : '';
  const scope = api.scope === undefined ? '' : ` Token scope: \`${api.scope}\`.`;
  const description = `${api.description ?? ''}${right}${scope}`.trim();
  return {
    operationId: `${method}${path.replace(/[^a-z0-9]+(\w?)/gi, (_, next: string) => next.toUpperCase())}`,
    tags: [api.tag],
    summary: api.summary,
    ...(description === '' ? {} : { description }),
    security: access === 'public' ? [] : [{ token: api.scope === undefined ? [] : [api.scope] }],
    parameters: [...pathParameters(path), ...queryParameters(route)],
    ...(route.body ? { requestBody: requestBodyOf(route, route.body) } : {}),
    responses: { ...responsesOf(api.responses), default: problemResponse },
  };
}

const problemResponse = {
  description: 'A problem (RFC 9457).',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

const pathParameters = (path: string): Parameter[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));

function queryParameters({ query }: Route): Parameter[] {
  if (!query) return [];
  const { properties = {}, required = [] } = jsonSchema(query, 'input') as {
    properties?: Record<string, unknown>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

const requestBodyOf = (route: Route, body: z.ZodType): object => ({
  required: true,
  content: {
    [route.uploads === true ? 'multipart/form-data' : 'application/json']: {
      schema: jsonSchema(body, 'input'),
    },
  },
});

const responsesOf = (
  responses: Record<number, { description: string; schema?: z.ZodType }>,
): Record<string, object> =>
  Object.fromEntries(
    Object.entries(responses).map(([status, { description, schema }]) => [
      status,
      schema
        ? { description, content: { 'application/json': { schema: jsonSchema(schema, 'output') } } }
        : { description },
    ]),
  );

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output'): unknown => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
};

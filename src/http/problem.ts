import type { ErrorKind, KnownError } from '../shared/errors.ts';

/** The one table that knows which kind of refusal has which status. */
const statuses: Record<ErrorKind, number> = {
  'not-found': 404,
  gone: 410,
  forbidden: 403,
  unauthenticated: 401,
  'invalid-input': 422,
  conflict: 409,
  veto: 409,
  'too-many': 429,
  unavailable: 503,
};

/** What was sent has the wrong shape altogether; what it means was never looked at. */
export const SHAPE = 'input.invalid';

export const statusOf = (error: KnownError): number => statuses[error.kind];

export type Translate = (key: string, params: Record<string, string | number>) => string;

/** RFC 9457. `code` is what programs look at, `detail` is for people, in their language. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  /** The request's id, to be quoted to whoever runs the server. */
  instance: string;
  errors?: { field: string; code: string; detail: string }[];
}

export function problemOf(error: KnownError, facts: { requestId: string; t: Translate }): Problem {
  const status = error.code === SHAPE ? 400 : statusOf(error);
  return {
    type: `urn:latchkey:problem:${error.code}`,
    title: facts.t(`errors.kind.${error.kind}`, {}),
    status,
    detail: facts.t(`errors.${error.code}`, error.params),
    code: error.code,
    instance: facts.requestId,
    ...(error.fields.length > 0
      ? {
          errors: error.fields.map(({ field, code, params }) => ({
            field,
            code,
            detail: facts.t(`errors.${code}`, params ?? {}),
          })),
        }
      : {}),
  };
}

/** One problem with one field of what was sent; `code` is what the person reads, through i18n. */
export interface FieldProblem {
  field: string;
  code: string;
  params?: Record<string, string | number>;
}

interface Details {
  cause?: unknown;
  /** Values the message needs, e.g. `{ label: 'Paris office' }`. Never a secret. */
  params?: Record<string, string | number>;
  /** Seconds after which trying again makes sense. */
  retryAfter?: number;
  fields?: FieldProblem[];
}

/**
 * A refusal with a kind (the class, which HTTP maps to a status) and a free machine code, which is also its i18n key:
 * `ticket.closed` is looked up as `errors:ticket.closed`, or in the plugin's own namespace.
 */
export abstract class KnownError extends Error {
  abstract readonly kind: ErrorKind;
  readonly code: string;
  readonly params: Record<string, string | number>;
  readonly retryAfter: number | undefined;
  readonly fields: readonly FieldProblem[];

  constructor(code: string, details: Details = {}) {
    super(code, { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.params = details.params ?? {};
    this.retryAfter = details.retryAfter;
    this.fields = details.fields ?? [];
  }
}

export type ErrorKind =
  | 'not-found'
  | 'gone'
  | 'forbidden'
  | 'unauthenticated'
  | 'invalid-input'
  | 'conflict'
  | 'veto'
  | 'too-many'
  | 'unavailable';

export class NotFoundError extends KnownError {
  readonly kind = 'not-found';
}

/** It was here and is over: an expired invitation, a used link. */
export class GoneError extends KnownError {
  readonly kind = 'gone';
}

export class ForbiddenError extends KnownError {
  readonly kind = 'forbidden';
}

export class UnauthenticatedError extends KnownError {
  readonly kind = 'unauthenticated';
}

/** What was sent cannot be used as it is; `fields` says where. */
export class InvalidInputError extends KnownError {
  readonly kind = 'invalid-input';
}

/** It was right when it was read, and is not now. */
export class ConflictError extends KnownError {
  readonly kind = 'conflict';
}

/** A plugin (or a rule of the house) said no. */
export class VetoError extends KnownError {
  readonly kind = 'veto';
}

export class TooManyError extends KnownError {
  readonly kind = 'too-many';
}

export class UnavailableError extends KnownError {
  readonly kind = 'unavailable';
}

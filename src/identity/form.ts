import { z } from 'zod';
import type { FieldProblem, KnownError } from '../shared/errors.ts';

/** What was typed into these fields, to be shown again. Never name a password here. */
export function typedIn(body: unknown, fields: readonly string[]): Record<string, string> {
  const sent = z.record(z.string(), z.unknown()).safeParse(body).data ?? {};
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = sent[field];
      return typeof value === 'string' ? [[field, value]] : [];
    }),
  );
}

export interface Refusal {
  errors?: readonly FieldProblem[];
}

/** What the summary of a form shows: a problem per field, or the one that belongs to none. */
export function refusalOf(error: KnownError | undefined): Refusal {
  if (!error) return {};
  if (error.fields.length > 0) return { errors: error.fields };
  return {
    errors: [{ field: '', code: error.code, params: { ...error.params, seconds: error.retryAfter ?? 0 } }],
  };
}

/** A field that a form may carry not at all, once, or several times. */
export const many = <T>(item: z.ZodType<T>): z.ZodType<T[]> =>
  z.preprocess((sent) => (sent === undefined ? [] : [sent].flat()), z.array(item).max(500));

/** A checkbox: there when it is ticked. */
export const ticked = z.preprocess((sent) => sent === 'true' || sent === 'on' || sent === true, z.boolean());

import type { z } from 'zod';
import { InvalidInputError, type FieldProblem } from '../shared/errors.ts';
import { SHAPE } from './problem.ts';

/**
 * Parses what came in, once. A schema's own message may be one of our codes (`z.string().min(1, 'field.required')`);
 * zod's built-in ones are mapped to codes of ours.
 * @throws {InvalidInputError} `input.invalid` with a problem per field
 */
export function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new InvalidInputError(SHAPE, { fields: result.error.issues.map(problemFrom) });
}

type Issue = z.core.$ZodIssue;

function problemFrom(issue: Issue): FieldProblem {
  const field = issue.path.map(String).join('.');
  const own = /^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+$/.test(issue.message) ? issue.message : null;
  return { field, code: own ?? builtInCode(issue), params: paramsOf(issue) };
}

function builtInCode(issue: Issue): string {
  switch (issue.code) {
    case 'too_small':
      return isEmptyText(issue) ? 'field.required' : 'field.too-small';
    case 'too_big':
      return 'field.too-big';
    case 'invalid_type':
      return issue.input === undefined ? 'field.required' : 'field.wrong-type';
    case 'invalid_format':
      return issue.format === 'email' ? 'field.email' : 'field.format';
    case 'unrecognized_keys':
      return 'field.unknown';
    default:
      return 'field.invalid';
  }
}

const isEmptyText = (issue: Issue): boolean =>
  issue.code === 'too_small' && issue.origin === 'string' && Number(issue.minimum) <= 1;

function paramsOf(issue: Issue): Record<string, string | number> {
  if (issue.code === 'too_small') return { minimum: Number(issue.minimum) };
  if (issue.code === 'too_big') return { maximum: Number(issue.maximum) };
  if (issue.code === 'unrecognized_keys') return { keys: issue.keys.join(', ') };
  return {};
}

import { describe, expect, test } from 'vitest';
import { exitCodeOf, isOutOfReach } from '../../src/cli/exit-codes.ts';
import {
  ConflictError,
  ForbiddenError,
  GoneError,
  InvalidInputError,
  NotFoundError,
  TooManyError,
  UnauthenticatedError,
  UnavailableError,
  VetoError,
} from '../../src/shared/errors.ts';

describe('a script can tell from the exit code', () => {
  test('what kind of refusal it met', () => {
    const codes = [
      [InvalidInputError, 64],
      [NotFoundError, 66],
      [UnavailableError, 69],
      [ForbiddenError, 77],
      [UnauthenticatedError, 77],
      [ConflictError, 1],
      [GoneError, 1],
      [VetoError, 1],
      [TooManyError, 1],
    ] as const;

    for (const [Kind, code] of codes) expect(exitCodeOf(new Kind('some.reason')), Kind.name).toBe(code);
  });

  test('a database that is away from one that is wrong', () => {
    const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const noFile = Object.assign(new Error('unable to open database file'), { errcode: 14 });
    const noTable = Object.assign(new Error('no such table'), { code: 'ERR_SQLITE_ERROR', errcode: 1 });

    expect([away, noFile, noTable, 'text'].map(isOutOfReach)).toEqual([true, true, false, false]);
  });
});

import type { KnownError } from '../shared/errors.ts';

/** sysexits.h where one fits. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 64,
  notFound: 66,
  unavailable: 69,
  forbidden: 77,
  config: 78,
} as const;

export function exitCodeOf({ kind }: KnownError): number {
  switch (kind) {
    case 'not-found':
      return exitCodes.notFound;
    case 'forbidden':
    case 'unauthenticated':
      return exitCodes.forbidden;
    case 'unavailable':
      return exitCodes.unavailable;
    case 'invalid-input':
      return exitCodes.usage;
    case 'gone':
    case 'conflict':
    case 'veto':
    case 'too-many':
      return exitCodes.failed;
  }
}

const unreachable = [
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EACCES',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EROFS',
  'ETIMEDOUT',
  'ER_ACCESS_DENIED_ERROR',
  'ER_BAD_DB_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
];
/** SQLITE_CANTOPEN and SQLITE_NOTADB. */
const unopenable = [14, 26];

/** The database refuses, or the port or the folder is not to be had: for whoever started it to mend. */
export function isOutOfReach(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('errcode' in error && unopenable.includes(Number(error.errcode))) return true;
  return 'code' in error && unreachable.includes(String(error.code));
}

import { mysqlDialect } from './mysql.ts';
import { sqliteDialect } from './sqlite.ts';

/** The database is away, or gave way to somebody else, outside any transaction that could be run again: asking later helps. */
export const isPassingTrouble = (error: unknown): boolean =>
  error instanceof Error &&
  (mysqlDialect.isTransactionLost(error) ||
    sqliteDialect.isTransactionLost(error) ||
    isConnectionLost(error));

/** mysql2 calls the loss of a connection fatal; knex gives up waiting for one. */
const isConnectionLost = (error: Error): boolean =>
  ('fatal' in error && error.fatal === true) || error.name === 'KnexTimeoutError';

/** As if the engine had sacrificed the transaction. */
export const lostTransaction = (engine: string): Error =>
  engine === 'sqlite'
    ? Object.assign(new Error('database is locked'), { code: 'ERR_SQLITE_ERROR' })
    : Object.assign(new Error('Deadlock found'), { errno: 1213, code: 'ER_LOCK_DEADLOCK' });

import type { Database } from '../src/db/database.ts';

const ROWS_IN_ONE_STATEMENT = 50_000;
const DAY_MS = 24 * 3_600_000;
const subjects = ['physics', 'history', 'chemistry', 'support', 'onboarding', 'contractors', 'nights'];

type Row = Record<string, unknown>;

/**
 * As many keys as asked for, like the first one and in every state, and a redemption for each; half of these belong to the oldest
 * key, whose id is the answer. The database makes them itself: sending it a million rows would take longer than what is measured.
 */
export async function fillWithKeys(db: Database, modelId: string, count: number): Promise<string> {
  const [model] = (await db.knex('invite_key').where({ id: modelId })) as [Row];
  const [keys, words, redemptions] = [
    { ...ownNames(model), ...keyLike(db, { now: Date.now(), count, model }) },
    wordsOf,
    redemptionLike(db, { now: Date.now(), count }),
  ];
  await hurry(db);
  for (let from = 0; from < count; from += ROWS_IN_ONE_STATEMENT) {
    const source = `${numbers(from, Math.min(from + ROWS_IN_ONE_STATEMENT, count))} CROSS JOIN invite_key model WHERE model.id = '${modelId}'`;
    await db.execute(insert('invite_key', keys, source));
    for (const word of words)
      await db.execute(insert('invite_key_word', { word, key_id: idOf('n') }, source));
    await db.execute(insert('invite_redemption', redemptions, source));
  }
  // What a server that has run for a while knows about its tables.
  if (db.dialect.name === 'mysql')
    await db.execute('ANALYZE TABLE invite_key, invite_key_word, invite_redemption');
  else await db.execute('PRAGMA wal_checkpoint(TRUNCATE)');
  return `01${'0'.repeat(24)}`;
}

const insert = (table: string, columns: Record<string, string>, source: string): string =>
  `INSERT INTO ${table} (${Object.keys(columns).join(', ')}) SELECT ${Object.values(columns).join(', ')} FROM ${source}`;

/** Not for data that anybody wants to keep. */
async function hurry(db: Database): Promise<void> {
  const statements =
    db.dialect.name === 'sqlite'
      ? ['PRAGMA synchronous = OFF', 'PRAGMA foreign_keys = OFF', 'PRAGMA cache_size = -1000000']
      : ['SET unique_checks = 0', 'SET foreign_key_checks = 0', 'SET max_statement_time = 0'];
  for (const statement of statements) await db.execute(statement);
}

/** A table of whole numbers that both engines make out of nothing. */
function numbers(from: number, below: number): string {
  const digit = Array.from({ length: 10 }, (_, at) => `SELECT ${String(at)} AS d`).join(' UNION ALL ');
  const [ones, tens, hundreds, thousands, rest] = ['a', 'b', 'c', 'e', 'f'].map(
    (name) => `(${digit}) ${name}`,
  );
  const number = `${String(from)} + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d`;
  return `(SELECT ${number} AS n FROM ${[ones, tens, hundreds, thousands, rest].join(' CROSS JOIN ')} WHERE ${number} < ${String(below)}) numbers`;
}

const padded = (expression: string, length: number): string =>
  `SUBSTR(CONCAT('${'0'.repeat(length)}', ${expression}), -${String(length)})`;

/** Below every id that is made today, and in the order of time. */
const idOf = (n: string): string => `CONCAT('01', ${padded(n, 24)})`;

const subject = `CASE n % 7 ${subjects.map((name, at) => `WHEN ${String(at)} THEN '${name}'`).join(' ')} END`;
const batch = `CONCAT('batch', ${padded('(n - n % 20)', 8)})`;
const wordsOf = [subject, `'term'`, batch];

const ownNames = (row: Row): Record<string, string> =>
  Object.fromEntries(Object.keys(row).map((column) => [column, `model.${column}`]));

const digestIn = (db: Database): string =>
  db.dialect.name === 'sqlite' ? 'randomblob(32)' : 'RANDOM_BYTES(32)';

interface Times {
  now: number;
  count: number;
}

const timeOf = ({ now, count }: Times): string => `${String(now - count * 1_000)} + n * 1000`;

/**
 * Of ten keys four are open, and the others have ended in one way or another; one of a hundred has yet to begin, and some of the oldest,
 * so that a thousand keys fill a page of those too.
 */
function keyLike(db: Database, { now, count, model }: Times & { model: Row }): Record<string, string> {
  const label = `CONCAT(${subject}, ' term ', ${batch})`;
  const isOpen = 'n = 0 OR n % 100 = 7 OR n % 10 < 4';
  const isToBegin = 'n > 0 AND n % 100 = 7 OR n < 100 AND n % 10 IN (1, 2, 3)';
  const isUsedUp = `NOT (${isOpen}) AND n % 10 >= 8`;
  const [yesterday, tomorrow, nextMonth] = [now - DAY_MS, now + DAY_MS, now + 30 * DAY_MS].map(String);
  const isIn = (from: number): string =>
    `NOT (${isOpen}) AND n % 10 IN (${String(from)}, ${String(from + 1)})`;
  return {
    id: idOf('n'),
    label,
    search_text: label,
    explain_code: padded('n % 10000', 4),
    lookup: digestIn(db),
    ...(model['terms_mark'] === undefined ? {} : { terms_mark: digestIn(db) }),
    created_at: timeOf({ now, count }),
    updated_at: timeOf({ now, count }),
    max_uses: `CASE WHEN ${isUsedUp} THEN 1 END`,
    uses: `CASE WHEN n = 0 OR ${isUsedUp} THEN 1 ELSE 0 END`,
    seat_seq: `CASE WHEN n = 0 OR ${isUsedUp} THEN 1 ELSE 0 END`,
    is_full: `CASE WHEN ${isUsedUp} THEN 1 ELSE 0 END`,
    not_before: `CASE WHEN ${isToBegin} THEN ${tomorrow ?? ''} END`,
    expires_at: `CASE WHEN ${isIn(4)} THEN ${yesterday ?? ''} ELSE ${nextMonth ?? ''} END`,
    revoked_at: `CASE WHEN ${isIn(6)} THEN ${yesterday ?? ''} END`,
  };
}

const redemptionLike = (db: Database, times: Times): Record<string, string> => ({
  id: idOf('n'),
  key_id: `CASE WHEN n % 2 = 0 THEN ${idOf('0')} ELSE ${idOf('n')} END`,
  entity_id: 'model.entity_id',
  seat: 'n + 1',
  status: `'active'`,
  how: `'new'`,
  user_id: idOf('n'),
  address_mac: digestIn(db),
  address_slot: digestIn(db),
  at: timeOf(times),
  settled_at: timeOf(times),
  network: `''`,
});

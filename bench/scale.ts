import { randomBytes } from 'node:crypto';
import { Database, type Tx } from '../src/db/database.ts';
import { newId } from '../src/shared/ids.ts';
import { HttpClient } from '../test/support/http-client.ts';
import type { TestServer } from '../test/support/server-process.ts';
import type { Ground, Place } from './ground.ts';
import { mintKey } from './key.ts';
import { runProgram } from './run-program.ts';

const FEW = 1_000;
/** `npm run bench -- scale 20000` tries it out. */
const MANY = Number(process.argv[3] ?? 1_000_000);
const ROUNDS = 200;
const WARM_UP = 30;
const BAR = 1.5;
const ROWS_IN_ONE_INSERT = 500;
const ROWS_IN_ONE_TRANSACTION = 20_000;
const DAY_MS = 24 * 3_600_000;
const subjects = ['Physics', 'History', 'Chemistry', 'Support', 'Onboarding', 'Contractors', 'Night shift'];

/** Key look-up, lists, search and redemptions among a thousand and among a million: p95 of each, a server beside the other, rounds taking turns. */
export async function benchScale(ground: Ground): Promise<boolean> {
  const results: boolean[] = [];
  const few = await ground.places();
  const many = await ground.places();
  for (const [at, small] of few.entries()) {
    const big = many[at];
    if (big) results.push(await compare(ground, small, big));
  }
  return results.every(Boolean);
}

interface Side {
  client: HttpClient;
  server: TestServer;
  asks: Map<string, () => Promise<unknown>>;
  times: Map<string, number[]>;
}

async function compare(ground: Ground, small: Place, big: Place): Promise<boolean> {
  const [few, many] = [await openSide(ground, small, FEW), await openSide(ground, big, MANY)];
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    for (const side of [few, many]) {
      for (const [name, ask] of side.asks) {
        const began = performance.now();
        await ask();
        if (round >= 0) side.times.get(name)?.push(performance.now() - began);
      }
    }
  }
  for (const { server, client } of [few, many]) {
    await client.close();
    await server.stop();
  }
  return [...few.asks.keys()].map((name) => judged(name, small.engine, few, many)).every(Boolean);
}

function judged(name: string, engine: string, few: Side, many: Side): boolean {
  const [one, other] = [p95(few.times.get(name) ?? []), p95(many.times.get(name) ?? [])];
  const ratio = other / one;
  const isReached = ratio <= BAR;
  console.log(
    `${isReached ? '✓' : '✗'} ${name} on ${engine}: p95 ${one.toFixed(1)} ms among ${String(FEW)}, ${other.toFixed(1)} ms among ${String(MANY)}: ${ratio.toFixed(2)} (bar: at most ${String(BAR)})`,
  );
  return isReached;
}

const p95 = (times: readonly number[]): number =>
  [...times].sort((one, other) => one - other)[Math.floor(times.length * 0.95)] ?? 0;

async function openSide(ground: Ground, place: Place, count: number): Promise<Side> {
  const { id, key } = await mintKey(place, { maxUses: 100 });
  const began = performance.now();
  const db = Database.open(place.databaseUrl);
  const busiest = await fill(db, id, count);
  await db.close();
  console.log(
    `${place.engine}: ${String(count)} keys and as many redemptions written in ${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
  const server = await ground.start(place);
  const client = new HttpClient(server.url);
  client.headers.set('authorization', `Bearer ${await ownersToken(place)}`);
  const get = (path: string) => async (): Promise<void> => {
    const answer = await client.call('GET', path);
    if (answer.status !== 200) throw new Error(`${path} answered ${String(answer.status)}: ${answer.text}`);
  };
  const list = '/api/v1/invitation-keys';
  const asks = new Map<string, () => Promise<unknown>>([
    ['key look-up', () => client.call('POST', `${list}/check`, { key })],
    ['key list', get(list)],
    ['key list, page 20', get(`${list}?page=20`)],
    ['key list, active', get(`${list}?status=active`)],
    ['key list, finished', get(`${list}?status=finished`)],
    ['key list, scheduled', get(`${list}?status=scheduled`)],
    ['search for a common word', get(`${list}?search=physics`)],
    ['search for a rare word', get(`${list}?search=batch77`)],
    ['search for two words among the active', get(`${list}?status=active&search=physics+term`)],
    ['redemption list', get(`${list}/${busiest}/redemptions`)],
    ['redemption list, page 20', get(`${list}/${busiest}/redemptions?page=20`)],
  ]);
  return { server, client, asks, times: new Map([...asks.keys()].map((name) => [name, []])) };
}

async function ownersToken({ databaseUrl, dataDir, env }: Place): Promise<string> {
  const words = ['token', 'create', '--user', 'olive@example.org', '--name', 'scale', '--json'];
  const settings = { LATCHKEY_DATABASE_URL: databaseUrl, LATCHKEY_DATA_DIR: dataDir, ...env };
  return ((await runProgram('src/cli.ts', words, settings)) as { token: string }).token;
}

type Row = Record<string, unknown>;

/** Keys like the first one, in every state; half of the redemptions belong to one of them. Answers which. */
async function fill(db: Database, modelId: string, count: number): Promise<string> {
  const [model] = (await db.knex('invite_key').where({ id: modelId })) as [Row];
  const busiest = newId();
  const now = Date.now();
  for (let from = 0; from < count; from += ROWS_IN_ONE_TRANSACTION) {
    const many = Math.min(ROWS_IN_ONE_TRANSACTION, count - from);
    await db.transaction(async (tx) => {
      const keys = Array.from({ length: many }, (_, at) => keyLike(model, { at: from + at, now, busiest }));
      await insertAll(tx, 'invite_key', keys);
      await insertAll(
        tx,
        'invite_key_word',
        keys.flatMap(({ id, search_text: text }) =>
          String(text)
            .split(' ')
            .map((word) => ({ word, key_id: id })),
        ),
      );
      await insertAll(
        tx,
        'invite_redemption',
        keys.map((key, at) =>
          redemptionOf(at % 2 === 0 ? busiest : String(key['id']), { at: from + at, now, model }),
        ),
      );
    });
  }
  // What a server that has run for a while knows about its tables.
  if (db.dialect.name === 'mysql')
    await db.execute('ANALYZE TABLE invite_key, invite_key_word, invite_redemption');
  return busiest;
}

function keyLike(model: Row, { at, now, busiest }: { at: number; now: number; busiest: string }): Row {
  const label = `${subjects[at % subjects.length] ?? ''} term batch${String(Math.floor(at / 20))}`;
  const made = now - at * 1_000;
  return {
    ...model,
    id: at === 0 ? busiest : newId(),
    label,
    search_text: label.toLowerCase(),
    explain_code: String(at % 10_000).padStart(4, '0'),
    lookup: randomBytes(32),
    ...(model['terms_mark'] === undefined ? {} : { terms_mark: randomBytes(32) }),
    ...stateOf(at, now),
    created_at: made,
    updated_at: made,
  };
}

/** Of ten keys four are open, and the others have ended in one way or another; one of a hundred has yet to begin. */
function stateOf(at: number, now: number): Row {
  const open = {
    max_uses: null,
    uses: 0,
    seat_seq: 0,
    is_full: 0,
    not_before: null,
    expires_at: now + 30 * DAY_MS,
  };
  if (at === 0) return { ...open, uses: 1, seat_seq: 1 };
  if (at % 100 === 7) return { ...open, not_before: now + DAY_MS };
  if (at % 10 < 4) return open;
  if (at % 10 < 6) return { ...open, expires_at: now - DAY_MS };
  if (at % 10 < 8) return { ...open, revoked_at: now - DAY_MS };
  return { ...open, max_uses: 1, uses: 1, seat_seq: 1, is_full: 1 };
}

function redemptionOf(keyId: string, { at, now, model }: { at: number; now: number; model: Row }): Row {
  return {
    id: newId(),
    key_id: keyId,
    entity_id: model['entity_id'],
    seat: at + 1,
    status: 'active',
    how: 'new',
    user_id: newId(),
    address_mac: randomBytes(32),
    address_slot: randomBytes(32),
    at: now - at * 1_000,
    settled_at: now - at * 1_000,
    network: '',
  };
}

async function insertAll(tx: Tx, table: string, rows: readonly Row[]): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_IN_ONE_INSERT)
    await tx.knex(table).insert(rows.slice(from, from + ROWS_IN_ONE_INSERT));
}

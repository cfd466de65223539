import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { testClock } from '../support/clock.ts';
import type { TestServer } from '../support/server-process.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import type { Contender, Nodes, Outcome } from './nodes.ts';

export const ROUNDS = Number(process.env['LATCHKEY_TEST_ROUNDS'] ?? 3);
const MOST_REPEATS = 12;
const PAUSE_MS = 1_000;

/** One house with several servers, which all tests of a file share. */
export interface Stage {
  nodes: Nodes;
  servers: readonly TestServer[];
}

/** Of all servers the first and the last: who starts a race, and who interferes. */
export const first = ({ servers: [one] }: Stage): TestServer => one ?? missingServer();
export const last = ({ servers }: Stage): TestServer => servers.at(-1) ?? missingServer();

const missingServer = (): never => {
  throw new Error('The stage has no server');
};

export const joined = (outcomes: readonly Outcome[]): Outcome[] =>
  outcomes.filter(({ result }) => result === 'joined');
export const emailsOf = (people: readonly Contender[]): string[] => people.map(({ email }) => email).sort();
const resultsOf = (outcomes: readonly Outcome[]): Set<string> =>
  new Set(outcomes.map(({ result }) => result));

/** The answer is about the key, so there is no sense in asking again. */
export const isSettled = ({ result }: Outcome): boolean =>
  result === 'joined' || (result.startsWith('invitation.') && result !== 'invitation.long_line');

/** Whoever got no answer, or was told to come back, sends the same form again until there is one. */
export async function askUntilSettled(
  { nodes }: Stage,
  servers: readonly TestServer[],
  key: string,
  outcomes: readonly Outcome[],
): Promise<Outcome[]> {
  let known = [...outcomes];
  for (let repeat = 0; repeat < MOST_REPEATS && !known.every(isSettled); repeat += 1) {
    if (repeat > 0) await sleep(PAUSE_MS);
    const open = known.filter((outcome) => !isSettled(outcome));
    known = [...known.filter(isSettled), ...(await nodes.storm(servers, key, open))];
  }
  return known;
}

/** Everybody who was told so has one account and one seat, nobody else has anything, and the key has counted the same. */
export async function expectExactly(
  { nodes }: Stage,
  keyId: string,
  outcomes: readonly Outcome[],
): Promise<void> {
  const accounts = await nodes.accountsOf(outcomes);
  const held = [...accounts].filter(([, count]) => count > 0);
  expect(held.map(([email]) => email).sort()).toEqual(emailsOf(joined(outcomes)));
  expect(held.map(([, count]) => count)).toEqual(held.map(() => 1));
  expect(await nodes.seatsOf(keyId)).toEqual({ uses: held.length, people: held.length });
}

/** The cases "At the same time" that hold on any database with any number of servers. */
export function promisesAtTheSameTime(open: () => Promise<Stage>): () => Stage {
  let opened: Stage | null = null;
  const stage = (): Stage => opened ?? missingServer();

  beforeAll(async () => {
    opened = await open();
  }, 180_000);

  test.each([
    ['P01 one seat goes to one of two', 1, 2],
    ['P01 one seat goes to one of ten', 1, 10],
    ['P02 ten seats go to ten of sixty', 10, 60],
  ])('%s who come at the same instant, and the others are refused politely', async (_name, seats, people) => {
    const { nodes, servers } = stage();
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, key } = await nodes.mint(first(stage()), seats);
      const contenders = nodes.newcomers(people);

      const outcomes = await nodes.storm(servers, key, contenders);

      expect(joined(outcomes)).toHaveLength(seats);
      expect(resultsOf(outcomes)).toEqual(new Set(['joined', 'invitation.used_up']));
      await expectExactly(stage(), id, outcomes);
    }
  });

  test('P03 two hundred and fifty seats go to exactly that many of three hundred', async () => {
    const { nodes, servers } = stage();
    const { id, key } = await nodes.mint(first(stage()), 250);

    const outcomes = await nodes.storm(servers, key, nodes.newcomers(300));
    const settled = await askUntilSettled(stage(), servers, key, outcomes);

    expect(joined(settled)).toHaveLength(250);
    expect(resultsOf(settled)).toEqual(new Set(['joined', 'invitation.used_up']));
    await expectExactly(stage(), id, settled);
  });

  test('P04 thirty forms with one address are one account and one seat', async () => {
    const { nodes, servers } = stage();
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, key } = await nodes.mint(first(stage()), 10);
      const [somebody] = nodes.newcomers(1) as [Contender];
      const forms = nodes.newcomers(30).map(({ redeemId }) => ({ ...somebody, redeemId }));

      const outcomes = await nodes.storm(servers, key, forms);

      expect(resultsOf(outcomes)).toEqual(new Set(['joined']));
      expect(await nodes.accountsOf([somebody])).toEqual(new Map([[somebody.email, 1]]));
      expect(await nodes.seatsOf(id)).toEqual({ uses: 1, people: 1 });
    }
  });

  test('one form sent ten times is one account and one seat', async () => {
    const { nodes, servers } = stage();
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, key } = await nodes.mint(first(stage()), 5);
      const [impatient] = nodes.newcomers(1) as [Contender];

      const outcomes = await nodes.storm(servers, key, Array<Contender>(10).fill(impatient));

      expect(joined(outcomes).length).toBeGreaterThan(0);
      expect(await nodes.accountsOf([impatient])).toEqual(new Map([[impatient.email, 1]]));
      expect(await nodes.seatsOf(id)).toEqual({ uses: 1, people: 1 });
    }
  });

  test('P06 nobody joins after another server has answered that the key is revoked', async () => {
    const { nodes, servers } = stage();
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, key } = await nodes.mint(first(stage()), 1_000);
      const revoke = async (): Promise<{ at: number; people: number }> => {
        const { status } = await nodes.asOwner(last(stage()), 'POST', `/api/v1/invitation-keys/${id}/revoke`);
        const at = Date.now();
        expect(status).toBeLessThan(300);
        return { at, people: (await nodes.seatsOf(id)).people };
      };
      let welcomed = 0;
      const revoked: ReturnType<typeof revoke>[] = [];

      const outcomes = await nodes.storm(servers, key, nodes.newcomers(60), ({ result }) => {
        welcomed += result === 'joined' ? 1 : 0;
        if (welcomed === 5 && revoked.length === 0) revoked.push(revoke());
      });
      const { at, people } = await (revoked[0] ?? revoke());

      expect(resultsOf(outcomes)).toEqual(new Set(['joined', 'invitation.revoked']));
      expect(joined(outcomes)).toHaveLength(people);
      await expectExactly(stage(), id, outcomes);
      expect(await seatsTakenAfter(stage(), id, at)).toBe(0);
    }
  });

  test('P08 a seat that comes back late does not reopen a key that was revoked meanwhile', async () => {
    const [app, other] = await houses(stage());
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, key } = await app.given.invitationKey({ maxUses: 1, emailProof: 'required' });
      await hold(app, key, newcomerIn(stage()));
      await lapse(stage(), id);
      const owner = app.api(await app.given.owner());

      const [revoked] = await Promise.all([
        owner.call('POST', `/api/v1/invitation-keys/${id}/revoke`),
        sweep(app),
        sweep(other),
      ]);
      await sweep(app);
      const [late] = await stage().nodes.storm([first(stage())], key, stage().nodes.newcomers(1));

      expect(revoked.status).toBeLessThan(300);
      expect(late?.result).toBe('invitation.revoked');
      expect((await owner.call('GET', `/api/v1/invitation-keys/${id}`)).json()).toMatchObject({
        uses: 0,
        status: 'revoked',
      });
    }
  });

  test('P11 whoever was told so keeps the seat when a server is killed in the middle, and a repeat settles the rest', async () => {
    const { nodes, servers } = stage();
    for (let round = 0; round < ROUNDS; round += 1) {
      const victim = await nodes.start(nodes.urls.length - 1);
      const survivors = servers.slice(0, -1);
      const { id, key } = await nodes.mint(first(stage()), 30);
      let welcomed = 0;

      const outcomes = await nodes.storm([victim, ...survivors], key, nodes.newcomers(40), ({ result }) => {
        welcomed += result === 'joined' ? 1 : 0;
        if (result === 'joined' && welcomed === 3 + (round % 12)) void victim.kill9();
      });
      const settled = await askUntilSettled(stage(), survivors, key, outcomes);

      expect(outcomes.some(({ result }) => result === 'cut')).toBe(true);
      expect(joined(settled)).toHaveLength(30);
      expect(resultsOf(settled)).toEqual(new Set(['joined', 'invitation.used_up']));
      await expectExactly(stage(), id, settled);
      await victim.kill9();
    }
  });

  test('P11 a server that is frozen in the middle and wakes up gives nobody a second seat', async () => {
    const { nodes, servers } = stage();
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, key } = await nodes.mint(first(stage()), 30);
      let welcomed = 0;
      const freeze = async (): Promise<void> => {
        last(stage()).freeze();
        await sleep(2_000);
        last(stage()).thaw();
      };
      const frozen: Promise<void>[] = [];

      const outcomes = await nodes.storm(servers, key, nodes.newcomers(40), ({ result }) => {
        welcomed += result === 'joined' ? 1 : 0;
        if (result === 'joined' && welcomed === 3 + (round % 12)) frozen.push(freeze());
      });
      await Promise.all(frozen);
      const settled = await askUntilSettled(stage(), servers, key, outcomes);

      expect(joined(settled)).toHaveLength(30);
      expect(resultsOf(settled)).toEqual(new Set(['joined', 'invitation.used_up']));
      await expectExactly(stage(), id, settled);
    }
  });

  test('P12 a key that is deleted while people join refuses the late ones cleanly', async () => {
    const { nodes, servers } = stage();
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, key } = await nodes.mint(first(stage()), 10);

      const [outcomes, deleted] = await Promise.all([
        nodes.storm(servers, key, nodes.newcomers(6)),
        nodes.asOwner(last(stage()), 'DELETE', `/api/v1/invitation-keys/${id}`),
      ]);

      expect([200, 204, 409]).toContain(deleted.status);
      expect([...resultsOf(outcomes)].filter((result) => !isPolite(result))).toEqual([]);
      const accounts = await nodes.accountsOf(outcomes);
      expect(outcomes.map(({ email }) => accounts.get(email))).toEqual(
        outcomes.map(({ result }) => (result === 'joined' ? 1 : 0)),
      );
      expect((await nodes.seatsOf(id)).people).toBe(joined(outcomes).length);
    }
  });

  test('P13 of two sign-ups that hold the last seats one lapses: its seat comes back once', async () => {
    const [app, other] = await houses(stage());
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, key } = await app.given.invitationKey({ maxUses: 2, emailProof: 'required' });
      const [late, stays] = [newcomerIn(stage()), newcomerIn(stage())];
      await hold(app, key, late);
      await hold(other, key, stays);
      const full = await app.guest().call('POST', '/api/v1/join', newcomerForm(key, newcomerIn(stage())));
      await lapse(stage(), id, { atMost: 1 });

      await Promise.all([sweep(app), sweep(other)]);
      await hold(app, key, newcomerIn(stage()));
      const again = await app.guest().call('POST', '/api/v1/join', newcomerForm(key, newcomerIn(stage())));

      expect(full.json().code).toBe('invitation.used_up');
      expect(again.json().code).toBe('invitation.used_up');
      expect(await heldBy(stage(), id)).toEqual({ uses: 2, pending: 2, released: 1 });
    }
  });

  test('P14 sweepers on all servers at once give each seat back once', async () => {
    const apps = await houses(stage());
    const [app] = apps;
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, key } = await app.given.invitationKey({ maxUses: 8, emailProof: 'required' });
      for (let seat = 0; seat < 8; seat += 1) await hold(app, key, newcomerIn(stage()));
      await lapse(stage(), id, { atMost: 5 });

      await Promise.all([...apps, ...apps].map(sweep));

      expect(await heldBy(stage(), id)).toEqual({ uses: 3, pending: 3, released: 5 });
    }
  });

  return stage;
}

/** Refusals are about the key or the visit, never a fault of ours. */
const isPolite = (result: string): boolean => result === 'joined' || result.startsWith('invitation.');

/** Houses in this process on the same database, whose jobs can be asked to run at one instant: one for each address of it, two at least. */
async function houses({ nodes: { urls } }: Stage): Promise<[TestApp, TestApp, ...TestApp[]]> {
  const wanted = urls.length > 1 ? urls : [urls[0], urls[0]];
  const apps: TestApp[] = [];
  for (const databaseUrl of wanted)
    apps.push(await startTestApp({ databaseUrl, clock: testClock(Date.now()) }));
  return apps as [TestApp, TestApp, ...TestApp[]];
}

const newcomerIn = ({ nodes }: Stage): Contender => nodes.newcomers(1)[0] ?? missingServer();

const newcomerForm = (key: string, { email, redeemId }: Contender): object => ({
  key,
  email,
  redeemId,
  name: 'Connie Tender',
  password: 'nine slow green tractors',
});

/** Holds a seat until the address is confirmed. */
async function hold(app: TestApp, key: string, newcomer: Contender): Promise<void> {
  const answer = await app.guest().call('POST', '/api/v1/join', newcomerForm(key, newcomer));
  expect([answer.status, answer.json().status]).toEqual([201, 'pending_email']);
}

const sweep = (app: TestApp): Promise<void> =>
  app.house.domains.jobs.runNow('registration-key.give-back-seats');

/** As if a day had passed for those who hold a seat. */
async function lapse({ nodes: { db } }: Stage, keyId: string, { atMost = 1_000 } = {}): Promise<void> {
  await db.transaction((tx) =>
    tx
      .knex('invite_redemption')
      .where({ key_id: keyId, status: 'pending_email' })
      .where('seat', '<=', atMost)
      .update({ hold_until: 1 }),
  );
}

async function heldBy(
  { nodes: { db } }: Stage,
  keyId: string,
): Promise<{ uses: number; pending: number; released: number }> {
  const key = await db.knex('invite_key').where({ id: keyId }).first<{ uses: number }>('uses');
  const statuses = (await db.knex('invite_redemption').where({ key_id: keyId }).pluck('status')) as string[];
  const count = (wanted: string): number => statuses.filter((status) => status === wanted).length;
  return { uses: key.uses, pending: count('pending_email'), released: count('released') };
}

async function seatsTakenAfter({ nodes: { db } }: Stage, keyId: string, at: number): Promise<number> {
  const late = await db.knex('invite_redemption').where({ key_id: keyId }).where('at', '>', at).select('id');
  return late.length;
}

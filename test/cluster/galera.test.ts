import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { askUntilSettled, expectExactly, first, joined, promisesAtTheSameTime } from '../races/same-time.ts';
import { tryToJoin, type Outcome } from '../races/nodes.ts';
import { openDatabase } from '../support/databases.ts';
import { galeraIsInstalled } from '../support/galera.ts';
import { HttpClient } from '../support/http-client.ts';
import { missing } from '../support/loud.ts';
import type { TestServer } from '../support/server-process.ts';
import { startCluster, type Cluster } from './cluster.ts';

/** Long enough for the others to notice and to go on without it. */
const FROZEN_MS = 8_000;
const ATTEMPTS = Number(process.env['LATCHKEY_TEST_ATTEMPTS'] ?? 1_500);
const ROUNDS = Number(process.env['LATCHKEY_TEST_ROUNDS'] ?? 1);
const AT_ONCE = 60;

if (!galeraIsInstalled())
  missing(
    'Galera is not installed: the cluster is SKIPPED.',
    'Install mariadb-server with galera-4 and rsync',
  );

describe.runIf(galeraIsInstalled())('the seats of an invitation key, on three Galera nodes', () => {
  let started: Cluster | null = null;
  const cluster = (): Cluster => {
    if (started === null) throw new Error('The cluster has not started');
    return started;
  };
  promisesAtTheSameTime(async () => (started = await startCluster()));

  test('P11 whoever was told so keeps the seat when a database node is killed in the middle and comes back', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const victim = 1 + (round % 2);
      const node = cluster().galera.nodes[victim as 1 | 2];
      await raceWith(cluster(), { act: () => node.kill9(), afterwards: () => node.rejoin() });
      await expectSameEverywhere(cluster());
    }
  });

  test('P11 a database node that is frozen in the middle and wakes up has taken no seat on its own', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const node = cluster().galera.nodes[(1 + (round % 2)) as 1 | 2];
      await raceWith(cluster(), {
        act: async () => {
          node.freeze();
          await sleep(FROZEN_MS);
          node.thaw();
        },
        afterwards: () => cluster().galera.synced(),
      });
      await expectSameEverywhere(cluster());
    }
  });

  test('a plugin that the command line disables is gone from the servers at all nodes within five seconds, and comes back so', async () => {
    const { nodes, servers } = cluster();
    const statuses = (): Promise<number[]> =>
      Promise.all(servers.map(async ({ url }) => (await fetch(`${url}/join`)).status));
    const within = { timeout: 5_000, interval: 100 };

    await nodes.command('plugin', 'disable', 'registration-key');
    await expect.poll(statuses, within).toEqual([404, 404, 404]);

    await nodes.command('plugin', 'enable', 'registration-key');
    await expect.poll(statuses, within).toEqual([200, 200, 200]);
  });

  test(`${String(ATTEMPTS)} attempts at one key with a hundred seats, through faults, are exactly a hundred accounts`, async () => {
    const { nodes, galera } = cluster();
    const servers = [...cluster().servers];
    const { id, key } = await nodes.mint(first(cluster()), 100);
    const faults: Fault[] = [
      {
        after: 20,
        act: async () => {
          galera.nodes[2].freeze();
          await sleep(FROZEN_MS);
          galera.nodes[2].thaw();
          await galera.synced();
        },
      },
      {
        after: 45,
        act: async () => {
          await servers[1]?.kill9();
          servers[1] = await nodes.start(1);
        },
      },
      {
        after: 70,
        act: async () => {
          await galera.nodes[1].kill9();
          await galera.nodes[1].rejoin();
        },
      },
    ];

    const outcomes = await attempt(cluster(), { key, servers, faults });
    const settled = await askUntilSettled(cluster(), servers, key, outcomes);

    expect(joined(settled)).toHaveLength(100);
    await expectExactly(cluster(), id, settled);
    await expectSameEverywhere(cluster());
  });
});

/** Forty come for thirty seats; once some have joined, something happens; then all who got no answer ask again. */
async function raceWith(
  cluster: Cluster,
  { act, afterwards }: { act: () => Promise<void>; afterwards: () => Promise<void> },
): Promise<void> {
  const { nodes, servers } = cluster;
  const { id, key } = await nodes.mint(first(cluster), 30);
  let welcomed = 0;
  const acting: Promise<void>[] = [];

  const outcomes = await nodes.storm(servers, key, nodes.newcomers(40), ({ result }) => {
    welcomed += result === 'joined' ? 1 : 0;
    if (welcomed === 5 && acting.length === 0) acting.push(act());
  });
  await Promise.all(acting);
  await afterwards();
  const settled = await askUntilSettled(cluster, servers, key, outcomes);

  expect(acting).toHaveLength(1);
  expect(joined(settled)).toHaveLength(30);
  expect(new Set(settled.map(({ result }) => result))).toEqual(new Set(['joined', 'invitation.used_up']));
  await expectExactly(cluster, id, settled);
}

/** Every node of the database has the same people in the same seats. */
async function expectSameEverywhere({ galera, nodes }: Cluster): Promise<void> {
  await galera.synced();
  const seen = await Promise.all(
    nodes.urls.map(async (url) => {
      const { knex } = openDatabase(url);
      const seats = await knex('invite_redemption')
        .orderBy('id')
        .select('id', 'key_id', 'seat', 'user_id', 'status');
      return { seats, people: (await knex('users').orderBy('id').pluck('email_norm')) as string[] };
    }),
  );
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[2]).toEqual(seen[0]);
}

interface Fault {
  /** How many have joined by then. */
  after: number;
  act: () => Promise<void>;
}

/** Some dozens knock at all servers for as long as there are attempts, whatever happens to the servers. */
async function attempt(
  { nodes }: Cluster,
  { key, servers, faults }: { key: string; servers: TestServer[]; faults: Fault[] },
): Promise<Outcome[]> {
  const waiting = nodes.newcomers(ATTEMPTS);
  const outcomes: Outcome[] = [];
  // One after the other: a server that starts needs its node of the database.
  let acting = Promise.resolve();
  const clients = new Map<string, HttpClient>();
  const clientOf = (url: string): HttpClient => {
    const client = clients.get(url) ?? new HttpClient(url, { connections: AT_ONCE });
    clients.set(url, client);
    return client;
  };
  let welcomed = 0;
  const knock = async (): Promise<void> => {
    for (let contender = waiting.pop(); contender; contender = waiting.pop()) {
      const server = servers[waiting.length % servers.length];
      const result = server ? await tryToJoin(clientOf(server.url), key, contender) : 'cut';
      outcomes.push({ ...contender, result });
      welcomed += result === 'joined' ? 1 : 0;
      for (const fault of faults.filter(({ after }) => after <= welcomed)) {
        faults.splice(faults.indexOf(fault), 1);
        acting = acting.then(fault.act);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, knock));
  await acting;
  for (const client of clients.values()) await client.close();
  expect(faults).toEqual([]);
  return outcomes;
}

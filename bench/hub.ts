import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { mint } from '../src/crypto/mint.ts';
import { silentLog } from '../src/log.ts';
import { system } from '../src/shared/actor.ts';
import { newId } from '../src/shared/ids.ts';
import type { Tx } from '../src/db/database.ts';
import { configFor, openHouse, OWNER } from '../test/support/house.ts';
import type { Ground, Place } from './ground.ts';
import { judge, median } from './report.ts';
import { runProgram } from './run-program.ts';

const PLUGINS = 50;
const ROUNDS = 5;
const SECONDS = '3';
const BAR = 0.5;
/** The hub counts by address; the load comes from as many as a hub has customers. */
const CALLERS = 2_000;

const paths = {
  'what is said of a key': '/api/registration/info',
  'a page of the catalogue': '/api/network/v1/catalogue?page=1&perPage=50',
} as const;

/** What helpdesks ask a hub most, beside a bare Express that sends the same bytes; rounds take turns. */
export async function benchHub(ground: Ground): Promise<boolean> {
  const place = await ground.place();
  const key = await furnishHub(place);
  const hub = await ground.start({ ...place, env: { ...place.env, LATCHKEY_TRUST_PROXY: 'loopback' } });
  const headers = {
    accept: 'application/json',
    'user-agent': 'Latchkey/0.1.0',
    'x-registration-key': key,
    'x-glpi-network-uid': 'a1B2'.repeat(10),
  };
  const held: boolean[] = [];
  for (const [name, path] of Object.entries(paths)) {
    const answer = await fetch(`${hub.url}${path}`, { headers });
    if (answer.status !== 200) throw new Error(`${path} answered ${String(answer.status)}`);
    const file = join(await ground.folder('answer'), 'answer.json');
    const kept = Object.fromEntries(
      [...answer.headers].filter(
        ([one]) => !/^(date|connection|keep-alive|content-length|transfer-encoding)$/.test(one),
      ),
    );
    const text = await answer.text();
    await writeFile(file, JSON.stringify({ path: path.split('?')[0], headers: kept, text }));
    const bare = await ground.start({ script: 'bench/bare/answer.ts', args: [file] });
    const [ours, theirs]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      theirs.push(await load(bare.url, path, headers));
      ours.push(await load(hub.url, path, headers));
    }
    console.log(
      `${name}, ${String(Math.round(text.length / 1024))} KB: ${median(ours).toFixed(0)} a second, bare ${median(theirs).toFixed(0)}`,
    );
    const value = median(ours) / median(theirs);
    held.push(judge({ what: `${name}, requests per second against bare Express`, value, atLeast: BAR }));
    await bare.stop();
  }
  await hub.stop();
  return held.every(Boolean);
}

async function load(url: string, path: string, headers: Record<string, string>): Promise<number> {
  const args = [url, '', SECONDS, JSON.stringify([path]), JSON.stringify(headers), String(CALLERS)];
  const { perSecond, failures } = (await runProgram('bench/load.ts', args)) as {
    perSecond: number;
    failures: number;
  };
  if (failures > 0) throw new Error(`${String(failures)} requests for ${path} failed`);
  return perSecond;
}

/** A hub with a customer and fifty plugins, written as they lie in the database. Answers the customer's key. */
async function furnishHub({ databaseUrl, dataDir }: Place): Promise<string> {
  const house = await openHouse(configFor({ DATABASE_URL: databaseUrl, DATA_DIR: dataDir }), {
    log: silentLog(),
  });
  await house.plugins.enable(system, 'network-hub');
  const owner = await house.domains.users.findByEmail(OWNER.email);
  const key = mint('lknet_');
  await house.ground.db.transaction(async (tx) => {
    const now = Date.now();
    const subscription = newId();
    await tx.knex('hub_subscription').insert({
      id: subscription,
      user_id: owner?.id,
      owner: 'Example Hospital',
      offer: 'network-basic',
      begins_at: 0,
      created_at: now,
    });
    await tx.knex('hub_key').insert({
      id: newId(),
      subscription_id: subscription,
      digest: createHash('sha256').update(key).digest(),
      mark: 'lknet_…',
      created_at: now,
    });
    for (let number = 1; number <= PLUGINS; number += 1) await publish(tx, number, now);
  });
  await house.close();
  return key;
}

async function publish(tx: Tx, number: number, now: number): Promise<void> {
  const id = `plugin-${String(number)}`;
  const readme = `# ${id}\n\n${'Looks after something in an office that nobody else looks after. '.repeat(20)}`;
  const record = {
    id,
    publisher: 'Example',
    license: 'MIT',
    homepage: null,
    words: { en: { name: id, description: 'Looks after something' } },
    readme: { en: readme },
    symbol: 'puzzle',
    icon: null,
    screenshots: [],
    trialDays: 0,
  };
  await tx.knex('hub_plugin').insert({
    number,
    name_key: `plugin${String(number)}`,
    record: JSON.stringify(record),
    required_offers: '[]',
    published_at: now,
    updated_at: now,
    downloads: number,
  });
  for (const version of ['1.0.0', '1.1.0', '1.2.0'])
    await tx.knex('hub_release').insert({
      id: newId(),
      plugin: number,
      version,
      channel: 'stable',
      sha256: createHash('sha256').update(`${id}${version}`).digest('hex'),
      size: 40_000,
      manifest: JSON.stringify({ id, version, publisher: 'Example' }),
      notes: 'Mended what did not work.',
      latchkey: '>=0.1.0 <1.0.0',
      compatibility: '~11.0',
      share: 100,
      published_at: now,
      published_by: 'Olive Owner',
    });
}

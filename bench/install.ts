import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { holdCeremony } from '../src/cli/seed/seed-keepers.ts';
import { compose } from '../src/compose.ts';
import { mint } from '../src/crypto/mint.ts';
import { silentLog } from '../src/log.ts';
import { sha256Of, signPackage } from '../src/network/index.ts';
import type { CrashPoint } from '../src/plugin-host/crash-points.ts';
import { system } from '../src/shared/actor.ts';
import { newId } from '../src/shared/ids.ts';
import { packageOf } from '../test/plugin-host/packages.ts';
import { configFor, openHouse, OWNER } from '../test/support/house.ts';
import type { Ground, Place } from './ground.ts';
import { judge, median } from './report.ts';

const ROUNDS = 7;
const FILES = 10;
const MEGABYTE = 1024 * 1024;
/** Base64 of chance is a third longer, and packs back to about what it was. */
const FILE_BYTES = Math.round((5 * MEGABYTE) / FILES);
const BAR = 2;
const ID = 'parcel';

interface Published {
  key: string;
  digests: string[];
}

/** One click beside a plain download, digest and unpacking of the same file; rounds take turns. Preflight apart (ruling 43); a first installation has no canary. */
export async function benchInstall(ground: Ground): Promise<boolean> {
  const [hubPlace, deskPlace] = [await ground.place(), await ground.place()];
  const { key, digests } = await furnishHub(hubPlace, await ground.folder('keys'));
  const hub = await ground.start({ ...hubPlace, env: { ...hubPlace.env, LATCHKEY_TRUST_PROXY: 'loopback' } });
  const seen = new Map<CrashPoint, number>();
  const { databaseUrl, dataDir } = deskPlace;
  const config = configFor({ DATABASE_URL: databaseUrl, DATA_DIR: dataDir, HUB_URL: hub.url });
  const reached = (point: CrashPoint): void => void seen.set(point, performance.now());
  const desk = await compose(config, { log: silentLog(), reached });
  await desk.open({ work: false });
  const { network, trust, jobs } = desk.domains;
  await network.setKey(system, key);
  await network.checkNow(system);
  await jobs.runNow('network.trust');
  await trust.confirm(system, (await trust.status()).fingerprint ?? '');
  await jobs.runNow('network.trust');
  await desk.marketplace.refreshSoon(system);
  await desk.reader.refresh();

  const [ours, theirs, tries]: [number[], number[], number[]] = [[], [], []];
  const headers = {
    'user-agent': 'Latchkey/0.1.0',
    'x-registration-key': key,
    'x-glpi-network-uid': 'a1B2'.repeat(10),
  };
  for (const [round, digest] of digests.entries()) {
    const plain = await timed(() => plainly(`${hub.url}/api/network/v1/packages/${digest}`, headers));
    const version = versionNo(round);
    const whole = await timed(async () => {
      const { id } = await desk.marketplace.install(system, ID, version);
      const { problem } = await desk.marketplace.finished(system, id);
      if (problem !== null) throw new Error(problem);
    });
    // Its trial in a process of its own and nothing else: what is looked up before and afterwards is ours.
    const tried = (seen.get('preflighted') ?? 0) - (seen.get('staged') ?? 0);
    // The first one warms both.
    if (round === 0) continue;
    theirs.push(plain);
    tries.push(tried);
    ours.push(whole - tried);
    await desk.plugins.disable(system, ID);
  }
  await desk.close();
  await hub.stop();
  console.log(
    `one click ${median(ours).toFixed(0)} ms, and ${median(tries).toFixed(0)} ms in which it is tried; plain ${median(theirs).toFixed(0)} ms`,
  );
  const value = median(theirs) / median(ours);
  return judge({ what: 'plain download, digest and unpacking against one click', value, atLeast: 1 / BAR });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function plainly(url: string, headers: Record<string, string>): Promise<void> {
  const answer = await fetch(url, { headers });
  if (answer.status !== 200) throw new Error(`The hub answered ${String(answer.status)}`);
  const packed = Buffer.from(await answer.arrayBuffer());
  createHash('sha256').update(packed).digest('hex');
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-plain-'));
  const unpacking = extract();
  unpacking.on('entry', ({ name }, content, next) => {
    const path = join(folder, name);
    mkdir(dirname(path), { recursive: true })
      .then(() => pipeline(content, createWriteStream(path)))
      .then(() => {
        next();
      }, next);
  });
  await pipeline(Readable.from([packed]), createGunzip(), unpacking);
}

const versionNo = (round: number): string => `1.${String(round)}.0`;

/** A hub that signs, a customer with a key, and a plugin of five megabytes in as many versions as there are rounds. */
async function furnishHub({ databaseUrl, dataDir }: Place, folder: string): Promise<Published> {
  const house = await openHouse(configFor({ DATABASE_URL: databaseUrl, DATA_DIR: dataDir }), {
    log: silentLog(),
  });
  await house.plugins.enable(system, 'network-hub');
  const context = {
    actor: system,
    args: [],
    options: {},
    print: () => undefined,
    readStdin: () => Promise.resolve(''),
    readFile: () => Promise.reject(new Error('Nothing is read')),
  };
  const commands = house.commands.all();
  const { publisher } = await holdCeremony(context, { commands, folder });
  const digests: string[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const packed = await packageNo(round);
    const { text } = await signPackage(packed, publisher ?? '');
    digests.push(sha256Of(packed));
    await commands
      .find(({ name }) => name === 'hub publish')
      ?.run({
        ...context,
        args: [ID],
        options: { channel: 'stable' },
        readFile: (path: string) => Promise.resolve(path.endsWith('.sig') ? Buffer.from(text) : packed),
      });
  }
  const key = mint('lknet_');
  const owner = await house.domains.users.findByEmail(OWNER.email);
  await house.ground.db.transaction(async (tx) => {
    const [now, id] = [Date.now(), newId()];
    const taken = {
      user_id: owner?.id,
      owner: 'Example',
      offer: 'network-basic',
      begins_at: 0,
      created_at: now,
    };
    await tx.knex('hub_subscription').insert({ id, ...taken });
    const digest = createHash('sha256').update(key).digest();
    await tx
      .knex('hub_key')
      .insert({ id: newId(), subscription_id: id, digest, mark: 'lknet_…', created_at: now });
  });
  await house.close();
  return { key, digests };
}

function packageNo(round: number): Promise<Buffer> {
  const files = Object.fromEntries(
    Array.from({ length: FILES }, (_, at) => [
      `public/picture-${String(at)}.txt`,
      randomBytes(FILE_BYTES).toString('base64'),
    ]),
  );
  const manifest = { publisher: 'Latchkey', engines: { latchkey: '>=0.1.0 <1.0.0' } };
  return packageOf(ID, versionNo(round), { manifest, files, isListed: true });
}

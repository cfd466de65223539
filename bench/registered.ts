import { setTimeout as sleep } from 'node:timers/promises';
import { mint } from '../src/crypto/mint.ts';
import { HttpClient } from '../test/support/http-client.ts';
import { OWNER } from '../test/support/house.ts';
import type { ServerOptions, TestServer } from '../test/support/server-process.ts';
import { openDatabase } from './database.ts';
import type { Ground, Place } from './ground.ts';

/** A house, its owner's browser, and the hub it is registered at. */
export interface Registered {
  place: Place;
  server: TestServer;
  owner: HttpClient;
  hub: TestServer;
}

const PATIENCE_MS = 180_000;

/** A helpdesk at a hub of so many plugins; it has read its whole catalogue. */
export async function registered(
  ground: Ground,
  place: Place,
  { plugins, env = {} }: { plugins: number; env?: NonNullable<ServerOptions['env']> },
): Promise<Registered> {
  const hub = await ground.start({ script: 'bench/bare/hub.ts', args: [String(plugins)] });
  const given = { LATCHKEY_HUB_URL: hub.url, LATCHKEY_NETWORK_KEY: mint('lknet_') };
  const server = await ground.start({ ...place, env: { ...place.env, ...given, ...env } });
  const house = { place, server, hub, owner: await signedIn(server) };
  await house.owner.submit('/admin/network', {}, { action: '/admin/network/check' });
  while (!(await isConfirmed(place))) await sleep(50);
  await readAgain(house, plugins);
  return house;
}

const isConfirmed = (place: Place): Promise<boolean> =>
  openDatabase(
    place,
    async (db) => (await db.knex('network_check').whereNotNull('answered_at').first()) !== undefined,
  );

export async function signedIn(server: TestServer): Promise<HttpClient> {
  const browser = new HttpClient(server.url);
  const { email, password } = OWNER;
  await browser.submit('/login', { email, password }, { action: '/login' });
  const { status, url } = await browser.get('/tickets');
  if (status !== 200 || url.includes('/login')) throw new Error('The owner could not sign in');
  return browser;
}

/** Lets the house read its catalogue once more; answers how long that took. */
export async function readAgain({ place, owner }: Registered, plugins: number): Promise<number> {
  const generationOf = (): Promise<number> =>
    openDatabase(place, async (db) => {
      const row = (await db.knex('marketplace_reading').first()) as Record<string, unknown> | undefined;
      return row?.['total'] === plugins ? Number(row['generation']) : 0;
    });
  const before = await generationOf();
  const began = performance.now();
  // The button stands on the shelf, and there is no shelf before the first reading.
  const _csrf = /name="_csrf" value="([^"]+)"/.exec((await owner.get('/admin/network')).text)?.[1] ?? '';
  const { status } = await owner.post('/admin/marketplace/refresh', { _csrf });
  if (status !== 303) throw new Error(`The refresh answered ${String(status)}`);
  while ((await generationOf()) <= before) {
    if (performance.now() - began > PATIENCE_MS) throw new Error('The catalogue was not read');
    await sleep(100);
  }
  return performance.now() - began;
}

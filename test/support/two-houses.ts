import { system } from '../../src/shared/actor.ts';
import type { Engine } from './databases.ts';
import { startTestApp, type TestApp } from './test-app.ts';
import { packageOf } from '../plugin-host/packages.ts';

interface Published {
  offer?: string;
  tags?: string;
  version?: string;
  channel?: string;
  compatibility?: string;
}

/** A vendor's hub. */
export async function startHub(engine: Engine = 'sqlite'): Promise<TestApp> {
  const hub = await startTestApp({ engine });
  await hub.house.plugins.enable(system, 'network-hub');
  return hub;
}

/** A customer of this hub with this offer, and the key for their helpdesk. */
export async function keyFor(hub: TestApp, offer = 'network-basic', begins = '2020-01-01'): Promise<string> {
  const customer = await hub.given.user({ profile: 'self-service' });
  await hub
    .as(await hub.given.owner())
    .submit(
      '/admin/hub',
      { email: customer.email, owner: 'Example Hospital', offer, begins, ends: '' },
      { action: '/admin/hub/subscriptions' },
    );
  const { text } = await hub.as(customer).submit('/network', {}, { action: '/network/subscriptions/' });
  return /value="(lknet_[0-9A-Z]{32})"/.exec(text)?.[1] ?? '';
}

/** A helpdesk registered there. */
export async function startDesk(
  hub: Pick<TestApp, 'origin'>,
  key: string,
  engine: Engine = 'sqlite',
): Promise<TestApp> {
  const desk = await startTestApp({ engine, config: { HUB_URL: hub.origin } });
  await desk.house.domains.network.setKey(system, key);
  await lookAgain(desk);
  return desk;
}

/** What the background does by itself in time. */
export async function lookAgain(desk: TestApp): Promise<void> {
  await desk.house.domains.network.checkNow(system);
  await desk.house.marketplace.refreshSoon(system);
  await desk.house.reader.refresh();
}

/** As a build server publishes: with a token, from outside. */
export async function publish(
  hub: TestApp,
  id: string,
  { version = '1.0.0', ...facts }: Published = {},
  draft: Parameters<typeof packageOf>[2] = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const engines = { latchkey: '>=0.1.0 <1.0.0' };
  const packed = await packageOf(id, version, { ...draft, manifest: { engines, ...draft.manifest } });
  const form = new FormData();
  form.set('package', new File([new Uint8Array(packed)], `${id}.tgz`));
  for (const [name, value] of Object.entries(facts)) form.set(name, value);
  const owner = await hub.given.owner();
  const { directory, accessTokens } = hub.house.domains;
  const actor = await directory.actorById(owner.id);
  if (!actor) throw new Error('There is no owner');
  const { secret } = await accessTokens.create(actor, owner.id, {
    name: 'build',
    scopes: ['network-hub:publish'],
    expiresAt: hub.clock.now() + 1_000_000,
  });
  const answer = await fetch(`${hub.origin}/api/network/v1/releases`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}` },
    body: form,
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

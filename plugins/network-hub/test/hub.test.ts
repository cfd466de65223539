import { describe, expect, test } from 'vitest';
import { mint } from '../../../src/crypto/mint.ts';
import { system } from '../../../src/shared/actor.ts';
import { days, hours } from '../../../test/support/clock.ts';
import { describeOnEachEngine, type Engine } from '../../../test/support/databases.ts';
import type { Person } from '../../../src/plugin-test/given.ts';
import { publish } from '../../../test/support/two-houses.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { rangeOf } from '../src/wire-routes.ts';

const UID = 'a1B2'.repeat(10);

async function startHub(engine: Engine = 'sqlite'): Promise<TestApp> {
  const app = await startTestApp({ engine });
  await app.house.plugins.enable(system, 'network-hub');
  return app;
}

async function subscribed(app: TestApp, dates = { begins: '2020-01-01', ends: '' }): Promise<Person> {
  const customer = await app.given.user({ profile: 'self-service', name: 'Carla Customer' });
  const answer = await app
    .as(await app.given.owner())
    .submit(
      '/admin/hub',
      { email: customer.email, owner: 'Example Hospital', offer: 'network-standard', ...dates },
      { action: '/admin/hub/subscriptions' },
    );
  expect(answer.text).toContain('Example Hospital');
  return customer;
}

const keyIn = (page: string): string => /value="(lknet_[0-9A-Z]{32})"/.exec(page)?.[1] ?? '';

/** The customer's own clicks. */
async function keyOf(app: TestApp, customer: Person): Promise<string> {
  const portal = await app.as(customer).submit('/network', {}, { action: '/network/subscriptions/' });
  const key = keyIn(portal.text);
  expect(key).not.toBe('');
  return key;
}

const keyId = async (app: TestApp): Promise<string> => {
  const [row] = await app.db.knex<{ id: string }>('hub_key');
  return row?.id ?? '';
};

/** As GLPI 11 asks. */
async function ask(app: TestApp, path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${app.origin}/api/${path}`, {
    headers: {
      accept: 'application/json',
      'accept-language': 'en',
      'content-type': 'application/json',
      'user-agent': 'GLPI/11.0.4 (installation-mode:TARBALL)',
      ...headers,
    },
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}
const withKey = (key: string): Record<string, string> => ({
  'x-registration-key': key,
  'x-glpi-network-uid': UID,
});

describeOnEachEngine('a hub and a helpdesk', (engine) => {
  test('meet: a customer takes an offer, copies the key, and the helpdesk knows plan and owner', async () => {
    const hub = await startHub(engine);
    const customer = await subscribed(hub);
    const key = await keyOf(hub, customer);
    const desk = await startTestApp({ engine, config: { HUB_URL: hub.origin } });
    const admin = desk.as(await desk.given.owner());

    await admin.submit('/admin/network', { key }, { action: '/admin/network/key' });
    await desk.house.domains.jobs.runNow('network.refresh');

    const page = (await admin.get('/admin/network')).text;
    expect(page).toContain('Example Hospital');
    expect(page).toContain('Standard');
    const { uid } = await desk.house.domains.network.status(system);
    const portal = (await hub.as(customer).get('/network')).text;
    expect(portal).toContain(uid);
    expect(portal).toContain('Your helpdesks that asked, by day');
    expect(portal).not.toContain(key);
    for (const table of ['hub_key', 'audit_entries'])
      expect(JSON.stringify(await hub.db.knex(table))).not.toContain(key.slice(10));
  });

  test('part: a revoked key is refused, and what the helpdesk shows says so', async () => {
    const hub = await startHub(engine);
    const customer = await subscribed(hub);
    const key = await keyOf(hub, customer);
    const desk = await startTestApp({ engine, config: { HUB_URL: hub.origin } });
    await desk.house.domains.network.setKey(system, key);
    await hub.as(customer).submit('/network', {}, { action: `/network/keys/${await keyId(hub)}/revoke` });

    desk.clock.advance(hours(7));
    await desk.house.domains.jobs.runNow('network.refresh');

    expect(await desk.house.domains.network.status(system)).toMatchObject({
      key: { light: 'refused' },
      hub: { light: 'reachable' },
      check: { answer: { message: 'This key has been revoked.' } },
    });

    const [seen] = await hub.db.knex<{ id: string }>('hub_instance');
    const release = { action: `/network/instances/${seen?.id ?? ''}/release` };
    await hub.as(customer).submit('/network', {}, release);
    expect(await hub.db.knex('hub_instance')).toEqual([]);
  });

  test('go on while a key is rolled: both work for a day', async () => {
    const hub = await startHub(engine);
    const customer = await subscribed(hub);
    const old = await keyOf(hub, customer);
    const rolled = await hub
      .as(customer)
      .submit('/network', { overlap: 'day' }, { action: `/network/keys/${await keyId(hub)}/roll` });
    const fresh = keyIn(rolled.text);

    const validity = async (key: string) =>
      ((await ask(hub, 'registration/info', withKey(key))).body as { is_valid: boolean }).is_valid;
    expect([await validity(old), await validity(fresh)]).toEqual([true, true]);
    hub.clock.advance(days(1));
    expect([await validity(old), await validity(fresh)]).toEqual([false, true]);
  });

  test('list published plugins by range, with an empty list past the end', async () => {
    const hub = await startHub(engine);
    const key = await keyOf(hub, await subscribed(hub));
    await publish(hub, 'tag-1');
    await publish(hub, 'tag-2', { tags: 'Réseau' });
    await publish(hub, 'tag-3', { offer: 'network-advanced', compatibility: '~11.0' });

    const page = async (range: string, path = 'marketplace/plugins') =>
      ask(hub, path, { ...withKey(key), 'x-range': range });
    const first = await page('0-1');
    expect(first.headers.get('content-range')).toBe('0-1/3');
    expect((first.body as { key: string }[]).map((one) => one.key)).toEqual(['tag1', 'tag2']);
    expect(await page('2-3')).toMatchObject({
      body: [{ key: 'tag3', required_offers: ['network-advanced'], versions: [{ download_url: null }] }],
    });
    expect(await page('200-399')).toMatchObject({ status: 200, body: [] });
    expect(await page('0-199', 'marketplace/tags/reseau/plugin')).toMatchObject({ body: [{ key: 'tag2' }] });
    expect((await ask(hub, 'marketplace/tags/top', { ...withKey(key), 'x-lang': 'fr' })).body).toEqual([
      { key: 'reseau', tag: 'Réseau', lang: 'fr', plugin_count: 1 },
    ]);
    expect((await ask(hub, 'marketplace/plugins', withKey(mint('lknet_')))).body).toEqual([]);
  });
});

describe('GLPI', () => {
  test('gets the answer it expects for a valid key', async () => {
    const hub = await startHub();
    const key = await keyOf(hub, await subscribed(hub, { begins: '2020-01-01', ends: '2099-12-31' }));

    expect(await ask(hub, 'registration/info', withKey(key))).toMatchObject({
      status: 200,
      body: {
        key,
        is_valid: true,
        validation_message: 'This key is valid.',
        owner: { name: 'Example Hospital' },
        subscription: {
          offer_reference: 'network-standard',
          title: 'Standard',
          is_running: true,
          begin_date: '2020-01-01',
          features: ['marketplace', 'plugins-basic', 'plugins-standard', 'support'],
        },
      },
    });
  });

  test('is told that a subscription is over without the key being called wrong', async () => {
    const hub = await startHub();
    const key = await keyOf(hub, await subscribed(hub, { begins: '2020-01-01', ends: '2020-12-31' }));

    expect((await ask(hub, 'registration/info', withKey(key))).body).toMatchObject({
      is_valid: true,
      subscription: { is_running: false },
    });
  });

  test.each([
    ['nothing', ''],
    ['a stranger', mint('lknet_')],
    ['garbage', 'x'.repeat(300)],
  ])('showing %s gets 200, not valid, with owner and subscription there', async (_, key) => {
    const { status, body } = await ask(await startHub(), 'registration/info', withKey(key));

    expect(status).toBe(200);
    expect(body).toMatchObject({ is_valid: false, owner: null, subscription: null });
  });

  test('sees the offers that cost something, and that the hub is there, without a key', async () => {
    const hub = await startHub();

    expect((await ask(hub, 'registration/offers', { 'accept-language': 'fr' })).body).toMatchObject([
      { offer_reference: 'network-basic', title: 'Basic' },
      { offer_reference: 'network-standard' },
      { offer_reference: 'network-advanced' },
    ]);
    for (const path of ['registration/', 'registration', 'ping'])
      expect(await ask(hub, path)).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  test('asking far too often is told so in its own words', async () => {
    const hub = await startHub();
    for (let times = 0; times < 300; times += 1) await ask(hub, 'ping');

    expect(await ask(hub, 'ping')).toMatchObject({ status: 429, body: { message: 'Too Many Attempts.' } });
  });

  test.each([
    [undefined, 0, 200],
    ['0-199', 0, 200],
    ['200-399', 200, 200],
    ['0-99999', 0, 200],
    ['5-5', 5, 1],
    ['9-2', 9, 0],
    ['all', 0, 200],
  ])('asking for the range %s gets what fits a page', (header, from, limit) => {
    expect(rangeOf(header)).toEqual({ from, limit });
  });
});

describe('customers', () => {
  test('register by themselves, once', async () => {
    const hub = await startHub();
    const person = await hub.given.user({ profile: 'self-service', name: 'Rita Registered' });
    await hub.as(person).submit('/network', {}, { action: '/network/register' });
    const key = await keyOf(hub, person);

    expect((await ask(hub, 'registration/info', withKey(key))).body).toMatchObject({
      is_valid: true,
      owner: { name: 'Rita Registered' },
      subscription: { offer_reference: 'virtual', title: 'Registered', begin_date: null, end_date: null },
    });
    expect((await hub.as(person).get('/network')).text).not.toContain('/network/register"');
  });

  test('see the key once, and can keep it as a file', async () => {
    const hub = await startHub();
    const browser = hub.as(await subscribed(hub));
    const shown = await browser.submit('/network', {}, { action: '/network/subscriptions/' });
    const key = keyIn(shown.text);
    const sealed = /name="sealed" value="([^"]+)"/.exec(shown.text)?.[1] ?? '';

    expect((await browser.get('/network/key')).text).not.toContain(key);
    expect((await browser.submitShown(shown, { sealed }, { action: '/network/key/file' })).text).toBe(
      `${key}\n`,
    );
  });

  test('see and touch nothing of each other, nor of the vendor', async () => {
    const hub = await startHub();
    const customer = await subscribed(hub);
    await keyOf(hub, customer);
    const other = hub.as(await hub.given.user({ profile: 'self-service' }));
    const [row] = await hub.db.knex<{ id: string; subscription_id: string }>('hub_key');

    expect((await other.get('/network')).text).not.toContain('Example Hospital');
    expect((await other.get('/admin/hub')).status).toBe(403);
    const _csrf = /name="_csrf" value="([^"]+)"/.exec((await other.get('/network')).text)?.[1] ?? '';
    const instance = {
      id: 'x'.repeat(26),
      uid: 'a'.repeat(40),
      program: 'GLPI',
      first_seen_at: 1,
      seen_at: 1,
    };
    await hub.db.transaction((tx) =>
      tx.knex('hub_instance').insert({ ...instance, subscription_id: row?.subscription_id }),
    );
    for (const path of [
      `/network/instances/${instance.id}/release`,
      `/network/keys/${row?.id ?? ''}/revoke`,
      `/network/keys/${row?.id ?? ''}/roll`,
      `/network/subscriptions/${row?.subscription_id ?? ''}/keys`,
    ])
      expect((await other.post(path, { _csrf, overlap: 'now' })).status).toBe(404);
    expect((await other.post('/admin/hub/subscriptions', { _csrf, email: 'a@b.example' })).status).toBe(403);
    for (const path of ['/network', '/admin/hub', '/network/key'])
      expect((await hub.request().get(path)).status).toBe(303);
  });
});

describe('a vendor', () => {
  test('adds an offer of their own, that includes the one below it, and says which have support', async () => {
    const app = await startHub();
    const vendor = app.as(await app.given.owner());
    const path = '/admin/hub/offers';

    const draft = { title: 'Clinic Plus', above: 'network-standard', withSupport: 'true' };
    expect((await vendor.submit(path, draft, { action: path })).text).toContain('clinic-plus');
    expect((await vendor.submit(path, draft, { action: path })).text).toContain('of this name already');
    await vendor.submit(path, {}, { action: `${path}/network-basic` });

    const { body } = await ask(app, 'network/v1/offers');
    const { items } = body as { items: { reference: string; features: string[] }[] };
    expect(items.map(({ reference }) => reference)).toEqual([
      'virtual',
      'network-basic',
      'network-standard',
      'clinic-plus',
      'network-advanced',
    ]);
    expect(items.find(({ reference }) => reference === 'clinic-plus')?.features).toEqual([
      'marketplace',
      'plugins-basic',
      'plugins-standard',
      'plugins-clinic-plus',
      'support',
    ]);
    expect(items[1]?.features).not.toContain('support');
    const stranger = app.as(await app.given.user());
    const _csrf = /name="_csrf" value="([^"]+)"/.exec((await stranger.get('/network')).text)?.[1] ?? '';
    expect((await stranger.get(path)).status).toBe(403);
    expect((await stranger.post(path, { _csrf, ...draft })).status).toBe(403);
    expect((await stranger.post(`${path}/virtual`, { _csrf, withSupport: 'true' })).status).toBe(403);
    expect((await vendor.post(path, draft)).status).toBe(403);
  });
});

import { expect, test } from 'vitest';
import { minutes } from '../../../test/support/clock.ts';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { keyFor, publish, startHub } from '../../../test/support/two-houses.ts';

const UID = 'a1B2'.repeat(10);
/** It is a twentieth of a second; a machine may be busy. */
const SOON = { timeout: 15_000, interval: 25 };

async function ask(node: TestApp, path: string, key: string) {
  const answer = await fetch(`${node.origin}/api/${path}`, {
    headers: {
      'user-agent': 'Latchkey/0.1.0',
      'x-registration-key': key,
      'x-glpi-network-uid': UID,
    },
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const isValid = async (node: TestApp, key: string): Promise<unknown> =>
  (await ask(node, 'registration/info', key)).body['is_valid'];

const withdrawn = async (node: TestApp, key: string): Promise<unknown> => {
  const { items } = (await ask(node, 'network/v1/catalogue', key)).body as {
    items: { releases: { withdrawn: string | null }[] }[];
  };
  return items.flatMap(({ releases }) => releases.map((release) => release.withdrawn));
};

async function revokeAsCustomer(hub: TestApp): Promise<void> {
  const { id } = (await hub.db.knex('hub_key').first()) as { id: string };
  const { user_id: userId } = (await hub.db.knex('hub_subscription').first()) as { user_id: string };
  const customer = { id: userId, name: '', email: '' };
  await hub.as(customer).submit('/network', {}, { action: `/network/keys/${id}/revoke` });
}

describeOnEachEngine('a hub on two servers', (engine) => {
  test('refuses a key that the other one has revoked, and lists nothing as it was before the other one withdrew it', async () => {
    const hub = await startHub(engine);
    const key = await keyFor(hub);
    await publish(hub, 'tag-1');
    const other = await startTestApp({ engine, databaseUrl: hub.databaseUrl, clock: hub.clock });
    for (const node of [hub, other])
      expect([await isValid(node, key), await withdrawn(node, key)]).toEqual([true, [null]]);
    const owner = hub.as(await hub.given.owner());

    hub.clock.advance(minutes(1));
    await owner.submit(
      '/admin/hub/plugins/tag-1',
      { kind: 'no-installs', reason: 'Broken' },
      { action: '/admin/hub/plugins/tag-1/1.0.0/withdraw' },
    );
    expect(await withdrawn(hub, key)).toEqual(['no-installs']);
    await expect.poll(() => withdrawn(other, key), SOON).toEqual(['no-installs']);

    await revokeAsCustomer(hub);
    expect(await isValid(hub, key)).toBe(false);
    await expect.poll(() => isValid(other, key), SOON).toBe(false);
    expect((await ask(other, 'network/v1/catalogue', key)).status).toBe(403);
  });
});

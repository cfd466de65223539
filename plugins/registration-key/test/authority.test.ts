import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { startTestApp } from '../../../test/support/test-app.ts';
import { system } from '../../../src/plugin-api.ts';
import { joinByApi, keyOf, redemptionsOf, somebody } from './desk.ts';

describeOnEachEngine('a key', (engine) => {
  test('cannot be made by a stranger or by somebody without the right, and nothing is kept', async () => {
    const app = await startTestApp({ engine });

    const stranger = await app.guest().call('POST', '/api/v1/invitation-keys', {});
    const plain = await app.api(await app.given.user()).call('POST', '/api/v1/invitation-keys', {});
    const all = await app.api(await app.given.owner()).call('GET', '/api/v1/invitation-keys');

    expect([stranger.status, plain.status]).toEqual([401, 403]);
    expect(all.json().total).toBe(0);
  });

  test('cannot give more than its maker has', async () => {
    const app = await startTestApp({ engine });
    const admin = app.api(await app.given.administrator());

    const own = await admin.call('POST', '/api/v1/invitation-keys', { profile: 'self-service' });
    const more = await admin.call('POST', '/api/v1/invitation-keys', {
      profile: 'super-admin',
      email: 'ada@acme.test',
    });

    expect(own.status).toBe(201);
    expect([more.status, more.json().code]).toEqual([403, 'invitation.more_than_own']);
  });

  test('pauses when its owner has left, and its page says why', async () => {
    const app = await startTestApp({ engine });
    const owner = await app.given.administrator();
    const { id, key } = await app.given.invitationKey({}, app.api(owner));
    await app.db.transaction((tx) => app.house.domains.users.disable(tx, system, owner.id));

    const refused = await joinByApi(app, key, somebody());

    expect([refused.status, refused.json().code]).toEqual([503, 'invitation.paused']);
    expect(await keyOf(app, id)).toMatchObject({ status: 'paused', pausedReason: 'owner-gone', uses: 0 });
  });

  test('pauses by itself soon after its owner has left, without a newcomer, and everybody who may mend it hears of it', async () => {
    const app = await startTestApp({ engine });
    const owner = await app.given.administrator();
    const keepers = new Set<string>();
    for (let one = 0; one < 7; one += 1) keepers.add((await app.given.administrator()).id);
    const gone = await app.given.administrator();
    await app.db.transaction((tx) => app.house.domains.users.disable(tx, system, gone.id));
    const { id } = await app.given.invitationKey({}, app.api(owner));

    await app.db.transaction((tx) => app.house.domains.users.disable(tx, system, owner.id));
    await app.settle();
    const told = await app.db
      .knex('notification')
      .where({ kind: 'registration-key.paused' })
      .pluck<string[]>('user_id');

    expect(await keyOf(app, id)).toMatchObject({ status: 'paused', pausedReason: 'owner-gone' });
    expect(told).toEqual(expect.arrayContaining([...keepers]));
    expect(told).not.toContain(gone.id);
  });

  test('gives profile and entity and nothing else', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    await joinByApi(app, key, somebody());
    const [row] = (await redemptionsOf(app, id)).items;

    const grants = await app.house.domains.memberships.grantsOf(String(row?.['userId']));
    const groups = await app.house.domains.memberships.groupsOf(String(row?.['userId']));

    expect(grants).toHaveLength(1);
    expect(groups).toEqual([]);
  });

  test('of another entity does not exist for an administrator elsewhere', async () => {
    const app = await startTestApp({ engine });
    const { id } = await app.given.invitationKey();
    const { entityAdmin } = app.house.domains;
    const [root] = await app.house.domains.memberships.entities();
    const lyon = await entityAdmin.create(system, { name: 'Lyon', parentId: root?.id ?? '' });
    const elsewhere = app.api(await app.given.administrator({ entityId: lyon.id }));

    const seen = await elsewhere.call('GET', `/api/v1/invitation-keys/${id}`);
    const invented = await elsewhere.call('GET', '/api/v1/invitation-keys/01J00000000000000000000000');
    const list = await elsewhere.call('GET', '/api/v1/invitation-keys');
    const own = await app.given.invitationKey({}, elsewhere);

    expect([seen.status, invented.status]).toEqual([404, 404]);
    expect(seen.json().code).toBe(invented.json().code);
    expect(list.json().total).toBe(0);
    expect(await keyOf(app, own.id)).toMatchObject({ entity: lyon.id });
  });

  test('is never found with its secret in lists, in the database or in the history', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    const owner = app.api(await app.given.owner());
    await joinByApi(app, key, somebody({ email: 'jo@acme.test' }));

    const answers = [
      await owner.call('GET', '/api/v1/invitation-keys'),
      await owner.call('GET', `/api/v1/invitation-keys/${id}`),
    ];
    const tables = [
      'invite_key',
      'invite_redemption',
      'invite_attempt',
      'audit_entries',
      'event_delivery',
      'events',
    ];
    const rows: string[] = [];
    for (const table of tables) {
      const found = (await app.db.knex(table).catch(() => [])) as Record<string, unknown>[];
      rows.push(
        ...found.map((row) =>
          JSON.stringify(row, (_name, value: unknown) =>
            value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
          ),
        ),
      );
    }

    const secret = key.slice(6);
    expect(answers.map(({ text }) => text).join('')).not.toContain(secret);
    expect(rows.length).toBeGreaterThan(2);
    expect(rows.filter((row) => row.includes(secret) || row.includes(key))).toEqual([]);
    expect(rows.filter((row) => row.startsWith('{"id"') && row.includes('four quiet words'))).toEqual([]);
  });

  test('is shown again only to those who may, with its link, and on record', async () => {
    const app = await startTestApp({ engine });
    const { id, url } = await app.given.invitationKey();
    const owner = await app.given.owner();

    const shown = await app.api(owner).call('POST', `/api/v1/invitation-keys/${id}/reveal`);
    const denied = await app
      .api(await app.given.user({ profile: 'supervisor' }))
      .call('POST', `/api/v1/invitation-keys/${id}/reveal`);
    const once = await app.given.invitationKey({ showOnce: true });
    const gone = await app.api(owner).call('POST', `/api/v1/invitation-keys/${once.id}/reveal`);

    expect(shown.json().url).toBe(url);
    expect(denied.status).toBe(403);
    expect([gone.status, gone.json().code]).toEqual([410, 'invitation.shown_once']);
    expect((await app.as(owner).get(`/invitation-keys/${id}`)).text).toContain('Link shown');
  });

  test('without uses can be deleted; with a history it stays', async () => {
    const app = await startTestApp({ engine });
    const owner = app.api(await app.given.owner());
    const [unused, used] = [await app.given.invitationKey(), await app.given.invitationKey()];
    await joinByApi(app, used.key, somebody());

    expect((await owner.call('DELETE', `/api/v1/invitation-keys/${unused.id}`)).status).toBe(204);
    expect((await owner.call('DELETE', `/api/v1/invitation-keys/${used.id}`)).status).toBe(409);
    expect((await owner.call('GET', `/api/v1/invitation-keys/${unused.id}`)).status).toBe(404);
  });

  test('chosen by a person is looked up in any spelling, waits for approval, and a second one like it is refused', async () => {
    const app = await startTestApp({ engine });
    const owner = app.api(await app.given.owner());
    const draft = { customKey: 'WELCOME-2027', maxUses: 5 };

    const made = await owner.call('POST', '/api/v1/invitation-keys', draft);
    const twice = await owner.call('POST', '/api/v1/invitation-keys', draft);
    const joined = await joinByApi(app, 'welcome 2027', somebody());

    expect(made.json()).toMatchObject({ custom: true, approval: 'manual', emailProof: 'required' });
    expect([twice.status, twice.json().code]).toEqual([409, 'invitation.custom_key_taken']);
    expect(joined.json()).toEqual({ status: 'pending_email' });
  });

  test('comes back through the API as it was sent', async () => {
    const app = await startTestApp({ engine });
    const owner = app.api(await app.given.owner());
    const draft = {
      label: 'Paris <b>office</b>',
      note: 'Welcome!',
      maxUses: 25,
      notBefore: '2026-04-01T08:00:00.000Z',
      expiresAt: '2026-05-01T08:00:00.000Z',
      emailDomains: ['acme.test'],
      approval: 'manual',
      emailProof: 'required',
      landing: '/tickets/new',
    };

    const made = (await owner.call('POST', '/api/v1/invitation-keys', draft)).json();
    const list = await app.as(await app.given.owner()).get('/invitation-keys?tab=all');

    expect(made).toMatchObject(draft);
    expect(list.text).toContain('Paris &lt;b&gt;office&lt;/b&gt;');
    for (const expiresAt of ['2020-01-01T00:00:00Z', '2027-01-01', 'tomorrow', 17]) {
      expect((await owner.call('POST', '/api/v1/invitation-keys', { expiresAt })).status).toBe(400);
    }
    for (const maxUses of [0, -5, 1.5, '3', true, 2 ** 31]) {
      expect((await owner.call('POST', '/api/v1/invitation-keys', { maxUses })).status).toBe(400);
    }
  });
});

import { expect, test } from 'vitest';
import { system } from '../../../../src/shared/actor.ts';
import { days } from '../../../../test/support/clock.ts';
import { describeOnEachEngine } from '../../../../test/support/databases.ts';
import { startTestApp } from '../../../../test/support/test-app.ts';
import { joinByApi, keyOf, redemptionsOf, somebody } from '../desk.ts';
import { entityBelowRoot, groupIn, KEYS, member, mint, pluginSetting, rootEntity, total } from './minters.ts';
import { audited, codeOf, groupsOf, ownerApi, words } from './place.ts';

const staffKey = { maxUses: 1, email: 'ada@acme.test' };

describeOnEachEngine('who may do what with keys', (engine) => {
  test('A01 an administrator cannot make a key that makes owners', async () => {
    const app = await startTestApp({ engine });

    const refused = await mint(app.api(await app.given.administrator()), {
      profile: 'super-admin',
      ...staffKey,
    });

    expect([refused.status, codeOf(refused)]).toEqual([403, 'invitation.more_than_own']);
    expect(await total(app)).toBe(0);
  });

  test('A02 somebody with a quota cannot make administrators or agents', async () => {
    const app = await startTestApp({ engine });
    const { api } = await member(app);

    for (const profile of ['administrator', 'technician', 'supervisor', 'super-admin']) {
      const refused = await mint(api, { profile, ...staffKey });
      expect([refused.status, codeOf(refused)]).toEqual([403, 'invitation.more_than_own']);
    }
    expect(await total(app)).toBe(0);
  });

  test('A03 somebody with a quota gives only groups of their own', async () => {
    const app = await startTestApp({ engine });
    const { person, api } = await member(app);
    const root = await rootEntity(app);
    const [own, other] = [await groupIn(app, 'Own', root), await groupIn(app, 'Other', root)];
    await app.house.domains.groupAdmin.addMember(system, own, person.id);

    const refused = await mint(api, { groups: [other] });
    const without = await mint(api, {});
    const withOwn = await mint(api, { groups: [own] });
    const jo = somebody();
    await joinByApi(app, withOwn.json().key, jo);

    expect([refused.status, without.status, withOwn.status]).toEqual([403, 201, 201]);
    expect(await groupsOf(app, jo.email)).toEqual(['Own']);
  });

  test('A04 whoever has several profiles is judged by all of them', async () => {
    const app = await startTestApp({ engine });
    const both = await app.given.user();
    const { memberships } = app.house.domains;
    const profiles = await memberships.profiles();
    const owner = profiles.find(({ key }) => key === 'super-admin');
    const grant = {
      userId: both.id,
      profileId: owner?.id ?? '',
      entityId: await rootEntity(app),
      recursive: true,
    };
    await app.db.transaction((tx) => memberships.grant(tx, grant, { actor: system }));

    const made = await mint(app.api(both), { profile: 'super-admin', ...staffKey });

    expect(made.status).toBe(201);
  });

  test('A05 when its maker no longer may give a group, people come in without it, and this is on record', async () => {
    const app = await startTestApp({ engine });
    const { person, api } = await member(app);
    const group = await groupIn(app, 'Book club', await rootEntity(app));
    await app.house.domains.groupAdmin.addMember(system, group, person.id);
    const { id, key } = (await mint(api, { groups: [group] })).json();
    await app.house.domains.groupAdmin.removeMember(system, group, person.id);

    const jo = somebody();
    const joined = await joinByApi(app, key, jo);
    const [entry] = await audited(app, 'invitation-key.redeemed');
    const page = await app.as(await app.given.owner()).get(`/invitation-keys/${String(id)}`);

    expect(joined.status).toBe(201);
    expect(await groupsOf(app, jo.email)).toEqual([]);
    expect(JSON.stringify(entry)).toContain(group);
    expect(words(page.text)).toContain('without one group');
  });

  test('A05 when its maker no longer may give the profile, nobody comes in, and the key pauses', async () => {
    const app = await startTestApp({ engine });
    const admin = await app.given.administrator();
    const { id, key } = await app.given.invitationKey({}, app.api(admin));
    const { memberships } = app.house.domains;
    for (const grant of await memberships.grantsOf(admin.id)) await memberships.revoke(system, grant.id);

    const refused = await joinByApi(app, key, somebody());

    expect(refused.status).toBe(503);
    expect(await keyOf(app, id)).toMatchObject({ pausedReason: 'authority-lost', uses: 0 });
  });

  test('A05 when nobody may be invited any more, keys within a quota pause', async () => {
    const app = await startTestApp({ engine });
    const { api } = await member(app);
    const { id, key } = (await mint(api)).json();
    await pluginSetting(app, 'peopleMayInvite', false);

    const refused = await joinByApi(app, key, somebody());

    expect(refused.status).toBe(503);
    expect(await keyOf(app, id)).toMatchObject({ pausedReason: 'authority-lost', uses: 0 });
  });

  test('A07 a key of somebody else does not exist for people with a quota', async () => {
    const app = await startTestApp({ engine });
    const { api } = await member(app);
    const { api: stranger, person } = await member(app);
    const { id } = (await mint(api)).json();
    const version = (await keyOf(app, id))['version'];
    const mine = (await mint(stranger)).json();

    const answers = [
      await stranger.call('GET', `${KEYS}/${String(id)}`),
      await stranger.call('POST', `${KEYS}/${String(id)}/revoke`),
      await stranger.call('POST', `${KEYS}/${String(id)}/reveal`),
      await stranger.call('POST', `${KEYS}/${String(id)}/rotate`),
      await stranger.call('PATCH', `${KEYS}/${String(id)}`, { version, maxUses: 2 }),
      await stranger.call('DELETE', `${KEYS}/${String(id)}`),
    ];
    const page = await app.as(person).post(`/invitation-keys/mine/${String(id)}/revoke`, {});
    const list = await stranger.call('GET', KEYS);
    const own = await stranger.call('POST', `${KEYS}/${String(mine.id)}/revoke`);
    const ownEdit = await api.call('PATCH', `${KEYS}/${String(id)}`, { version, maxUses: 3 });

    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(404));
    expect(page.status).toBeGreaterThanOrEqual(400);
    expect(list.json().items).toMatchObject([{ id: mine.id }]);
    expect([own.status, ownEdit.status]).toEqual([200, 403]);
    expect(await keyOf(app, id)).toMatchObject({ status: 'active', maxUses: 5, version });
  });

  test('A08 a key that makes owners is out of an administrator’s reach', async () => {
    const app = await startTestApp({ engine });
    const { id } = await app.given.invitationKey({
      profile: 'super-admin',
      emailProof: 'required',
      ...staffKey,
      expiresAt: undefined,
    });
    const admin = app.api(await app.given.administrator());

    const answers = [
      await admin.call('POST', `${KEYS}/${id}/revoke`),
      await admin.call('POST', `${KEYS}/${id}/reveal`),
      await admin.call('POST', `${KEYS}/${id}/rotate`),
      await admin.call('POST', `${KEYS}/${id}/pause`),
      await admin.call('DELETE', `${KEYS}/${id}`),
    ];

    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(403));
    expect(await keyOf(app, id)).toMatchObject({ revokedAt: null, pausedAt: null });
  });

  test('A09 a key of another entity answers like one that was never there', async () => {
    const app = await startTestApp({ engine });
    const { id } = await app.given.invitationKey();
    const lyon = await entityBelowRoot(app, 'Lyon');
    const admin = app.api(await app.given.administrator({ entityId: lyon }));

    for (const path of ['', '/revoke', '/reveal']) {
      const method = path === '' ? 'GET' : 'POST';
      const there = await admin.call(method, `${KEYS}/${id}${path}`);
      const invented = await admin.call(method, `${KEYS}/01J00000000000000000000000${path}`);
      expect([there.status, codeOf(there)]).toEqual([404, codeOf(invented)]);
    }
  });

  test('A11 a token of another kind opens no key, and a key opens nothing else', async () => {
    const app = await startTestApp({ engine });
    const { key } = await app.given.invitationKey();
    const body = key.slice(6);

    for (const prefix of ['lkrst_', 'lkcfm_', 'lkpat_', 'lkown_', 'lknet_', 'lkmail_']) {
      const answer = await joinByApi(app, `${prefix}${body}`, somebody());
      expect({ prefix, code: codeOf(answer) }).toEqual({ prefix, code: 'invitation.malformed' });
    }
    const program = app.guest();
    program.headers.set('authorization', `Bearer ${key}`);
    expect((await program.call('GET', KEYS)).status).toBe(401);
  });

  test('A12 what minting checks, every other way to the same end checks too', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);
    const admin = app.api(await app.given.administrator());
    const { id } = await app.given.invitationKey({ label: 'plain', maxUses: 1 }, admin);
    const powerful = await app.given.invitationKey({
      profile: 'super-admin',
      emailProof: 'required',
      ...staffKey,
      expiresAt: undefined,
    });
    await owner.call('POST', `${KEYS}/presets`, { key: powerful.id, name: 'Owners' });
    const version = (await keyOf(app, id))['version'];

    const expiresAt = new Date(app.clock.now() + days(1)).toISOString();
    const edited = await admin.call('PATCH', `${KEYS}/${id}`, {
      version,
      profile: 'super-admin',
      expiresAt,
      emailProof: 'required',
      ...staffKey,
    });
    const preset = await mint(admin, { preset: 'Owners', email: 'ada@acme.test' });
    const batch = await admin.call('POST', `${KEYS}/batch`, { count: 1, profile: 'super-admin', maxUses: 1 });
    const plain = await app.api(await app.given.user()).call('POST', `${KEYS}/batch`, { count: 2 });

    expect([edited.status, preset.status, batch.status >= 400, plain.status]).toEqual([403, 403, true, 403]);
    expect(await keyOf(app, id)).toMatchObject({ profile: 'self-service', version });
  });

  test('A13 whoever reads keys sees no secret in any answer', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    const reader = app.api(await app.given.user({ profile: 'supervisor' }));

    const answers = [
      await reader.call('GET', KEYS),
      await reader.call('GET', `${KEYS}/${id}`),
      await reader.call('GET', `${KEYS}/${id}/redemptions`),
      await reader.call('GET', `${KEYS}/presets`),
      await reader.call('POST', `${KEYS}/${id}/reveal`),
    ];
    const row: Record<string, unknown> = await app.db.knex('invite_key').where({ id }).first();
    const hidden = [row['lookup'], row['copy_text']].map((value) => Buffer.from(value as Uint8Array));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 403]);
    const said = answers.map(({ text }) => text).join('');
    expect(said).not.toContain(key.slice(6));
    for (const bytes of hidden) {
      expect(said).not.toContain(bytes.toString('hex'));
      expect(said).not.toContain(bytes.toString('base64'));
    }
    expect(Object.keys(answers[1]?.json() as object)).not.toEqual(
      expect.arrayContaining(['lookup', 'copyText', 'key', 'url']),
    );
  });

  test('A15 what a newcomer adds to the form gives nothing', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();

    for (const more of [
      { role: 'admin' },
      { groupIds: ['x'] },
      { isAdmin: true },
      { approved: true },
      { tenantId: 'x' },
    ]) {
      expect((await joinByApi(app, key, somebody(), more)).status).toBe(400);
    }
    const browser = app.guest();
    const jo = somebody();
    await browser.submit(
      `/join/${key}`,
      {
        email: jo.email,
        name: jo.name,
        password: jo.password,
        role: 'admin',
        isAdmin: 'true',
        profile: 'super-admin',
      },
      { action: '/join' },
    );
    const [row] = (await redemptionsOf(app, id)).items;
    const grants = await app.house.domains.memberships.grantsOf(String(row?.['userId']));

    expect(grants).toHaveLength(1);
    expect(await keyOf(app, id)).toMatchObject({ uses: 1 });
  });

  test('A16 a group of another branch is refused at minting, and not given when it was planted', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);
    const [lyon, nice] = [await entityBelowRoot(app, 'Lyon'), await entityBelowRoot(app, 'Nice')];
    const foreign = await groupIn(app, 'Nice people', nice);

    const refused = await mint(owner, { entity: lyon, groups: [foreign] });
    const { id, key } = await app.given.invitationKey({ entity: lyon });
    const planted = { group_ids: JSON.stringify([foreign]) };
    await app.db.transaction(async (tx) => {
      await tx.knex('invite_key').where({ id }).update(planted);
    });
    const jo = somebody();
    const joined = await joinByApi(app, key, jo);

    expect([refused.status, joined.status]).toEqual([400, 201]);
    expect(await groupsOf(app, jo.email)).toEqual([]);
  });

  test('A17 whoever reveals a key for one address and redeems it still has to prove that address', async () => {
    const app = await startTestApp({ engine, mail: true });
    const admin = app.api(await app.given.administrator());
    const { id } = (await mint(admin, { email: 'ada@acme.test' })).json();
    const { key } = (await admin.call('POST', `${KEYS}/${String(id)}/reveal`)).json();

    const joined = await joinByApi(app, key, somebody({ email: 'ada@acme.test' }));

    expect(joined.json()).toEqual({ status: 'pending_email' });
    expect(await app.house.domains.users.findByEmail('ada@acme.test')).toBeNull();
  });
});

describeOnEachEngine('a key that makes people of the staff', (engine) => {
  test('lets nobody in until somebody else agrees', async () => {
    const app = await startTestApp({ engine });
    const [maker, second] = [await app.given.administrator(), await app.given.administrator()];
    const { id, key } = (await mint(app.api(maker), { profile: 'technician', maxUses: 3 })).json();
    const agree = (person: typeof maker, version: number): Promise<{ status: number; text: string }> =>
      app.api(person).call('POST', `${KEYS}/${String(id)}/agree`, { version });

    const early = await joinByApi(app, key, somebody());
    const resumed = await app.api(maker).call('POST', `${KEYS}/${String(id)}/resume`);
    const alone = await agree(maker, 1);
    const stale = await agree(second, 7);
    const waiting = await app.as(maker).get(`/invitation-keys/${String(id)}`);
    const agreed = await agree(second, 1);
    const joined = await joinByApi(app, key, somebody());
    const widened = await app.api(maker).call('PATCH', `${KEYS}/${String(id)}`, { version: 2, maxUses: 50 });

    expect([early.status, resumed.status, alone.status, stale.status]).toEqual([503, 409, 403, 409]);
    expect(waiting.text).toContain('Any of these people may agree');
    expect(waiting.text).toContain(second.name);
    expect([agreed.status, joined.status]).toEqual([200, 201]);
    expect(widened.json()).toMatchObject({ status: 'needs-approval', askedBy: maker.id, approvedBy: null });
    expect(await audited(app, 'invitation-key.agreed')).toHaveLength(1);
  });

  test('is told by bell and by mail to those who could agree, once for each asking, and never to who asks', async () => {
    const app = await startTestApp({ engine, mail: true });
    const [maker, second] = [
      await app.given.administrator(),
      await app.given.administrator({ locale: 'fr' }),
    ];
    const api = app.api(maker);
    const mint = await api.call('POST', KEYS, { profile: 'technician', label: 'Night shift', maxUses: 3 });
    const { id } = mint.json() as { id: string };
    const asked = await app.mailbox.next(second.email);
    const rung = (await app.api(second).call('GET', '/api/v1/notifications')).json();

    await app.api(second).call('POST', `${KEYS}/${id}/agree`, { version: 1 });
    await api.call('PATCH', `${KEYS}/${id}`, { version: 2, maxUses: 50 });
    const widened = await app.mailbox.next(second.email);
    await api.call('POST', `${KEYS}/batch`, { profile: 'technician', label: 'Many', count: 3 });
    await app.mailbox.next(second.email);
    await app.settle();

    expect(rung).toMatchObject({ items: [{ link: `/invitation-keys/${id}` }] });
    expect(asked.links).toContain(`${app.origin}/invitation-keys/${id}`);
    expect(asked.text).toContain('Night shift');
    expect(asked.subject).toMatch(/accord|approb|valid/i);
    expect(widened.links).toEqual(asked.links);
    expect(app.mailbox.letters.filter(({ to }) => to.includes(second.email))).toHaveLength(3);
    expect(app.mailbox.letters.filter(({ to }) => to.includes(maker.email))).toEqual([]);
  });

  test('that administers the house is for one address, one person and a few days', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);

    const link = await mint(owner, { profile: 'administrator' });
    const many = await mint(owner, { profile: 'administrator', email: 'ada@acme.test', maxUses: 2 });
    const made = await mint(owner, { profile: 'administrator', email: 'ada@acme.test' });
    const long = await mint(owner, { profile: 'administrator', email: 'ada@acme.test', expiresAt: null });

    expect([link.status, many.status, long.status, made.status]).toEqual([422, 422, 422, 201]);
    expect(made.json()).toMatchObject({ maxUses: 1, emailProof: 'required' });
    expect(Date.parse(made.json().expiresAt) - app.clock.now()).toBe(3 * 86_400_000);
  });

  test('works at once where nobody else could agree', async () => {
    const app = await startTestApp({ engine });

    const made = await mint(await ownerApi(app), { profile: 'technician' });

    expect(made.json()).toMatchObject({ status: 'active' });
  });
});

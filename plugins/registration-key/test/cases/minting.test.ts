import { describe, expect, test } from 'vitest';
import { check } from '../../../../src/crypto/tokens.ts';
import { mint as mintToken } from '../../../../src/crypto/mint.ts';
import { describeOnEachEngine } from '../../../../test/support/databases.ts';
import { days, minutes } from '../../../../test/support/clock.ts';
import { startTestApp } from '../../../../test/support/test-app.ts';
import { joinByApi, keyOf, somebody } from '../desk.ts';
import { fieldsOf, KEYS, member, mint, pluginSetting, total } from './minters.ts';
import { audited, codeOf, ownerApi } from './place.ts';

describe('M14 ten thousand keys', () => {
  test('M14 have no twin, hold their checksum, and use every symbol alike', () => {
    const texts = Array.from({ length: 10_000 }, () => mintToken('lkinv_'));
    const counts = new Map<string, number>();
    for (const text of texts)
      for (const symbol of text.slice(6, 32)) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);

    expect(new Set(texts).size).toBe(10_000);
    expect(texts.every((text) => check(text, 'lkinv_').ok)).toBe(true);
    expect(counts.size).toBe(32);
    const expected = (10_000 * 26) / 32;
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // 31 degrees of freedom: one run in a million goes beyond 90.
    expect(chiSquare).toBeLessThan(90);
  });
});

describeOnEachEngine('minting', (engine) => {
  test('M01 without a session is refused, and nothing is stored', async () => {
    const app = await startTestApp({ engine });

    const refused = await mint(app.guest());

    expect(refused.status).toBe(401);
    expect(await total(app)).toBe(0);
  });

  test('M02 by an ordinary user is refused, and nothing is stored', async () => {
    const app = await startTestApp({ engine });

    const refused = await mint(app.api(await app.given.user()));

    expect(refused.status).toBe(403);
    expect(await total(app)).toBe(0);
  });

  test('M03 with nothing said gives safe defaults, and the secret once', async () => {
    const app = await startTestApp({ engine });

    const made = await mint(await ownerApi(app));

    const { id, key, url } = made.json();
    expect(made.status).toBe(201);
    expect(made.json()).toMatchObject({ maxUses: 10, uses: 0, approval: 'auto', status: 'active' });
    expect(Date.parse(made.json().expiresAt)).toBe(app.clock.now() + days(14));
    expect(url).toContain(key);
    expect(await keyOf(app, id)).not.toHaveProperty('key');
  });

  test('M04 with every field said brings every field back', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);
    const draft = {
      label: 'Paris',
      note: 'Welcome!',
      maxUses: 25,
      notBefore: '2026-04-01T08:00:00.000Z',
      expiresAt: '2026-05-01T08:00:00.000Z',
      hours: { days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00', timeZone: 'Europe/Paris' },
      emailDomains: ['acme.test'],
      approval: 'manual',
      emailProof: 'required',
      landing: '/tickets/new',
      locale: 'fr',
      showOnce: true,
    };

    const made = await mint(owner, draft);

    expect(made.json()).toMatchObject(draft);
    expect(await keyOf(app, made.json().id)).toMatchObject(draft);
  });

  test('M05 without limit and without end is accepted, and flagged', async () => {
    const app = await startTestApp({ engine });

    const made = await mint(await ownerApi(app), { maxUses: null, expiresAt: null });
    const page = await app.as(await app.given.owner()).get(`/invitation-keys/${String(made.json().id)}`);

    expect(made.json()).toMatchObject({ maxUses: null, expiresAt: null });
    expect(page.text).toContain('Anybody who ever gets this link can join, for ever');
    expect(page.text).toContain('Limit it to 25 people and 14 days');
  });

  test('M06 for nobody at all is refused, and pausing is named instead', async () => {
    const app = await startTestApp({ engine });

    const refused = await mint(await ownerApi(app), { maxUses: 0 });

    expect(refused.status).toBe(400);
    expect(refused.text).toMatch(/pause/);
    expect(await total(app)).toBe(0);
  });

  test('M07 for a number of people that is none is refused, and the field is named', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);

    for (const maxUses of [-5, 1.5, '3', true, 2 ** 31, 'NaN']) {
      const refused = await mint(owner, { maxUses });
      expect({ maxUses, status: refused.status }).toEqual({ maxUses, status: 400 });
      expect(fieldsOf(refused)).toEqual(['maxUses']);
    }
    expect(await total(app)).toBe(0);
  });

  test('M08 with an end that is past, no moment, or without its zone is refused', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);

    for (const expiresAt of ['2020-01-01T00:00:00Z', 1_900_000_000_000.5, 'tomorrow', '2027-01-01']) {
      const refused = await mint(owner, { expiresAt });
      expect({ expiresAt, status: refused.status }).toEqual({ expiresAt, status: 400 });
    }
    expect(await total(app)).toBe(0);
  });

  test('M09 with the usual end does not end at once', async () => {
    const app = await startTestApp({ engine });
    const { id } = await app.given.invitationKey();

    const read = await keyOf(app, id);

    expect(Date.parse(String(read['expiresAt'])) - app.clock.now()).toBe(days(14));
    expect(read['status']).toBe('active');
  });

  test('M10 with a text of one’s own that is too long, too short, empty or of other signs is refused', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);

    for (const customKey of [
      'A1'.repeat(33).slice(0, 65),
      'ABCDEFGH12'.repeat(3),
      'ABC12',
      '',
      'WEL*COME',
      'WELCOME!',
    ]) {
      const refused = await mint(owner, { customKey, maxUses: 5 });
      expect({ customKey, status: refused.status }).toEqual({ customKey, status: 400 });
    }
    expect(await total(app)).toBe(0);
  });

  test('M11 with a text that is taken is a conflict that says nothing of the other key', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);
    const first = await mint(owner, { customKey: 'WELCOME-2027', maxUses: 5, label: 'Secret plans' });

    const again = await mint(owner, { customKey: 'welcome 2027', maxUses: 5 });

    expect([first.status, again.status, codeOf(again)]).toEqual([201, 409, 'invitation.custom_key_taken']);
    expect(again.text).not.toContain('Secret plans');
    expect(again.text).not.toContain(first.json().id);
  });

  test('M13, D08 with a text that can be guessed is weak: limit, proof and approval are forced, and it locks', async () => {
    const app = await startTestApp({ engine, mail: true });
    const owner = await app.given.owner();
    const api = app.api(owner);

    const plain = await mint(api, { customKey: 'AAAAAA', maxUses: 5 });
    const eternal = await mint(api, { customKey: 'WELCOME2027', maxUses: null });
    const open = await mint(api, { customKey: 'WELCOME2027', maxUses: 5, approval: 'auto' });
    const blind = await mint(api, { customKey: 'WELCOME2027', maxUses: 5, emailProof: 'none' });
    const made = await mint(api, { customKey: 'WELCOME2027', maxUses: 5, emailDomains: ['acme.test'] });
    const wrong = [];
    for (let time = 0; time < 10; time += 1)
      wrong.push(await joinByApi(app, 'WELCOME2027', somebody({ email: `x${String(time)}@other.test` })));
    const late = await joinByApi(app, 'WELCOME2027', somebody());

    expect([plain.status, eternal.status, open.status, blind.status]).toEqual([400, 422, 422, 422]);
    expect(made.json()).toMatchObject({ custom: true, approval: 'manual', emailProof: 'required' });
    expect(new Set(wrong.map(codeOf))).toEqual(new Set(['invitation.wrong_address']));
    expect(wrong.map(({ text }) => text).join('')).not.toContain('acme.test');
    expect([late.status, codeOf(late)]).toEqual([404, 'invitation.unknown']);
    expect(await keyOf(app, made.json().id)).toMatchObject({
      status: 'paused',
      pausedReason: 'locked',
      uses: 0,
    });
    expect((await app.mailbox.next(owner.email)).text).toMatch(/too many wrong tries/);
  });

  test('M15 beyond what ordinary users may give is refused', async () => {
    const app = await startTestApp({ engine });
    const { api } = await member(app);

    const many = await mint(api, { maxUses: 6 });
    const unlimited = await mint(api, { maxUses: null });
    const long = await mint(api, { expiresAt: new Date(app.clock.now() + days(15)).toISOString() });
    const fits = await mint(api, { maxUses: 5 });

    expect([many.status, unlimited.status, long.status, fits.status]).toEqual([422, 422, 422, 201]);
    expect(many.json().errors).toMatchObject([{ field: 'maxUses', code: 'invitation.quota_uses' }]);
    expect(fits.json()).toMatchObject({ byMember: true, profile: 'self-service' });
    expect(await total(app)).toBe(1);
  });

  test('M16 beyond the quota of open keys, or of keys a day, is refused, also when all are asked at once', async () => {
    const app = await startTestApp({ engine });
    const { api } = await member(app);
    await pluginSetting(app, 'memberKeysPerDay', 7);

    const answers = await Promise.all(Array.from({ length: 4 }, () => mint(api)));
    for (let time = 0; time < 5; time += 1) answers.push(await mint(api));
    const made = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status !== 201);
    const open = await total(app);
    for (const { id } of made.map((answer) => answer.json() as { id: string }))
      await api.call('POST', `${KEYS}/${id}/revoke`);
    const later = [await mint(api), await mint(api), await mint(api)];

    expect(open).toBe(5);
    expect(made).toHaveLength(5);
    expect(new Set(refused.map(codeOf))).toEqual(new Set(['invitation.quota_open']));
    expect(later.map(({ status }) => status)).toEqual([201, 201, 429]);
  });

  test('M17 by an account that is too young is refused', async () => {
    const app = await startTestApp({ engine });
    await pluginSetting(app, 'peopleMayInvite', true);
    const person = await app.given.user();

    const early = await mint(app.api(person));
    app.clock.advance(days(3));
    const later = await mint(app.api(person));

    expect([early.status, codeOf(early), later.status]).toEqual([403, 'invitation.account_too_young', 201]);
  });

  test('M19 of more keys at once than the limit is refused, and none is made', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);

    const many = await owner.call('POST', `${KEYS}/batch`, { count: 501 });
    const none = await owner.call('POST', `${KEYS}/batch`, { count: 0 });
    const before = await total(app);
    const made = await owner.call('POST', `${KEYS}/batch`, { count: 12, label: 'Badge', maxUses: 1 });

    expect([many.status, none.status, before]).toEqual([422, 422, 0]);
    const { items } = made.json() as { items: { key: string; label: string; maxUses: number }[] };
    expect(new Set(items.map(({ key }) => key)).size).toBe(12);
    expect(items.map(({ label }) => label).slice(0, 2)).toEqual(['Badge 01', 'Badge 02']);
    expect((await joinByApi(app, items[3]?.key ?? '', somebody())).status).toBe(201);
    expect(await total(app)).toBe(12);
  });

  test('M20 for one address and for domains at once is refused', async () => {
    const app = await startTestApp({ engine });

    const refused = await mint(await ownerApi(app), {
      email: 'jo@acme.test',
      emailDomains: ['acme.test'],
    });

    expect(refused.status).toBe(422);
    expect(await total(app)).toBe(0);
  });

  test('M22 with a label that is too long is refused, and markup stays text', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);

    const long = await mint(owner, { label: 'x'.repeat(121) });
    await mint(owner, { label: '<img src=x onerror=alert(1)>', note: '<b>bold</b>', emailProof: 'none' });
    const list = await app.as(await app.given.owner()).get('/invitation-keys?tab=all');

    expect(long.status).toBe(400);
    expect(list.text).toContain('&lt;img src&#x3D;x onerror&#x3D;alert(1)&gt;');
    expect(list.text).not.toContain('<img src=x');
  });

  test('M23 with a group that does not exist is refused, and the words say that no key was made', async () => {
    const app = await startTestApp({ engine });

    const refused = await mint(await ownerApi(app), { groups: ['01J00000000000000000000000'] });

    expect(refused.status).toBe(400);
    expect(refused.text).toContain('No key was made');
    expect(await total(app)).toBe(0);
  });

  test('M24 with a profile that does not exist is refused', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);

    for (const profile of ['emperor', '999999', '']) {
      expect((await mint(owner, { profile })).status).toBe(400);
    }
    expect(await total(app)).toBe(0);
  });

  test('M25 with the same settings and “reuse” gives the same open key, and no new one', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);
    const draft = { label: 'Lobby', maxUses: 10, emailProof: 'none', reuse: true };

    const first = await mint(owner, draft);
    app.clock.advance(minutes(90));
    const again = await mint(owner, draft);
    const other = await mint(owner, { ...draft, maxUses: 11 });
    await owner.call('POST', `${KEYS}/${String(first.json().id)}/revoke`);
    const afterwards = await mint(owner, draft);
    const elsewhere = await mint(app.api(await app.given.administrator()), draft);

    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.json()).toMatchObject({ id: first.json().id, key: first.json().key });
    const ids = [first, other, afterwards, elsewhere].map((answer) => (answer.json() as { id: string }).id);
    expect(new Set(ids).size).toBe(4);
    expect(await audited(app, 'invitation-key.revealed')).toHaveLength(1);
  });
});

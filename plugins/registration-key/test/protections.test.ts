import { afterEach, describe, expect, test, vi } from 'vitest';
import { PasswordGate } from '../../../src/identity/index.ts';
import { commonHeaders } from '../../../src/http/security-headers.ts';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { HttpClient } from '../../../test/support/http-client.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { findKey, takeSeats } from '../src/keys/key-repository.ts';
import type { InvitationKey } from '../src/keys/invitation-key.ts';
import { joinByApi, keyOf, PASSWORD, somebody } from './desk.ts';
import { isSignedIn } from './cases/place.ts';

const HOUR_MS = 3_600_000;

afterEach(() => {
  vi.restoreAllMocks();
});

async function judgedKey(app: TestApp): Promise<InvitationKey> {
  const { id } = await app.given.invitationKey({ maxUses: 3 });
  const key = await findKey(app.db, id);
  if (key === null) throw new Error('It was made just now');
  return key;
}

describeOnEachEngine('the statement that takes a seat', (engine) => {
  test('takes none when one thing is otherwise than it was judged, whichever', async () => {
    const app = await startTestApp({ engine });
    const key = await judgedKey(app);
    const now = app.clock.now();
    const row = (): ReturnType<typeof app.db.knex> => app.db.knex('invite_key').where({ id: key.id });
    const asItWas = (await row().first()) as Record<string, unknown>;
    const otherwise: Record<string, Record<string, unknown>> = {
      'it belongs to another entity': { entity_id: '01J00000000000000000000000' },
      'it was replaced': { generation: key.generation + 1 },
      'it was edited': { version: key.version + 1 },
      'it was mailed': { is_mailed: 1 },
      'it was revoked': { revoked_at: now },
      'it was paused': { paused_at: now, paused_reason: 'by-hand' },
      'it has not begun': { not_before: now + 1 },
      'it has ended': { expires_at: now },
      'it is full': { uses: 3, seat_seq: 3 },
    };
    const taken: Record<string, number | null> = {};

    for (const [what, changed] of Object.entries({ 'nothing changed': {}, ...otherwise })) {
      if (Object.keys(changed).length > 0)
        await app.db.transaction((tx) => tx.knex('invite_key').where({ id: key.id }).update(changed));
      taken[what] = await app.db.transaction((tx) => takeSeats(tx, key, 1, now));
      await app.db.transaction((tx) => tx.knex('invite_key').where({ id: key.id }).update(asItWas));
    }
    const twoMore = await app.db.transaction((tx) => takeSeats(tx, key, 4, now));

    expect(taken).toEqual({
      'nothing changed': 1,
      ...Object.fromEntries(Object.keys(otherwise).map((what) => [what, null])),
    });
    expect(twoMore).toBeNull();
  });

  test('has the database behind it: what no code of ours may write, it refuses', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ maxUses: 3 });
    await joinByApi(app, key, somebody());
    await joinByApi(app, key, somebody());
    const write = (table: string, changed: object): Promise<string> =>
      app.db
        .transaction((tx) => tx.knex(table).where({ key_id: id }).update(changed))
        .then(
          () => 'written',
          () => 'refused',
        );
    const writeKey = (changed: object): Promise<string> =>
      app.db
        .transaction((tx) => tx.knex('invite_key').where({ id }).update(changed))
        .then(
          () => 'written',
          () => 'refused',
        );

    expect([
      await writeKey({ uses: 4, seat_seq: 4 }),
      await writeKey({ uses: -1 }),
      await writeKey({ max_uses: 0, uses: 0 }),
      await writeKey({ not_before: 2, expires_at: 1 }),
      await write('invite_redemption', { seat: 1 }),
      await write('invite_redemption', { address_slot: Buffer.alloc(32, 1) }),
      await write('invite_attempt', { redeem_id: 'the same for both' }),
    ]).toEqual(Array(7).fill('refused'));
    expect(await keyOf(app, id)).toMatchObject({ uses: 2, maxUses: 3 });
  });
});

test('an administrator who mints without end is stopped for the hour, and nobody else is', async () => {
  const app = await startTestApp();
  const [busy, calm] = [app.api(await app.given.administrator()), app.api(await app.given.administrator())];
  const mint = (api: HttpClient): Promise<number> =>
    api.call('POST', '/api/v1/invitation-keys', {}).then(({ status }) => status);
  const minted: number[] = [];
  for (let at = 0; at < 101; at += 1) minted.push(await mint(busy));

  expect(minted.slice(0, 100).every((status) => status === 201)).toBe(true);
  expect(minted[100]).toBe(429);
  expect(await mint(calm)).toBe(201);
});

describe('the join form', () => {
  test('is no weapon: no password is hashed for a key that lets nobody in, or an address that it does not fit', async () => {
    const app = await startTestApp();
    const owner = app.api(await app.given.owner());
    const good = await app.given.invitationKey({
      emailDomains: ['acme.test'],
      emailProof: 'required',
      maxUses: 5,
    });
    const revoked = await app.given.invitationKey();
    await owner.call('POST', `/api/v1/invitation-keys/${revoked.id}/revoke`);
    const ended = await app.given.invitationKey({
      expiresAt: new Date(app.clock.now() + HOUR_MS).toISOString(),
    });
    const full = await app.given.invitationKey({ maxUses: 1 });
    await joinByApi(app, full.key, somebody());
    app.clock.advance(2 * HOUR_MS);
    const hash = vi.spyOn(PasswordGate.prototype, 'hash');

    const refused = [
      await joinByApi(app, 'lkinv_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN', somebody()),
      await joinByApi(app, `${good.key.slice(0, -1)}U`, somebody()),
      await joinByApi(app, revoked.key, somebody()),
      await joinByApi(app, ended.key, somebody()),
      await joinByApi(app, full.key, somebody()),
      await joinByApi(app, good.key, somebody({ email: 'jo@elsewhere.test' })),
      await joinByApi(app, good.key, somebody({ password: 'short' })),
    ];
    const hashed = hash.mock.calls.length;
    const joined = await joinByApi(app, good.key, somebody());

    expect(refused.filter(({ status }) => status < 400)).toEqual([]);
    expect(hashed).toBe(0);
    expect([joined.status < 300, hash.mock.calls.length]).toEqual([true, 1]);
  });

  test('gives a session that is new: one that somebody planted before opens nothing afterwards', async () => {
    const app = await startTestApp();
    const { key } = await app.given.invitationKey({ emailProof: 'none' });
    const phone = app.guest();
    await phone.get(`/join/${key}`);
    const name = [...phone.cookies.keys()][0]?.replace(/_(?:join|lang|csrf).*$/, '') ?? '';
    const planted = 'A'.repeat(43);
    phone.cookies.set(name, planted);

    const { email, name: called } = somebody();
    await phone.submit(`/join/${key}`, { email, name: called, password: PASSWORD }, { action: '/join' });
    const attacker = app.guest();
    attacker.cookies.set(name, planted);

    expect(await isSignedIn(phone)).toBe(true);
    expect(phone.cookies.get(name)).not.toBe(planted);
    expect(await isSignedIn(attacker)).toBe(false);
  });

  test('may be framed by nobody, runs nothing from elsewhere, and leaves no trace of where one came from', async () => {
    const app = await startTestApp();
    const { key } = await app.given.invitationKey();
    const phone = app.guest();

    const opened = await phone.send(`/join/${key}`, { method: 'GET' });
    const inCapitals = await app.guest().send(`/JOIN/${key.toUpperCase()}`, { method: 'GET' });
    const page = await phone.get(String(opened.headers['location']));
    const refused = await app.guest().send('/join/lkinv_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN', { method: 'GET' });

    for (const { headers } of [opened, inCapitals, refused])
      expect(headers['referrer-policy']).toBe('no-referrer');
    for (const { headers } of [opened, inCapitals]) {
      expect(String(headers['location'])).not.toContain(key.slice(6));
      const cookies = [headers['set-cookie'] ?? []].flat();
      expect(cookies.length).toBeGreaterThan(0);
      for (const cookie of cookies) {
        expect(cookie).toContain('; HttpOnly');
        expect(cookie).toContain('; SameSite=Lax');
        expect(cookie).not.toContain(key.slice(6));
      }
    }
    const policy = String(page.headers['content-security-policy']);
    for (const rule of [
      "default-src 'none'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'self'",
      "connect-src 'self'",
    ])
      expect(policy).toContain(rule);
    expect(policy).not.toMatch(/unsafe-|https?:|\*/);
    expect(page.headers['cache-control']).toBe('no-store');
  });

  test('keeps to encrypted transport where there is one, and says so to every browser', async () => {
    const app = await startTestApp({ config: { BASE_URL: 'https://desk.acme.test' } });
    const { key } = await app.given.invitationKey();

    const { headers } = await new HttpClient(app.origin).send(`/join/${key}`, { method: 'GET' });

    expect(headers['strict-transport-security']).toMatch(/max-age=31536000/);
    expect(commonHeaders({ https: false })).not.toHaveProperty('Strict-Transport-Security');
    for (const cookie of [headers['set-cookie'] ?? []].flat()) expect(cookie).toMatch(/^__Host-.*; Secure$/);
  });
});

import { expect, test } from 'vitest';
import { mostAccounts } from '../../../../src/identity/identity-settings.ts';
import { days, minutes } from '../../../../test/support/clock.ts';
import { describeOnEachEngine } from '../../../../test/support/databases.ts';
import type { HttpClient } from '../../../../test/support/http-client.ts';
import { startTestApp, type TestApp, type TestAppOptions } from '../../../../test/support/test-app.ts';
import { keyRedeemed, mayRedeem } from '../../src/hooks.ts';
import {
  joinByApi,
  joinByBrowser,
  keyOf,
  PASSWORD,
  redemptionsOf,
  somebody,
  somebodyElsewhere,
} from '../desk.ts';
import {
  anonymise,
  audited,
  codeOf,
  groupOf,
  groupsOf,
  isSignedIn,
  ownerApi,
  pathOf,
  revoke,
  uses,
  usersIn,
  words,
} from './place.ts';

const codeIn = (subject: string): string => /(\d{3} \d{3})/.exec(subject)?.[1] ?? '';
const linkPath = (link: string | undefined): string => new URL(link ?? '').pathname;
const iso = (at: number): string => new Date(at).toISOString();
const bodyOf = (html: string): string => html.replace(/[\w-]{8,}/g, '').replace(/jo@|mo@/g, '');

describeOnEachEngine('redeeming, case by case', (engine) => {
  const start = (options: TestAppOptions = {}): Promise<TestApp> => startTestApp({ engine, ...options });

  test('R01 three people with a live key are three accounts, and the count is three', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey();
    const before = await usersIn(app);

    for (let person = 0; person < 3; person += 1)
      expect((await joinByApi(app, key, somebody())).status).toBe(201);

    expect(await usersIn(app)).toBe(before + 3);
    expect(await keyOf(app, id)).toMatchObject({ uses: 3 });
    expect((await redemptionsOf(app, id)).total).toBe(3);
  });

  test('R02 a key for one is refused the second time', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey({ maxUses: 1 });
    await joinByApi(app, key, somebody());

    const second = await joinByApi(app, key, somebody());

    expect([second.status, codeOf(second)]).toEqual([410, 'invitation.used_up']);
    expect(await uses(app, id)).toBe(1);
  });

  test('R03 expired, revoked, paused and unknown keys are refused, and no seat is spent', async () => {
    const app = await start();
    const end = app.clock.now() + minutes(5);
    const expired = await app.given.invitationKey({ expiresAt: iso(end) });
    const revoked = await app.given.invitationKey();
    const paused = await app.given.invitationKey();
    await revoke(app, revoked.id);
    await revoke(app, paused.id, 'pause');
    const before = await usersIn(app);
    app.clock.set(end);

    const answers = [
      await joinByApi(app, expired.key, somebody()),
      await joinByApi(app, revoked.key, somebody()),
      await joinByApi(app, paused.key, somebody()),
      await joinByApi(app, 'lkinv_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN', somebody()),
    ];

    expect(answers.map(codeOf)).toEqual([
      'invitation.expired',
      'invitation.revoked',
      'invitation.paused',
      'invitation.unknown',
    ]);
    expect([await uses(app, expired.id), await uses(app, revoked.id), await uses(app, paused.id)]).toEqual([
      0, 0, 0,
    ]);
    expect(await usersIn(app)).toBe(before);
  });

  test('R04 an end that is to come lets in, an end that has passed does not', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey({ expiresAt: iso(app.clock.now() + minutes(10)) });

    const early = await joinByApi(app, key, somebody());
    app.clock.advance(minutes(10));
    const late = await joinByApi(app, key, somebody());

    expect([early.status, late.status, await uses(app, id)]).toEqual([201, 410, 1]);
  });

  test('R05 an expired key is refused although no clean-up has ever run', async () => {
    const app = await start({ work: false });
    const { key } = await app.given.invitationKey({ expiresAt: iso(app.clock.now() + minutes(1)) });
    app.clock.advance(days(90));

    expect(codeOf(await joinByApi(app, key, somebody()))).toBe('invitation.expired');
  });

  test('R06 the end is one moment in every time zone', async () => {
    const app = await start();
    const end = app.clock.now() + minutes(30);
    const inTokyo = `${iso(end + 9 * 3_600_000).slice(0, -1)}+09:00`;
    const { id, key } = await app.given.invitationKey({ expiresAt: inTokyo });

    app.clock.set(end - 1);
    const before = await joinByApi(app, key, somebody());
    app.clock.set(end);
    const at = await joinByApi(app, key, somebody());
    const naive = await (
      await ownerApi(app)
    ).call('POST', '/api/v1/invitation-keys', { expiresAt: iso(end + days(1)).slice(0, -1) });

    expect((await keyOf(app, id))['expiresAt']).toBe(iso(end));
    expect([before.status, at.status, naive.status]).toEqual([201, 410, 400]);
  });

  test('R07 a form that is wrong takes no seat, keeps what was typed, and goes through once it is right', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey({ maxUses: 1 });
    const phone = app.guest();
    const form = await phone.get(`/join/${key}`);
    const right = { email: 'jo@acme.test', name: 'Jo Martin', password: PASSWORD };

    const short = await phone.submitShown(form, { ...right, password: 'x' });
    const noMail = await phone.submitShown(form, { ...right, email: 'jo at acme' });
    const noName = await phone.submitShown(form, { ...right, name: '' });
    const spent = await uses(app, id);
    const done = await phone.submitShown(noName, right);

    expect([short.status, noMail.status, noName.status]).toEqual([422, 422, 422]);
    expect(short.text).toContain('value="Jo Martin"');
    expect(short.text).not.toContain(PASSWORD);
    expect(spent).toBe(0);
    expect(pathOf(done)).toBe('/tickets/new');
  });

  test('R08 an address that has an account gets no second one and no way in, and its owner a mail that says so', async () => {
    const app = await start({ mail: true });
    const { id, key } = await app.given.invitationKey({ emailProof: 'required' });
    await app.given.user({ email: 'jo@acme.test', password: PASSWORD });
    const before = await usersIn(app);
    const phone = app.guest();

    const page = await joinByBrowser(phone, key, { email: 'jo@acme.test' });
    const letter = await app.mailbox.next('jo@acme.test');

    expect(words(page.text)).toContain('Check your inbox');
    expect(letter.subject).toContain('already have');
    expect(letter.links).toHaveLength(2);
    for (const link of letter.links)
      expect((await app.guest().get(new URL(link).pathname)).status, link).toBe(200);
    expect(await isSignedIn(phone)).toBe(false);
    expect([await usersIn(app), await uses(app, id)]).toEqual([before, 0]);
  });

  test('R10 a new address sees the very same page as a taken one', async () => {
    const app = await start({ mail: true });
    const { key } = await app.given.invitationKey({ emailProof: 'required' });
    await app.given.user({ email: 'jo@acme.test' });

    const taken = await joinByBrowser(app.guest(), key, { email: 'jo@acme.test' });
    const fresh = await joinByBrowser(app.guest(), key, { email: 'mo@acme.test' });

    expect(taken.status).toBe(fresh.status);
    expect(Math.abs(taken.text.length - fresh.text.length)).toBeLessThan(8);
    expect(bodyOf(words(taken.text))).toBe(bodyOf(words(fresh.text)));
  });

  test('R11 a key for one address refuses another and keeps its seat', async () => {
    const app = await start({ mail: true });
    const { id, key } = await app.given.invitationKey({
      email: 'jo@acme.test',
      maxUses: 1,
      emailProof: 'required',
    });

    const other = await joinByApi(app, key, somebody({ email: 'mo@acme.test' }));

    expect([other.status, codeOf(other), await uses(app, id)]).toEqual([422, 'invitation.wrong_email', 0]);
  });

  test('R13 an account whose address nobody proved, as another way in might bring, is held back by a domain key', async () => {
    const app = await start({ mail: true });
    const { id, key } = await app.given.invitationKey({
      emailDomains: ['acme.test'],
      emailProof: 'required',
    });
    const person = await somebodyElsewhere(app, { email: 'jo@acme.test' });
    await write(app, 'users', person.id, { email_verified_at: null });
    const browser = app.as(person);

    const page = await browser.get(`/join/${key}`);
    const refused = await browser.submitShown(page, {}, { action: '/join/step/add' });

    expect(words(refused.text)).toContain('Confirm your address first');
    expect(await uses(app, id)).toBe(0);
  });

  test('R14 an account with another address than the bound one, however it signed in, is refused', async () => {
    const app = await start({ mail: true });
    const { id, key } = await app.given.invitationKey({
      email: 'jo@acme.test',
      maxUses: 1,
      emailProof: 'required',
    });
    const browser = app.as(await app.given.user({ email: 'mo@acme.test' }));

    const page = await browser.get(`/join/${key}`);
    const forced = await browser.post('/join/step/add', { ...hidden(page.text), h: handleIn(page.url) });

    expect(words(page.text)).toContain('This invitation is for j…@acme.test');
    expect(forced.status).not.toBe(303);
    expect(await uses(app, id)).toBe(0);
  });

  test('R15 where another way in refuses passwords, the key does not widen that', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey();
    const { hooks } = app.house.ground;
    hooks.onVeto('single-sign-on', mayRedeem, () => ({ code: 'single-sign-on.only' }));
    const phone = app.guest();

    const refused = await joinByApi(app, key, somebody());
    const page = await joinByBrowser(phone, key);

    expect(refused.status).toBe(409);
    expect(page.status).toBe(409);
    expect(await isSignedIn(phone)).toBe(false);
    expect(await uses(app, id)).toBe(0);
  });

  test('R16 who waits for approval has no account, no session and no token, not for one request', async () => {
    const app = await start();
    const { key } = await app.given.invitationKey({ approval: 'manual' });
    const before = await usersIn(app);
    const sessions = await app.db.knex('sessions').select('id');
    const phone = app.guest();

    const page = await joinByBrowser(phone, key, { email: 'jo@acme.test' });
    const login = await app.guest().submit('/login', { email: 'jo@acme.test', password: PASSWORD });

    expect(words(page.text)).toContain('An administrator still has to let you in');
    expect(await isSignedIn(phone)).toBe(false);
    expect(pathOf(login)).toBe('/login');
    expect(await usersIn(app)).toBe(before);
    expect(await app.db.knex('sessions').select('id')).toHaveLength(sessions.length);
  });

  test('R17 a key that approves by itself lets in at once, in the name of its owner', async () => {
    const app = await start();
    const owner = await app.given.owner();
    const { key } = await app.given.invitationKey({ approval: 'auto' });
    const phone = app.guest();

    await joinByBrowser(phone, key, { email: 'jo@acme.test' });

    expect(await isSignedIn(phone)).toBe(true);
    const [created] = (await audited(app, 'invitation-key.redeemed')).slice(-1);
    expect(created).toMatchObject({ actor_id: owner.id });
  });

  test('R18 by a link alone nobody is in before the mail is answered', async () => {
    const app = await start({ mail: true });
    const { id, key } = await app.given.invitationKey({ emailProof: 'required' });
    const phone = app.guest();

    const waiting = await joinByBrowser(phone, key, { email: 'jo@acme.test' });
    const inBetween = await isSignedIn(phone);
    const letter = await app.mailbox.next('jo@acme.test');
    await phone.submitShown(waiting, { code: codeIn(letter.subject) }, { action: '/join/step/confirm' });

    expect(inBetween).toBe(false);
    expect(await isSignedIn(phone)).toBe(true);
    expect((await redemptionsOf(app, id)).items).toMatchObject([{ status: 'active' }]);
  });

  test('R19 the mailed copy proves its mailbox; the plain key, and a mailed one with a wrong symbol, do not', async () => {
    const app = await start({ mail: true });
    const { id, key } = await app.given.invitationKey({ emailProof: 'required' });
    await app
      .as(await app.given.owner())
      .submit(
        `/invitation-keys/${id}`,
        { addresses: 'jo@acme.test' },
        { action: `/invitation-keys/${id}/send` },
      );
    const mailed = linkPath((await app.mailbox.next('jo@acme.test')).links[0]);
    const wrong = mailed.slice(0, -1) + (mailed.endsWith('0') ? '1' : '0');
    const typed = { name: 'Jo Martin', password: PASSWORD };

    const broken = await app.guest().get(wrong);
    const plain = await joinByBrowser(app.guest(), key, { email: 'mo@acme.test' });
    const phone = app.guest();
    await phone.submit(mailed, { email: 'jo@acme.test', ...typed }, { action: '/join' });

    expect(broken.status).toBe(404);
    expect(words(plain.text)).toContain('Check your inbox');
    expect(await isSignedIn(phone)).toBe(true);
  });

  test('R20 groups on the key: a member of exactly these, and the log has each', async () => {
    const app = await start();
    const groups = [await groupOf(app, 'Fire wardens'), await groupOf(app, 'Paris')];
    await groupOf(app, 'Not on the key');
    const { key } = await app.given.invitationKey({ groups });

    await joinByApi(app, key, somebody({ email: 'jo@acme.test' }));

    expect(await groupsOf(app, 'jo@acme.test')).toEqual(['Fire wardens', 'Paris']);
    expect(await audited(app, 'group.member-added')).toHaveLength(2);
  });

  test('R21 an empty list of groups is no group, not every group', async () => {
    const app = await start();
    await groupOf(app, 'Paris');
    const { key } = await app.given.invitationKey({ groups: [] });

    await joinByApi(app, key, somebody({ email: 'jo@acme.test' }));

    expect(await groupsOf(app, 'jo@acme.test')).toEqual([]);
  });

  test('R22 somebody signed in joins the groups, without a second account; the second time it was used by them', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey({ groups: [await groupOf(app, 'Paris')] });
    const person = await app.given.user({ email: 'jo@acme.test' });
    const before = await usersIn(app);
    const browser = app.as(person);
    const page = await browser.get(`/join/${key}`);
    const session = sessionOf(browser);

    await browser.submitShown(page, {}, { action: '/join/step/add' });
    const again = await browser.get(`/join/${key}`);

    expect(words(page.text)).toContain('Paris');
    expect(await groupsOf(app, 'jo@acme.test')).toEqual(['Paris']);
    expect([await usersIn(app), await uses(app, id)]).toEqual([before, 1]);
    expect(sessionOf(browser)).toEqual(session);
    expect(words(again.text)).toContain('You have used this invitation already');
  });

  test('R23 somebody signed in with an address that does not match is refused', async () => {
    const app = await start({ mail: true });
    const { id, key } = await app.given.invitationKey({
      emailDomains: ['acme.test'],
      emailProof: 'required',
    });
    const browser = app.as(await app.given.user({ email: 'jo@elsewhere.test' }));

    const page = await browser.get(`/join/${key}`);
    await browser.post('/join/step/add', { ...hidden(page.text), h: handleIn(page.url) });

    expect(words(page.text)).toContain('@acme.test');
    expect(await uses(app, id)).toBe(0);
  });

  test('R25 what must be read first is not skipped by posting the last step', async () => {
    const app = await start();
    await (
      await ownerApi(app)
    ).call('POST', '/api/v1/invitation-keys/steps', {
      phase: 'before',
      title: 'House rules',
      body: 'Be kind.',
      agreement: 'I will be kind.',
    });
    const { id, key } = await app.given.invitationKey();
    const phone = app.guest();
    const page = await phone.get(`/join/${key}`);

    const jump = await phone.post('/join', { ...hidden(page.text), ...somebody() });
    const api = await joinByApi(app, key, somebody());

    expect(words(page.text)).toContain('House rules');
    expect(String(jump.headers['location'])).toContain('/join?h=');
    expect(codeOf(api)).toBe('invitation.steps_first');
    expect([await isSignedIn(phone), await uses(app, id)]).toEqual([false, 0]);
  });

  test('R26 while mail is down the seat is held, nobody is in, and the mail goes out later', async () => {
    const app = await start({ mail: true });
    app.mailbox.refuse(true);
    const { id, key } = await app.given.invitationKey({ emailProof: 'required' });
    const phone = app.guest();

    await joinByBrowser(phone, key, { email: 'jo@acme.test' });
    await app.settle();
    const held = (await redemptionsOf(app, id)).items;
    app.mailbox.refuse(false);
    app.clock.advance(minutes(5));
    await app.settle();
    const letter = await app.mailbox.next('jo@acme.test');

    expect(held).toMatchObject([{ status: 'pending_email' }]);
    expect(await isSignedIn(phone)).toBe(false);
    expect(codeIn(letter.subject)).not.toBe('');
  });

  test('R27 a plugin that throws when asked stops all of it; one that throws when told stops nothing', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey();
    const { hooks } = app.house.ground;
    hooks.onEvent('clumsy', keyRedeemed, () => {
      throw new Error('I fell over');
    });

    const joined = await joinByApi(app, key, somebody({ email: 'jo@acme.test' }));
    await app.settle();
    const undo = hooks.onVeto('broken', mayRedeem, () => {
      throw new Error('I am broken');
    });
    const refused = await joinByApi(app, key, somebody({ email: 'mo@acme.test' }));
    undo();

    expect(joined.status).toBe(201);
    expect(await app.house.domains.users.findByEmail('jo@acme.test')).toMatchObject({ status: 'active' });
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(await app.house.domains.users.findByEmail('mo@acme.test')).toBeNull();
    expect(await uses(app, id)).toBe(1);
  });

  test('R28 a landing place that is private, gone or elsewhere is left for the safe one', async () => {
    const app = await start();
    const { ticket } = await app.given.ticket();
    const landAt = async (landing: string, planted = landing): Promise<string> => {
      const { id, key } = await app.given.invitationKey({ landing });
      await write(app, 'invite_key', id, { landing: planted });
      return pathOf(await joinByBrowser(app.guest(), key));
    };
    const outside = await (
      await ownerApi(app)
    ).call('POST', '/api/v1/invitation-keys', { landing: '//evil.example' });

    expect(outside.status).toBe(400);
    expect(await landAt('/account')).toBe('/account');
    expect(await landAt(`/tickets/${String(ticket.number)}`)).toBe('/tickets/new');
    expect(await landAt('/admin/users')).toBe('/tickets/new');
    expect(await landAt('/nowhere')).toBe('/tickets/new');
    expect(await landAt('/account', 'https://evil.example/')).toBe('/tickets/new');
    expect(await landAt('/account', '//evil.example')).toBe('/tickets/new');
  });

  test('R30 somebody whose account was deleted is invited afresh with the same address', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey();
    await joinByApi(app, key, somebody({ email: 'jo@acme.test' }));
    const gone = await app.house.domains.users.findByEmail('jo@acme.test');
    await anonymise(app, { id: gone?.id ?? '' });
    const fresh = await app.given.invitationKey();

    const again = await joinByApi(app, fresh.key, somebody({ email: 'jo@acme.test' }));

    expect(again.status).toBe(201);
    expect((await app.house.domains.users.findByEmail('jo@acme.test'))?.id).not.toBe(gone?.id);
    expect([await uses(app, id), await uses(app, fresh.id)]).toEqual([1, 1]);
  });

  test('R31 a key without limit: five hundred people, each with an account of their own, each listed', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey({ maxUses: null });
    const before = await usersIn(app);

    const rounds = 10;
    for (let round = 0; round < rounds; round += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => joinByApi(app, key, somebody())));
      expect(answers.every(({ status }) => status === 201)).toBe(true);
    }

    const rows = await app.db.knex('invite_redemption').where({ key_id: id }).select('user_id', 'seat');
    expect(new Set(rows.map((row: { user_id: string }) => row.user_id)).size).toBe(500);
    expect(new Set(rows.map((row: { seat: number }) => row.seat)).size).toBe(500);
    expect(await usersIn(app)).toBe(before + 500);
  }, 180_000);

  test('R32 a house that is full refuses and says whom to ask; the seat of the key is kept, and blank is no limit', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey();
    await app.given.setting(mostAccounts, await usersIn(app));
    const phone = app.guest();

    const api = await joinByApi(app, key, somebody());
    const page = await phone.get(`/join/${key}`);
    await app.given.setting(mostAccounts, null);
    const later = await joinByBrowser(phone, key);

    expect([api.status, codeOf(api)]).toEqual([409, 'user.no-room']);
    expect(page.status).toBe(409);
    expect(words(page.text)).toContain('Your invitation stays valid; please ask your contact');
    expect(pathOf(later)).toBe('/tickets/new');
    expect(await uses(app, id)).toBe(1);
  });

  test('E10 a key that is revoked while somebody types refuses kindly and keeps the form', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey();
    const phone = app.guest();
    const form = await phone.get(`/join/${key}`);
    await revoke(app, id);

    const late = await phone.submitShown(form, {
      email: 'jo@acme.test',
      name: 'Jo Martin',
      password: PASSWORD,
    });

    expect(late.status).toBe(410);
    expect(words(late.text)).toContain('no longer active');
    expect(words(late.text)).toContain('What you typed is kept');
    expect(await uses(app, id)).toBe(0);
  });

  test('E19 a group that was deleted is skipped, the account is made, and the owner is told', async () => {
    const app = await start();
    const [paris, gone] = [await groupOf(app, 'Paris'), await groupOf(app, 'Gone')];
    const { key } = await app.given.invitationKey({ groups: [paris, gone] });
    await (await ownerApi(app)).call('DELETE', `/api/v1/groups/${gone}`);

    const joined = await joinByApi(app, key, somebody({ email: 'jo@acme.test' }));
    const page = await app.as(await app.given.owner()).get('/notifications');

    expect(joined.status).toBe(201);
    expect(await groupsOf(app, 'jo@acme.test')).toEqual(['Paris']);
    const [entry] = await audited(app, 'invitation-key.redeemed');
    expect(JSON.stringify(entry)).toContain(gone);
    expect(words(page.text)).toContain('left out');
  });

  test('E19 the owner is told of a lost group once, whichever server people come to', async () => {
    const app = await start();
    const gone = await groupOf(app, 'Gone');
    const { key } = await app.given.invitationKey({ groups: [gone] });
    await (await ownerApi(app)).call('DELETE', `/api/v1/groups/${gone}`);

    await joinByApi(app, key, somebody());
    const other = await startTestApp({ engine, databaseUrl: app.databaseUrl, clock: app.clock });
    await joinByApi(other, key, somebody());
    await joinByApi(app, key, somebody());

    const told = await app.db.knex('notification').where('kind', 'like', '%groups-left-out');
    expect(told).toHaveLength(1);
  });
});

const sessionOf = ({ cookies }: HttpClient): [string, string][] =>
  [...cookies].filter(([name]) => !name.includes('join_') && !name.includes('flash'));
const write = (app: TestApp, table: string, id: string, facts: Record<string, unknown>): Promise<unknown> =>
  app.db.transaction(async (tx) => tx.knex(table).where({ id }).update(facts));
const handleIn = (url: string): string => new URL(url).searchParams.get('h') ?? '';
const hidden = (html: string): Record<string, string> =>
  Object.fromEntries(
    [...html.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );

import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { localSignIn, ROOT_ENTITY_ID } from '../../../src/identity/index.ts';
import { system } from '../../../src/shared/actor.ts';
import { describeOnEachEngine, type Engine } from '../../../test/support/databases.ts';
import type { Answer, HttpClient } from '../../../test/support/http-client.ts';
import type { OpenidProvider } from '../../../test/support/openid-provider.ts';
import type { TestApp } from '../../../test/support/test-app.ts';
import {
  goBy,
  identities,
  isSignedIn,
  linked,
  openHouse,
  SIGN_IN,
  whoIs,
  withProvider,
  words,
} from './desk.ts';

interface Place {
  app: TestApp;
  provider: OpenidProvider;
}

async function start(
  engine: Engine,
  setup: { mail?: boolean; trustedDomains?: string } = {},
): Promise<Place> {
  const { mail = false, ...how } = setup;
  const app = await openHouse(engine, { mail });
  return { app, provider: await withProvider(app, how) };
}

/** Opens the invitation and goes to the provider from it; the form that is there afterwards. */
async function arrive(browser: HttpClient, provider: OpenidProvider, key: string): Promise<Answer> {
  const form = await browser.get(`/join/${key}`);
  const link = /href="(\/join\/step\/with\/[^"]+)"/.exec(form.text)?.[1]?.replaceAll('&#x3D;', '=') ?? '';
  return goBy(browser, provider, link);
}

const join = (browser: HttpClient, form: Answer, values: Record<string, string> = {}): Promise<Answer> =>
  browser.submitShown(form, values, { action: '/join' });

const seats = async ({ db }: TestApp, id: string): Promise<number> => {
  const row = await db.knex('invite_key').where({ id }).first<{ uses: number }>('uses');
  return row.uses;
};

const usersIn = async ({ db }: TestApp): Promise<number> => (await db.knex('users').select('id')).length;

describeOnEachEngine('joining with a provider', (engine) => {
  test('needs no password: the form has what the provider says, and one button is left', async () => {
    const { app, provider } = await start(engine);
    const { key, id } = await app.given.invitationKey({
      emailProof: 'required',
      emailDomains: ['acme.test'],
    });
    const browser = app.guest();

    const form = await arrive(browser, provider, key);
    expect(words(form.text)).toContain('You come with Acme as jo@acme.test');
    expect(form.text).not.toContain('name="password"');
    expect(await seats(app, id)).toBe(0);
    const done = await join(browser, form);

    expect(new URL(done.url).pathname).toBe('/tickets/new');
    expect(await whoIs(browser)).toBe('jo@acme.test');
    expect(await seats(app, id)).toBe(1);
    const [user] = await app.db
      .knex('users')
      .where({ email: 'jo@acme.test' })
      .select<object[]>('name', 'password_hash', 'email_verified_at');
    expect(user).toEqual({ name: 'Jo Martin', password_hash: null, email_verified_at: app.clock.now() });
    const later = app.guest();
    await goBy(later, provider, SIGN_IN);
    expect(await whoIs(later)).toBe('jo@acme.test');
  });

  test('takes the seat of nobody: with no invitation there is no account', async () => {
    const { app, provider } = await start(engine);
    const before = await usersIn(app);
    const browser = app.guest();

    await goBy(browser, provider, SIGN_IN);

    expect([await usersIn(app), await isSignedIn(browser)]).toEqual([before, false]);
  });

  test('R13 holds the seat of an address that the provider has not verified until its owner proves it', async () => {
    const { app, provider } = await start(engine, { mail: true });
    const { key, id } = await app.given.invitationKey({
      emailProof: 'required',
      emailDomains: ['acme.test'],
    });
    provider.subject = { sub: 'jo-1', email: 'jo@acme.test', email_verified: false, name: 'Jo' };
    const before = await usersIn(app);
    const browser = app.guest();

    const waiting = await join(browser, await arrive(browser, provider, key));
    const letter = await app.mailbox.next('jo@acme.test');
    expect(new URL(waiting.url).pathname).toBe('/join/step/waiting');
    expect([await usersIn(app), await isSignedIn(browser), await seats(app, id)]).toEqual([before, false, 1]);
    const code = /\b\d{3} ?\d{3}\b/.exec(letter.text)?.[0] ?? '';
    await browser.submitShown(waiting, { code }, { action: '/join/step/confirm' });

    expect(await whoIs(browser)).toBe('jo@acme.test');
    expect(await identities(app)).toHaveLength(1);
  });

  test('gives the account to whoever opens the mail elsewhere, and nothing to the provider account that began it', async () => {
    const { app, provider } = await start(engine, { mail: true });
    const { key } = await app.given.invitationKey({ emailProof: 'required' });
    provider.subject = { sub: 'mallory', email: 'jo@acme.test', email_verified: false };
    const mallory = app.guest();
    await join(mallory, await arrive(mallory, provider, key), { name: 'Mallory' });
    const letter = await app.mailbox.next('jo@acme.test');
    const link = new URL(/https?:\/\/\S+\/join\/confirm\/\S+/.exec(letter.text)?.[0] ?? '');

    const password = 'four quiet words here';
    await app.guest().submit(link.pathname, { password }, { action: '/join/confirm' });
    const again = app.guest();
    await goBy(again, provider, SIGN_IN);

    expect(await identities(app)).toEqual([]);
    expect(await isSignedIn(again)).toBe(false);
  });

  test('R14 with another address than the invited one is refused kindly, and nothing is lost', async () => {
    const { app, provider } = await start(engine);
    const { key, id } = await app.given.invitationKey({
      email: 'mo@acme.test',
      maxUses: 1,
      emailProof: 'required',
    });
    const browser = app.guest();

    const refused = await arrive(browser, provider, key);
    expect(refused.status).toBe(403);
    expect(words(refused.text)).toContain(
      'you are signed in as jo@acme.test. This invitation is for m…@acme.test',
    );
    provider.subject = { sub: 'mo-1', email: 'mo@acme.test', email_verified: true, name: 'Mo' };
    const link =
      /href="(\/join\/step\/with\/[^"]+)"/.exec(refused.text)?.[1]?.replaceAll('&#x3D;', '=') ?? '';
    await join(browser, await goBy(browser, provider, link));

    expect(await whoIs(browser)).toBe('mo@acme.test');
    expect(await seats(app, id)).toBe(1);
    expect(provider.asked.map(({ searchParams }) => searchParams.get('prompt'))).toEqual([
      null,
      'select_account',
    ]);
  });

  test('cannot come with an address that the form says instead', async () => {
    const { app, provider } = await start(engine);
    const { key } = await app.given.invitationKey({ emailProof: 'required' });
    const browser = app.guest();

    await join(browser, await arrive(browser, provider, key), { email: 'boss@acme.test' });

    expect(await whoIs(browser)).toBe('jo@acme.test');
  });

  test('is for the browser and the invitation that it was begun with', async () => {
    const { app, provider } = await start(engine);
    const { key } = await app.given.invitationKey();
    const { key: other } = await app.given.invitationKey();
    const browser = app.guest();
    await arrive(browser, provider, key);
    const before = await usersIn(app);

    const second = await browser.get(`/join/${other}`);
    const forced = await join(browser, second, { identity: 'arrived', email: 'jo@acme.test', name: 'Jo' });

    expect(second.text).toContain('name="password"');
    expect([forced.status, await usersIn(app)]).toEqual([404, before]);
  });

  test('signs in whoever has an account by it already, and offers what the invitation adds', async () => {
    const { app, provider } = await start(engine);
    const { id: entityId } = await app.house.domains.entityAdmin.create(system, {
      name: 'Lyon',
      parentId: ROOT_ENTITY_ID,
    });
    await linked(app, await app.given.user({ email: 'jo@acme.test', entityId }), provider);
    const { key, id } = await app.given.invitationKey();
    const browser = app.guest();

    const page = await arrive(browser, provider, key);
    expect(await whoIs(browser)).toBe('jo@acme.test');
    await browser.submitShown(page, {}, { action: '/join/step/add' });

    expect(await seats(app, id)).toBe(1);
  });

  test('R15 is the only way where passwords let nobody in: no key, form, program or mailed link widens that', async () => {
    const { app, provider } = await start(engine, { mail: true });
    const { key, id } = await app.given.invitationKey({ emailProof: 'required' });
    const password = 'four quiet words here';
    const late = app.guest();
    await late.submit(`/join/${key}`, { email: 'lo@acme.test', name: 'Lo', password }, { action: '/join' });
    const letter = await app.mailbox.next('lo@acme.test');
    const link = new URL(/https?:\/\/\S+\/join\/confirm\/\S+/.exec(letter.text)?.[0] ?? '');
    const before = app.guest();
    const open = await before.get(`/join/${key}`);
    await app.db.transaction((tx) => app.house.ground.settings.set(tx, system, localSignIn, false));
    const [people, taken] = [await usersIn(app), await seats(app, id)];

    const page = await app.guest().get(`/join/${key}`);
    const form = { email: 'mo@acme.test', name: 'Mo', password };
    const byForm = await join(before, open, form);
    const program = { key, redeemId: randomUUID(), ...form };
    const byApi = await app.guest().call('POST', '/api/v1/join', program);
    const byLink = await app.guest().submit(link.pathname, { password }, { action: '/join/confirm' });
    const ownLink = await late.submit(link.pathname, {}, { action: '/join/confirm' });

    expect(page.text).not.toContain('name="password"');
    expect(words(page.text)).toContain('opens through a sign-in provider only');
    expect([byForm.status, byApi.status, byLink.status]).toEqual([403, 403, 403]);
    expect(byApi.json()).toMatchObject({ code: 'invitation.provider_only' });
    expect([await isSignedIn(before), await isSignedIn(late), ownLink.status]).toEqual([false, false, 403]);
    expect([await usersIn(app), await seats(app, id)]).toEqual([people, taken]);
    const browser = app.guest();
    await join(browser, await arrive(browser, provider, key));
    expect(await whoIs(browser)).toBe('jo@acme.test');
  });

  test('of ten at once with one identity makes exactly one account', async () => {
    const { app, provider } = await start(engine);
    const { key, id } = await app.given.invitationKey({ emailProof: 'required' });
    const before = await usersIn(app);
    const tabs = Array.from({ length: 10 }, () => app.guest());
    const forms = await Promise.all(tabs.map((tab) => arrive(tab, provider, key)));

    await Promise.all(tabs.map((tab, at) => join(tab, forms[at] as Answer)));

    expect(await usersIn(app)).toBe(before + 1);
    expect(await identities(app)).toHaveLength(1);
    expect(await seats(app, id)).toBe(1);
    expect((await Promise.all(tabs.map(isSignedIn))).filter(Boolean)).toHaveLength(1);
  });

  test('of one identity under ten addresses makes exactly one account, and says why to the others', async () => {
    const { app, provider } = await start(engine);
    const { key, id } = await app.given.invitationKey({ emailProof: 'none' });
    provider.subject = { sub: 'nameless' };
    const before = await usersIn(app);
    const tabs = Array.from({ length: 10 }, () => app.guest());
    const forms = await Promise.all(tabs.map((tab) => arrive(tab, provider, key)));

    const answers = await Promise.all(
      tabs.map((tab, at) =>
        join(tab, forms[at] as Answer, { email: `p${String(at)}@acme.test`, name: 'Jo' }),
      ),
    );

    expect(await usersIn(app)).toBe(before + 1);
    expect([await identities(app), await seats(app, id)]).toEqual([[expect.anything()], 1]);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9);
  });
});

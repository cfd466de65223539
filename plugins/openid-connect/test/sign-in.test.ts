import { describe, expect, test } from 'vitest';
import { commandsOf } from '../../../test/cli/shell.ts';
import { coreCommands } from '../../../src/compose-commands.ts';
import { system } from '../../../src/shared/actor.ts';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { unescapeHtml } from '../../../test/support/http-client.ts';
import { CLIENT, OpenidProvider } from '../../../test/support/openid-provider.ts';
import {
  backFrom,
  goBy,
  identities,
  isSignedIn,
  linked,
  openHouse,
  setUp,
  SIGN_IN,
  whoIs,
  withProvider,
  words,
  write,
} from './desk.ts';

describeOnEachEngine('signing in with a provider', (engine) => {
  test('is offered on the sign-in page, and lets in whoever has linked it', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    const jo = await app.given.user({ email: 'jo@here.test' });
    await linked(app, jo, provider);
    const browser = app.guest();

    const page = await browser.get('/login?next=%2Ftickets%2Fnew');
    const done = await goBy(browser, provider, `${SIGN_IN}?next=%2Ftickets%2Fnew`);

    expect(words(page.text)).toContain('Continue with Acme');
    expect(new URL(done.url).pathname).toBe('/tickets/new');
    expect(await isSignedIn(browser)).toBe(true);
    const asked = provider.asked.at(-1)?.searchParams;
    expect(asked?.get('code_challenge_method')).toBe('S256');
    expect(asked?.get('redirect_uri')).toBe(`${app.origin}${SIGN_IN}/back`);
  });

  test('gives strangers nothing: no account, no session, and the same page whether their address is known or not', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    await app.given.user({ email: 'jo@acme.test' });
    const [known, unknown] = [app.guest(), app.guest()];

    const first = await goBy(known, provider, SIGN_IN);
    provider.subject = { ...provider.subject, sub: 'mo-1', email: 'mo@acme.test' };
    const second = await goBy(unknown, provider, SIGN_IN);

    expect(first.status).toBe(200);
    expect(words(first.text)).toContain('We do not know this account yet');
    expect(words(first.text).replaceAll('jo@', 'mo@')).toBe(words(second.text));
    expect([await isSignedIn(known), await isSignedIn(unknown)]).toEqual([false, false]);
    expect(await identities(app)).toEqual([]);
  });

  test('links a known address after its owner has signed in to that account, and asked for it', async () => {
    const app = await openHouse(engine, { mail: true });
    const provider = await withProvider(app);
    const password = 'four quiet words here';
    const jo = await app.given.user({ email: 'jo@acme.test', password });
    const browser = app.guest();

    const unknown = await goBy(browser, provider, SIGN_IN);
    const next = unescapeHtml(/href="(\/login\?next[^"]+)"/.exec(unknown.text)?.[1] ?? '');
    const asked = await browser.submit(next, { email: jo.email, password }, { action: '/login' });
    expect(words(asked.text)).toContain('whoever signs in to Acme as jo@acme.test is signed in here');
    expect(await identities(app)).toEqual([]);
    await browser.submitShown(asked, {}, { action: '/account/identities' });

    expect(await identities(app)).toEqual([{ user_id: jo.id, subject: 'jo-1' }]);
    expect((await app.mailbox.next('jo@acme.test')).subject).toContain('new way in');
    const later = app.guest();
    await goBy(later, provider, SIGN_IN);
    expect(await whoIs(later)).toBe('jo@acme.test');
  });

  test('links by a verified address where the provider is trusted with its domain, and only there', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app, { trustedDomains: 'acme.test, acme.example' });
    await app.given.user({ email: 'jo@acme.test' });
    await app.given.user({ email: 'mo@elsewhere.test' });
    const [trusted, elsewhere, unverified, silent] = [app.guest(), app.guest(), app.guest(), app.guest()];

    provider.subject = { sub: '1', email: 'jo@acme.test', email_verified: false };
    await goBy(unverified, provider, SIGN_IN);
    provider.subject = { sub: '2', email: 'jo@acme.test' };
    await goBy(silent, provider, SIGN_IN);
    provider.subject = { sub: '3', email: 'mo@elsewhere.test', email_verified: true };
    await goBy(elsewhere, provider, SIGN_IN);
    provider.subject = { sub: '4', email: 'JO@acme.test', email_verified: true };
    await goBy(trusted, provider, SIGN_IN);

    expect(await isSignedIn(unverified)).toBe(false);
    expect(await isSignedIn(silent)).toBe(false);
    expect(await isSignedIn(elsewhere)).toBe(false);
    expect(await whoIs(trusted)).toBe('jo@acme.test');
    expect((await identities(app)).map(({ subject }) => subject)).toEqual(['4']);
  });

  test('takes the address of a trusted domain as verified where the provider says nothing and it is set up so', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app, { trustedDomains: 'acme.test', assumesVerified: true });
    await app.given.user({ email: 'jo@acme.test' });
    const [silent, denied] = [app.guest(), app.guest()];

    provider.subject = { sub: '1', email: 'jo@acme.test', email_verified: false };
    await goBy(denied, provider, SIGN_IN);
    provider.subject = { sub: '2', email: 'jo@acme.test' };
    provider.tellsByUserinfo = true;
    await goBy(silent, provider, SIGN_IN);

    expect([await isSignedIn(denied), await isSignedIn(silent)]).toEqual([false, true]);
  });

  test('knows people by issuer and subject: a changed address changes nothing, a taken-over address gives nothing', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    const jo = await app.given.user({ email: 'jo@acme.test' });
    await linked(app, jo, provider);
    const [renamed, successor] = [app.guest(), app.guest()];

    provider.subject = { sub: 'jo-1', email: 'joanna@acme.test', email_verified: true };
    await goBy(renamed, provider, SIGN_IN);
    provider.subject = { sub: 'jo-2', email: 'jo@acme.test', email_verified: true };
    await goBy(successor, provider, SIGN_IN);

    expect(await whoIs(renamed)).toBe('jo@acme.test');
    expect(await isSignedIn(successor)).toBe(false);
  });

  test('asks for the second factor of whoever has one, unless the provider is known to do so', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    const strong = await withProvider(app, { title: 'Strong', isTwoFactor: true });
    const jo = await app.given.user();
    await linked(app, jo, provider);
    const own = app.as(jo);
    const page = await goBy(own, strong, '/account/identities/with/openid-connect.strong');
    await own.submitShown(page, {}, { action: '/account/identities' });
    await app.db.transaction((tx) =>
      tx.knex('second_factors').insert({
        user_id: jo.id,
        key_id: 1,
        nonce: Buffer.alloc(12),
        ciphertext: Buffer.alloc(16),
        confirmed_at: app.clock.now(),
        last_step: 0,
        created_at: app.clock.now(),
      }),
    );
    const [weak, whole] = [app.guest(), app.guest()];

    const asked = await goBy(weak, provider, SIGN_IN);
    await goBy(whole, strong, '/login/with/openid-connect.strong');

    expect(new URL(asked.url).pathname).toBe('/login/code');
    expect([await isSignedIn(weak), await isSignedIn(whole)]).toEqual([false, true]);
  });

  test('lets nobody into an account that is closed, and says so', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    const jo = await app.given.user();
    await linked(app, jo, provider);
    await write(app, 'users', { id: jo.id }, { status: 'disabled' });
    const browser = app.guest();

    const page = await goBy(browser, provider, SIGN_IN);

    expect(page.status).toBe(403);
    expect(words(page.text)).toContain('Your account here is closed');
  });

  test('makes of ten tabs at once one link, and of ten accounts one owner', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app, { trustedDomains: 'acme.test' });
    await app.given.user({ email: 'jo@acme.test' });
    const tabs = Array.from({ length: 10 }, () => app.guest());
    const backs = await Promise.all(tabs.map((tab) => backFrom(tab, provider, SIGN_IN)));

    await Promise.all(tabs.map((tab, at) => tab.get(backs[at] ?? '')));

    expect(await Promise.all(tabs.map(isSignedIn))).toEqual(tabs.map(() => true));
    expect(await identities(app)).toHaveLength(1);
  });

  test('an answer that comes twice counts once, also where the provider accepts its code again', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    await linked(app, await app.given.user(), provider);
    provider.forgetsCodes = true;
    const browser = app.guest();
    const back = await backFrom(browser, provider, SIGN_IN);
    const thief = app.guest();
    for (const [name, value] of browser.cookies) thief.cookies.set(name, value);

    const [first, second] = [await browser.get(back), await thief.get(back)];

    expect([first.status, second.status]).toEqual([200, 422]);
    expect([await isSignedIn(browser), await isSignedIn(thief)]).toEqual([true, false]);
  });
});

describe('what does not prove who somebody is', () => {
  const engine = 'sqlite';

  test('is refused with words, and nobody is signed in', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    await linked(app, await app.given.user(), provider);
    const lies = [
      { nonce: 'another' },
      { aud: 'another-client' },
      { iss: 'https://evil.test' },
      { exp: -3600 },
      { unsigned: true },
      { foreignKey: true },
      { responseIss: 'https://evil.test' },
    ];
    for (const lie of lies) {
      provider.lies = lie;
      const browser = app.guest();

      const page = await goBy(browser, provider, SIGN_IN);

      expect([lie, page.status, await isSignedIn(browser)]).toEqual([lie, 403, false]);
      expect(words(page.text)).toContain('its answer does not prove who you are');
    }
  });

  test('a state of another browser, an altered one, or none leads back to the beginning', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    await linked(app, await app.given.user(), provider);
    const browser = app.guest();
    const back = await backFrom(browser, provider, SIGN_IN);
    const altered = back.replace(/state=([^&.]+)\.[^&]{43}/, `state=$1.${'x'.repeat(43)}`);

    for (const [who, url] of [
      [app.guest(), back],
      [browser, altered],
      [browser, `${SIGN_IN}/back?code=abc`],
    ] as const) {
      const page = await who.get(url);

      expect([page.status, await isSignedIn(who)]).toEqual([422, false]);
      expect(words(page.text)).toContain('Please start again');
    }
  });

  test('what one provider answers is not read as another’s', async () => {
    const app = await openHouse(engine);
    const honest = await withProvider(app);
    const evil = await withProvider(app, { title: 'Evil' });
    await linked(app, await app.given.user(), honest);
    const browser = app.guest();
    const back = await backFrom(browser, evil, '/login/with/openid-connect.evil');

    const mixed = await browser.get(back.replace('openid-connect.evil', 'openid-connect.acme'));

    expect([mixed.status, await isSignedIn(browser)]).toEqual([422, false]);
    // The same subject of another issuer is somebody else.
    const own = await goBy(browser, evil, '/login/with/openid-connect.evil');
    expect(words(own.text)).toContain('We do not know this account yet');
  });

  test('cancelling there, a wrong secret and a provider that is away are told apart', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    await withProvider(app, { title: 'Wrong', secret: 'not this one' });
    const away = new OpenidProvider();
    away.issuer = 'http://127.0.0.1:9';
    await setUp(app, away, { title: 'Away' });
    const browser = app.guest();
    provider.refusal = 'access_denied';

    const cancelled = await goBy(browser, provider, SIGN_IN);
    const gone = await browser.get('/login/with/openid-connect.away');
    const unknown = await browser.get('/login/with/openid-connect.nobody');

    expect(words(cancelled.text)).toContain('You did not finish at Acme');
    expect(cancelled.text).toContain(`href="${SIGN_IN}?next&#x3D;%2F"`);
    expect([gone.status, unknown.status]).toEqual([503, 404]);
    expect(words(gone.text)).toContain('Away cannot be reached just now');
    expect(words(unknown.text)).toContain('not available any more');
  });

  test('an issuer inside is called only where the operator has allowed it', async () => {
    const app = await openHouse(engine, { config: {} });
    const provider = await withProvider(app);

    const page = await app.guest().get(SIGN_IN);

    expect(page.status).toBe(503);
    expect(provider.asked).toEqual([]);
  });
});

describeOnEachEngine('a link between an account and a provider', (engine) => {
  test('is made by a button of one’s own session, never by coming back from the provider', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    const jo = await app.given.user();
    const browser = app.as(jo);

    const asked = await goBy(browser, provider, '/account/identities/with/openid-connect.acme');
    expect(await identities(app)).toEqual([]);
    const stranger = await browser.send('/account/identities', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
      body: '',
    });
    expect(stranger.status).toBe(403);
    const done = await browser.submitShown(asked, {}, { action: '/account/identities' });

    expect(words(done.text)).toContain('Acme signs you in from now on');
    expect(await identities(app)).toHaveLength(1);
  });

  test('belongs to one account', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    const [jo, mo] = [await app.given.user(), await app.given.user()];
    await linked(app, jo, provider);
    const browser = app.as(mo);

    const asked = await goBy(browser, provider, '/account/identities/with/openid-connect.acme');
    const refused = await browser.submitShown(asked, {}, { action: '/account/identities' });

    expect(refused.status).toBe(409);
    expect(words(refused.text)).toContain('belongs to somebody here already');
    expect(await identities(app)).toEqual([{ user_id: jo.id, subject: 'jo-1' }]);
  });

  test('is undone by its owner, as long as another way in is left', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    const jo = await app.given.user({ password: 'four quiet words here' });
    const browser = await linked(app, jo, provider);
    await write(app, 'users', { id: jo.id }, { password_hash: null });

    const kept = await browser.submit('/account/security', {}, { action: '/account/identities/' });
    expect(words(kept.text)).toContain('This is your only way in');
    await write(app, 'users', { id: jo.id }, { password_hash: 'x' });
    await browser.submit('/account/security', {}, { action: '/account/identities/' });

    expect(await identities(app)).toEqual([]);
  });

  test('is undone by an administrator, and the sessions it opened end', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    const jo = await app.given.user();
    await linked(app, jo, provider);
    const browser = app.guest();
    await goBy(browser, provider, SIGN_IN);
    const { number } = await app.db.knex('users').where({ id: jo.id }).first<{ number: number }>('number');
    const path = `/admin/users/${String(number)}`;

    const stranger = await app.as(await app.given.user()).get(path);
    const owner = app.as(await app.given.owner());
    const done = await owner.submit(path, {}, { action: `${path}/identities/` });

    expect(stranger.status).toBe(403);
    expect(words(done.text)).toContain('The link is gone');
    expect(await identities(app)).toEqual([]);
    expect(await isSignedIn(browser)).toBe(false);
  });

  test('are listed and unlinked by programs: by whose they are, and by who manages them; nobody else', async () => {
    const app = await openHouse(engine, { mail: true });
    const provider = await withProvider(app);
    const jo = await app.given.user({ email: 'jo@acme.test', password: 'a long and quiet evening' });
    await linked(app, jo, provider);
    const own = '/api/v1/me/identities';
    const theirs = `/api/v1/users/${jo.id}/identities`;
    const [me, admin] = [app.api(jo), app.api(await app.given.owner())];
    const list = (await me.call('GET', own)).json() as { items: { id: string }[] };
    const id = list.items[0]?.id ?? '';

    const seen = await admin.call('GET', theirs);
    const others = await app.api(await app.given.user()).call('DELETE', `${own}/${id}`);
    const desk = app.api(await app.given.technician());
    const looking = await desk.call('GET', theirs);
    const taking = await desk.call('DELETE', `${theirs}/${id}`);
    const guest = await app.guest().call('GET', own);
    await write(app, 'users', { id: jo.id }, { password_hash: null });
    const last = await me.call('DELETE', `${own}/${id}`);
    const removed = await admin.call('DELETE', `${theirs}/${id}`);
    const after = await me.call('GET', own);

    expect(list.items).toMatchObject([
      { provider: 'openid-connect.acme', title: 'Acme', email: 'jo@acme.test', emailVerified: true },
    ]);
    expect(seen.json()).toEqual(list);
    expect(seen.text).not.toContain(provider.subject.sub);
    expect([others.status, looking.status, taking.status, guest.status]).toEqual([404, 403, 403, 401]);
    expect([last.status, last.json().code]).toEqual([409, 'identity.last']);
    expect([removed.status, after.status]).toEqual([204, 401]);
    expect(await identities(app)).toEqual([]);
  });

  test('confirms who one is before something dangerous, as the same person and freshly', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    const jo = await app.given.user();
    const browser = await linked(app, jo, provider);
    await write(app, 'sessions', { user_id: jo.id }, { authenticated_at: 0 });
    const link = '/confirm-identity/with/openid-connect.acme?next=%2Faccount%2Fsecurity%2Fsecond-factor';
    const seconds = Math.floor(Date.now() / 1000);
    const own = provider.subject;

    provider.subject = { ...own, sub: 'mo-1' };
    const other = await goBy(browser, provider, link);
    provider.subject = { ...own, auth_time: seconds - 3600 };
    const stale = await goBy(browser, provider, link);
    provider.subject = { ...own, auth_time: seconds };
    const done = await goBy(browser, provider, link);

    expect(words(other.text)).toContain('That is not the account you are signed in with here');
    expect(words(stale.text)).toContain('Acme did not ask again who you are');
    expect(new URL(done.url).pathname).toBe('/account/security/second-factor');
    expect(provider.asked.at(-1)?.searchParams.get('prompt')).toBe('login');
  });
});

describeOnEachEngine('a house that only providers open', (engine) => {
  const SETTINGS = '/admin/settings/identity';

  test('is closed to passwords by whoever has a way in that stays, and opened again by the command line', async () => {
    const app = await openHouse(engine);
    const owner = await app.given.owner();
    const browser = app.as(owner);
    const close = () =>
      browser.submit('/admin/settings', { 'identity.local-sign-in': false }, { action: SETTINGS });

    const none = await close();
    const provider = await withProvider(app);
    const unlinked = await close();
    const page = await goBy(browser, provider, '/account/identities/with/openid-connect.acme');
    await browser.submitShown(page, {}, { action: '/account/identities' });
    await close();

    expect(words(none.text)).toContain('There is no sign-in provider yet');
    expect(words(unlinked.text)).toContain('Link your own account to a sign-in provider first');
    const guest = app.guest();
    const login = await guest.get('/login');
    expect(login.text).not.toContain('name="password"');
    const forced = await guest.post('/login', {
      _csrf: /name="_csrf" value="([^"]+)"/.exec((await guest.get('/join')).text)?.[1],
      email: owner.email,
      password: 'a long and quiet evening',
    });
    expect([forced.status, await isSignedIn(guest)]).toEqual([403, false]);
    await goBy(guest, provider, SIGN_IN);
    expect(await whoIs(guest)).toBe(owner.email);

    const latchkey = commandsOf(app.house);
    const healthy = (await latchkey('doctor --json')).json() as { check: string; result: string }[];
    const asked = await latchkey('sign-in check --json');
    expect(healthy.find(({ check }) => check === 'sign-in')?.result).toBe('ok');
    expect(asked.json()).toEqual([{ provider: 'openid-connect.acme', works: true, problem: '' }]);

    const command = coreCommands(app.house, { onProblem: () => undefined }).find(
      ({ name }) => name === 'sign-in local',
    );
    const actor = await app.house.domains.users.actorOf(owner.id);
    const nothing = () => Promise.reject(new Error('not asked for'));
    await command?.run({
      actor: actor ?? system,
      args: ['on'],
      options: {},
      print: () => undefined,
      readStdin: nothing,
      readFile: nothing,
    });
    expect((await app.guest().get('/login')).text).toContain('name="password"');
  });
});

describe('the page of providers', () => {
  const engine = 'sqlite';

  test('is for owners of the house, and never shows or logs a secret', async () => {
    const app = await openHouse(engine);
    const added = await setUp(app, await new OpenidProvider().start());
    const path = new URL(added.url).pathname;

    const technician = app.as(await app.given.technician());
    const [list, one] = [await technician.get('/admin/openid-connect'), await technician.get(path)];
    const owner = app.as(await app.given.owner());
    const looked = await owner.submit(path, {}, { action: `${path}/look` });
    await owner.submit(path, { title: 'Acme & Sons', secret: '' }, { action: path });

    expect([list.status, one.status]).toEqual([403, 403]);
    expect(words(looked.text)).toContain('answers as it should');
    expect(added.text).not.toContain(CLIENT.secret);
    expect(words((await owner.get(path)).text)).toContain('Acme &amp; Sons');
    const audit = await app.db.knex('audit_entries').where('action', 'like', 'openid-connect.%').select('*');
    expect(JSON.stringify(audit)).not.toContain(CLIENT.secret);
    const stored = await app.db.knex('oidc_provider').select('*');
    expect(Buffer.from(JSON.stringify(stored)).includes(CLIENT.secret)).toBe(false);
  });

  test('says what is wrong with an issuer, a domain, a name', async () => {
    const app = await openHouse(engine);
    const owner = app.as(await app.given.owner());
    const form = { title: 'Acme', clientId: 'x', secret: '', issuer: 'http://sso.acme.test' };

    const page = await owner.submit(
      '/admin/openid-connect/new',
      { ...form, slug: 'Not So', trustedDomains: 'acme.test, nodomain' },
      { action: '/admin/openid-connect' },
    );

    expect(page.status).toBe(422);
    expect(words(page.text)).toContain('The issuer must be reached by https');
    expect(words(page.text)).toContain('nodomain');
    expect(words(page.text)).toContain('Small letters, digits and single hyphens');
  });

  test('takes its buttons along when the plugin is disabled', async () => {
    const app = await openHouse(engine);
    const provider = await withProvider(app);
    await linked(app, await app.given.user(), provider);
    const browser = app.guest();
    const back = await backFrom(browser, provider, SIGN_IN);

    await app.house.plugins.disable(system, 'openid-connect');
    const late = await browser.get(back);

    expect((await browser.get('/login')).text).not.toContain('Continue with Acme');
    expect([late.status, await isSignedIn(browser)]).toEqual([404, false]);
  });
});

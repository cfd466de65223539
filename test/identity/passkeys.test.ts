import { expect, test } from 'vitest';
import { staffSecondFactor } from '../../src/identity/index.ts';
import { relyingPartyOf } from '../../src/identity/passkey.ts';
import { minutes } from '../support/clock.ts';
import { describeOnEachEngine, type Engine } from '../support/databases.ts';
import { formsIn, type Answer, type HttpClient } from '../support/http-client.ts';
import { SoftPasskey } from '../support/soft-passkey.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const PASSWORD = 'seven quiet otters';

const csrfOn = (page: Answer): string =>
  String(formsIn(page.text).flatMap(({ fields }) => fields['_csrf'] ?? [])[0]);

/** What the script does: asks, and sends what the device said. */
async function askOn(
  browser: HttpClient,
  page: string,
  path: string,
): Promise<{ challenge: string; csrf: string }> {
  const csrf = csrfOn(await browser.get(page));
  const asked = await browser.post(path, { _csrf: csrf });
  expect(asked.status, asked.text).toBe(200);
  return { ...(asked.json() as { challenge: string }), csrf };
}

async function addTo(browser: HttpClient, device: SoftPasskey, lies = {}): Promise<Answer> {
  const options = await askOn(browser, '/account/passkeys/new', '/account/passkeys/options');
  const answer = device.make(options, lies);
  return browser.post('/account/passkeys', { _csrf: options.csrf, name: 'Phone', answer });
}

async function signInWith(browser: HttpClient, device: SoftPasskey, lies = {}): Promise<Answer> {
  const options = await askOn(browser, '/login', '/login/passkey/options');
  return browser.post('/login/passkey', { _csrf: options.csrf, answer: device.prove(options, lies) });
}

/** Jo, who has added a passkey with their own hands. */
async function joWithPasskey(engine: Engine, options: { mail?: boolean } = {}) {
  const app = await startTestApp({ engine, host: 'localhost', ...options });
  const jo = await app.given.user({ email: 'jo@acme.test', password: PASSWORD });
  const device = new SoftPasskey(app.origin);
  const added = await addTo(app.as(jo), device);
  expect(added.status, added.text).toBe(303);
  return { app, jo, device };
}

const changeUser = (app: TestApp, id: string, change: object): Promise<number> =>
  app.db.transaction((tx) => tx.knex('users').where({ id }).update(change));

const actionsOn = async (app: TestApp): Promise<string[]> =>
  (await app.db.knex('audit_entries').select<{ action: string }[]>('action')).map(({ action }) => action);

describeOnEachEngine('a passkey', (engine) => {
  test('is added on the security page, signs in without a password, and is on record', async () => {
    const { app, device } = await joWithPasskey(engine);
    const browser = app.guest();

    const done = await signInWith(browser, device);

    expect(done.status, done.text).toBe(303);
    const page = await browser.get('/account/security');
    expect(page.text).toContain('Phone');
    expect(await actionsOn(app)).toContain('user.passkey-added');
  });

  test('is listed, renamed and removed by programs; the last way in stays', async () => {
    const { app, jo } = await joWithPasskey(engine);
    const api = app.api(jo);
    const own = '/api/v1/me/passkeys';
    const [passkey] = (await api.call('GET', own)).json().items as { id: string; host: string }[];
    const path = `${own}/${passkey?.id ?? ''}`;

    const renamed = await api.call('PATCH', path, { name: ' Old  phone ' });
    const others = await app.api(await app.given.user()).call('DELETE', path);
    await changeUser(app, jo.id, { password_hash: null });
    const last = await api.call('DELETE', path);
    await changeUser(app, jo.id, { password_hash: 'x' });
    const gone = await api.call('DELETE', path);

    expect(renamed.json().items).toMatchObject([{ name: 'Old phone', host: 'localhost', usedAt: null }]);
    expect([others.status, last.status, gone.status]).toEqual([404, 409, 204]);
    expect((await api.call('GET', own)).json().items).toEqual([]);
    expect((await app.guest().call('GET', own)).status).toBe(401);
  });

  test('of somebody who lost the device is removed by an administrator, who is on record; the owner gets a mail', async () => {
    const { app, jo, device } = await joWithPasskey(engine, { mail: true });
    const admin = await app.given.owner();
    const theirs = `/api/v1/users/${jo.id}/passkeys`;
    const [passkey] = (await app.api(admin).call('GET', theirs)).json().items as { id: string }[];
    const { number } = (await app.api(admin).call('GET', `/api/v1/users/${jo.id}`)).json() as {
      number: number;
    };
    const person = `/admin/users/${String(number)}`;
    const technician = await app.given.technician();
    await app.mailbox.next('jo@acme.test');

    const stranger = await app.api(technician).call('DELETE', `${theirs}/${passkey?.id ?? ''}`);
    const looking = await app.api(technician).call('GET', theirs);
    const browser = app.as(admin);
    const page = await browser.get(person);
    await browser.submit(person, {}, { action: `${person}/passkeys/${passkey?.id ?? ''}/remove` });
    const twice = await app.api(admin).call('DELETE', `${theirs}/${passkey?.id ?? ''}`);
    const refused = await signInWith(app.guest(), device);

    expect([stranger.status, looking.status, twice.status]).toEqual([403, 403, 404]);
    expect(page.text).toContain('Phone');
    expect((await app.mailbox.next('jo@acme.test')).text).toContain('no longer signs in');
    expect(refused.status).toBe(401);
    const [entry] = await app.db
      .knex('audit_entries')
      .where({ action: 'user.passkey-removed' })
      .select<{ actor_id: string; subject_id: string }[]>('actor_id', 'subject_id');
    expect(entry).toEqual({ actor_id: admin.id, subject_id: jo.id });
  });

  test('is two factors at once, where the desk needs two', async () => {
    const app = await startTestApp({ engine, host: 'localhost' });
    const device = new SoftPasskey(app.origin);
    await addTo(app.as(await app.given.technician({ password: PASSWORD })), device);
    await app.given.setting(staffSecondFactor, true);

    const done = await signInWith(app.guest(), device);

    expect(done.headers['location']).toBe('/');
  });

  test('answers a challenge once', async () => {
    const { app, device } = await joWithPasskey(engine);
    const browser = app.guest();
    const options = await askOn(browser, '/login', '/login/passkey/options');
    const kept = new Map(browser.cookies);
    device.counter = 1;
    const answer = device.prove(options);
    const form = { _csrf: options.csrf, answer };

    const first = await browser.post('/login/passkey', form);
    const thief = app.guest();
    for (const [name, value] of kept) thief.cookies.set(name, value);
    const second = await thief.post('/login/passkey', form);

    expect([first.status, second.status]).toEqual([303, 401]);
  });

  test('that does not count answers a challenge once, even to ten at the same moment', async () => {
    const { app, device } = await joWithPasskey(engine);
    const browser = app.guest();
    const options = await askOn(browser, '/login', '/login/passkey/options');
    const form = { _csrf: options.csrf, answer: device.prove(options) };

    const ten = await Promise.all(Array.from({ length: 10 }, () => browser.post('/login/passkey', form)));

    expect(ten.filter(({ status }) => status === 303)).toHaveLength(1);
  });

  test('is refused where the challenge was given to another browser, or is old', async () => {
    const { app, device } = await joWithPasskey(engine);
    const browser = app.guest();
    const other = app.guest();
    const given = await askOn(other, '/login', '/login/passkey/options');
    const own = await askOn(browser, '/login', '/login/passkey/options');

    const stolen = await browser.post('/login/passkey', { _csrf: own.csrf, answer: device.prove(given) });
    const late = await askOn(browser, '/login', '/login/passkey/options');
    app.clock.advance(minutes(6));
    const tooLate = await browser.post('/login/passkey', { _csrf: late.csrf, answer: device.prove(late) });

    expect([stolen.status, tooLate.status]).toEqual([401, 401]);
  });

  test.each([
    ['of another origin', { origin: 'https://evil.test' }],
    ['of a neighbouring port', { origin: 'http://localhost:1' }],
    ['for another house', { rpId: 'evil.test' }],
    ['without finger, face or PIN', { verified: false }],
    ['to another challenge', { challenge: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
  ])('refuses an answer %s, when it is made and when it is used', async (_what, lies) => {
    const { app, jo, device } = await joWithPasskey(engine);

    const used = await signInWith(app.guest(), device, lies);
    const made = await addTo(app.as(jo), new SoftPasskey(app.origin), lies);

    expect(used.status).toBe(401);
    expect(used.text).toContain('was not accepted');
    expect(made.status).toBe(422);
  });

  test('whose counter goes back is refused, and its owner hears of a copy', async () => {
    const { app, device } = await joWithPasskey(engine, { mail: true });
    device.counter = 5;
    expect((await signInWith(app.guest(), device)).status).toBe(303);

    const copied = await signInWith(app.guest(), device, { counter: 4 });
    const same = await signInWith(app.guest(), device, { counter: 5 });

    expect([copied.status, same.status]).toEqual([401, 401]);
    expect(await actionsOn(app)).toContain('user.passkey-copied');
    await app.settle();
    await app.mailbox.next('jo@acme.test');
    expect((await app.mailbox.next('jo@acme.test')).subject).toContain('was refused');
  });

  test('of nobody, and of somebody whose account is closed, lets nobody in', async () => {
    const { app, jo, device } = await joWithPasskey(engine);
    const stranger = await signInWith(app.guest(), new SoftPasskey(app.origin));
    await changeUser(app, jo.id, { status: 'disabled' });

    const closed = await signInWith(app.guest(), device);

    expect([stranger.status, closed.status]).toEqual([401, 401]);
  });

  test('of one device is not added to a second account', async () => {
    const { app, device } = await joWithPasskey(engine);
    const sam = await app.given.user({ email: 'sam@acme.test', password: PASSWORD });

    const again = await addTo(app.as(sam), device);

    expect(again.status).toBe(422);
  });

  test('is renamed and removed by its owner, and by nobody else', async () => {
    const { app, jo } = await joWithPasskey(engine);
    const sam = await app.given.user({ email: 'sam@acme.test', password: PASSWORD });
    const [row] = await app.db.knex('passkeys').select<{ id: string }[]>('id');
    const path = `/account/passkeys/${row?.id ?? ''}`;
    const theirs = app.as(sam);
    const csrf = csrfOn(await theirs.get('/account/security'));
    const own = app.as(jo);

    const stolen = [
      await theirs.post(`${path}/name`, { _csrf: csrf, name: 'Mine' }),
      await theirs.post(`${path}/remove`, { _csrf: csrf }),
    ];
    const ownCsrf = csrfOn(await own.get('/account/security'));
    await own.post(`${path}/name`, { _csrf: ownCsrf, name: 'Old phone' });
    expect((await own.get('/account/security')).text).toContain('Old phone');
    await own.post(`${path}/remove`, { _csrf: ownCsrf });

    expect(stolen.map(({ status }) => status)).toEqual([404, 404]);
    expect(await app.db.knex('passkeys').select('id')).toEqual([]);
  });

  test('says again who one is before something dangerous, to its own session only', async () => {
    const { app, jo, device } = await joWithPasskey(engine);
    const browser = app.as(jo);
    await browser.get('/account');
    app.clock.advance(minutes(20));
    const asked = await browser.get('/account/passkeys/new');
    expect(asked.url).toContain('/confirm-identity');
    expect(asked.text).toContain('/confirm-identity/passkey');
    const options = await askOn(browser, '/confirm-identity', '/confirm-identity/passkey/options');

    const done = await browser.post('/confirm-identity/passkey', {
      _csrf: options.csrf,
      next: '/account/passkeys/new',
      answer: device.prove(options),
    });

    expect(done.headers['location']).toBe('/account/passkeys/new');
    expect((await browser.get('/account/passkeys/new')).url).toContain('/account/passkeys/new');
  });

  test('may be lost: the password, and the link that sets a new one, remain', async () => {
    const { app, jo } = await joWithPasskey(engine, { mail: true });
    await changeUser(app, jo.id, { password_hash: null });
    const guest = app.guest();
    await app.settle();
    await app.mailbox.next('jo@acme.test');
    await guest.submit('/forgot', { email: 'jo@acme.test' }, { action: '/forgot' });
    await app.house.domains.resets.settled();
    await app.settle();
    const letter = await app.mailbox.next('jo@acme.test');
    const link = new URL(/https?:\/\/\S+\/reset\/\S+/.exec(letter.text)?.[0] ?? '');
    await guest.submit(link.pathname, { password: PASSWORD }, { action: '/reset' });

    const done = await guest.submit(
      '/login',
      { email: 'jo@acme.test', password: PASSWORD },
      { action: '/login' },
    );

    expect(new URL(done.url).pathname).toBe('/');
  });

  test('is not removed while it is the only way in', async () => {
    const { app, jo } = await joWithPasskey(engine);
    await changeUser(app, jo.id, { password_hash: null });
    const browser = app.as(jo);
    const [row] = await app.db.knex('passkeys').select<{ id: string }[]>('id');
    const csrf = csrfOn(await browser.get('/account/security'));

    await browser.post(`/account/passkeys/${row?.id ?? ''}/remove`, { _csrf: csrf });

    expect(await app.db.knex('passkeys').select('id')).toHaveLength(1);
  });
});

test('a passkey is for a name over https, or for this machine', () => {
  expect(relyingPartyOf('https://desk.example.org')).toEqual({
    id: 'desk.example.org',
    origin: 'https://desk.example.org',
  });
  expect(relyingPartyOf('http://localhost:3000')?.id).toBe('localhost');
  for (const origin of [
    'http://desk.example.org',
    'https://192.0.2.1',
    'http://127.0.0.1:3000',
    'https://[::1]',
  ])
    expect(relyingPartyOf(origin), origin).toBeNull();
});

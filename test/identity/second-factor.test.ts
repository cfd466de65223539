import * as OTPAuth from 'otpauth';
import { expect, test } from 'vitest';
import { staffSecondFactor } from '../../src/identity/index.ts';
import { minutes } from '../support/clock.ts';
import { describeOnEachEngine, type Engine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

const PASSWORD = 'seven quiet otters';
const client = { ip: '192.0.2.7', userAgent: 'Firefox' };

/** The app on somebody's phone. */
const codeAt = (secret: string, now: number): string =>
  new OTPAuth.TOTP({ secret: OTPAuth.Secret.fromBase32(secret) }).generate({ timestamp: now });

const secretOn = (page: string): string =>
  (/<code class="mono">(.*?)<\/code>/s.exec(page)?.[1] ?? '').replace(/<[^>]*>|[^A-Z2-7]/g, '');

/** Jo, who has turned the second factor on with their own hands. */
async function joWithSecondFactor(engine: Engine) {
  const app = await startTestApp({ engine });
  const jo = await app.given.user({ email: 'jo@acme.test', password: PASSWORD });
  const browser = app.as(jo);
  const page = await browser.get('/account/security/second-factor');
  const secret = secretOn(page.text);
  const code = codeAt(secret, app.clock.now());
  const done = await browser.submitShown(page, { code }, { action: '/account/security/second-factor' });
  const recoveryCodes = [...done.text.matchAll(/<li>(.*?)<\/li>/gs)]
    .map(([, line]) => (line ?? '').replace(/<[^>]*>|\s|-/g, ''))
    .filter((line) => /^[0-9A-Z]{16}$/.test(line));
  app.clock.advance(minutes(1));
  const { guest, as, house, db, clock } = app;
  return { guest, as, house, db, clock, jo, secret, recoveryCodes };
}

describeOnEachEngine('the second factor', (engine) => {
  test('is asked for after the password, and then lets in', async () => {
    const { guest, secret, clock } = await joWithSecondFactor(engine);
    const browser = guest();

    const asked = await browser.submit(
      '/login?next=/account',
      { email: 'jo@acme.test', password: PASSWORD },
      { action: '/login' },
    );
    expect(asked.url).toContain('/login/code');
    expect((await browser.get('/account')).url).toContain('/login');
    const shown = await browser.submitShown(
      asked,
      { code: codeAt(secret, clock.now()) },
      { action: '/login/code' },
    );

    expect(shown.url).toContain('/account');
  });

  test('is asked for on every way in', async () => {
    const { house, jo } = await joWithSecondFactor(engine);
    const { sessions } = house.domains;

    await expect(sessions.start(jo.id, client)).rejects.toMatchObject({ code: 'sign-in.second-factor' });
    await expect(sessions.completeLogin(jo.id, 'password', client)).rejects.toMatchObject({
      code: 'sign-in.second-factor',
    });
  });

  test('takes each code once, even from two who type it at the same moment', async () => {
    const { house, jo, secret, clock } = await joWithSecondFactor(engine);
    const { secondFactors, accounts, directory } = house.domains;
    const actor = await directory.actorById(jo.id);
    if (!actor) throw new Error('Jo is gone');
    const user = await accounts.own(actor);
    const code = codeAt(secret, clock.now());

    const ten = await Promise.all(Array.from({ length: 10 }, () => secondFactors.accepts(user, code)));

    expect(ten.filter(Boolean)).toHaveLength(1);
    expect(await secondFactors.accepts(user, code)).toBe(false);
  });

  test('takes a code that is half a minute old, and none that is two minutes old', async () => {
    const { house, jo, secret, clock } = await joWithSecondFactor(engine);
    const { secondFactors, accounts, directory } = house.domains;
    const actor = await directory.actorById(jo.id);
    if (!actor) throw new Error('Jo is gone');
    const user = await accounts.own(actor);

    clock.advance(minutes(5));
    expect(await secondFactors.accepts(user, codeAt(secret, clock.now() - minutes(2)))).toBe(false);
    expect(await secondFactors.accepts(user, codeAt(secret, clock.now() - 30_000))).toBe(true);
  });

  test('can be replaced by a recovery code, once', async () => {
    const { guest, recoveryCodes } = await joWithSecondFactor(engine);
    expect(recoveryCodes).toHaveLength(10);
    const typed = (recoveryCodes[0] ?? '').toLowerCase().replace(/(.{4})/g, '$1-');
    const signIn = async () => {
      const browser = guest();
      const asked = await browser.submit(
        '/login',
        { email: 'jo@acme.test', password: PASSWORD },
        { action: '/login' },
      );
      return browser.submitShown(asked, { code: typed }, { action: '/login/code' });
    };

    expect((await signIn()).url).not.toContain('/login');
    const again = await signIn();
    expect([again.status, again.url]).toEqual([401, expect.stringContaining('/login/code')]);
  });

  test('gives up after five wrong codes: one starts again with the password', async () => {
    const { guest, secret, clock } = await joWithSecondFactor(engine);
    const browser = guest();
    let shown = await browser.submit(
      '/login',
      { email: 'jo@acme.test', password: PASSWORD },
      { action: '/login' },
    );
    for (let tried = 0; tried < 4; tried += 1)
      shown = await browser.submitShown(shown, { code: '000000' }, { action: '/login/code' });
    const csrf =
      /action="\/login\/code">\s*<input[^>]*name="_csrf" value="([^"]+)"/.exec(shown.text)?.[1] ?? '';
    await browser.post('/login/code', { _csrf: csrf, code: '000000' });

    const right = await browser.post('/login/code', { _csrf: csrf, code: codeAt(secret, clock.now()) });

    expect([right.status, right.headers['location']]).not.toEqual([303, '/']);
    expect((await browser.get('/account')).url).toContain('/login');
  });

  test('can be demanded from people of the desk, who set it up on their way in', async () => {
    const { guest, given, clock } = await startTestApp({ engine });
    await given.setting(staffSecondFactor, true);
    await given.technician({ email: 'tom@acme.test', password: PASSWORD });
    await given.user({ email: 'jo@acme.test', password: PASSWORD });
    const browser = guest();

    const asked = await browser.submit(
      '/login',
      { email: 'tom@acme.test', password: PASSWORD },
      { action: '/login' },
    );
    expect(asked.text).toContain('Protect your account');
    const code = codeAt(secretOn(asked.text), clock.now());
    const shown = await browser.submitShown(asked, { code }, { action: '/login/code' });
    expect(shown.url).not.toContain('/login');

    const jo = await guest().submit(
      '/login',
      { email: 'jo@acme.test', password: PASSWORD },
      { action: '/login' },
    );
    expect(jo.url).not.toContain('/login');
  });

  test('is changed only by somebody who has just proven who they are', async () => {
    const { given, as, clock } = await startTestApp({ engine });
    const browser = as(await given.user({ email: 'jo@acme.test', password: PASSWORD }));
    await browser.get('/account');
    clock.advance(minutes(11));

    const asked = await browser.get('/account/security/second-factor');
    expect(asked.url).toContain('/confirm-identity');
    const wrong = await browser.submitShown(
      asked,
      { password: 'not this one' },
      { action: '/confirm-identity' },
    );
    expect(wrong.status).toBe(422);
    const shown = await browser.submitShown(wrong, { password: PASSWORD }, { action: '/confirm-identity' });

    expect(shown.url).toContain('/account/security/second-factor');
  });

  test('keeps its secret sealed in the database', async () => {
    const { db, secret } = await joWithSecondFactor(engine);

    const rows = (await db.knex('second_factors').select('ciphertext').orderBy('user_id')) as {
      ciphertext: Uint8Array;
    }[];

    expect(rows).toHaveLength(1);
    expect(Buffer.from(rows[0]?.ciphertext ?? []).toString('latin1')).not.toContain(secret);
  });
});

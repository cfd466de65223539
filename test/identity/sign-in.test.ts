import { expect, test } from 'vitest';
import { PasswordGate } from '../../src/identity/index.ts';
import { system } from '../../src/shared/actor.ts';
import { minutes } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

const PASSWORD = 'seven quiet otters';

describeOnEachEngine('signing in', (engine) => {
  test('leads to the page one came for, whatever the case of the address', async () => {
    const { guest, given } = await startTestApp({ engine });
    await given.user({ email: 'jo@acme.test', password: PASSWORD, name: 'Jo Martin' });
    const browser = guest();

    const asked = await browser.get('/account');
    expect(asked.url).toContain('/login?next=%2Faccount');
    const shown = await browser.submitShown(
      asked,
      { email: ' JO@Acme.test ', password: PASSWORD },
      { action: '/login' },
    );

    expect(shown.url).toBe(`${browser.origin}/account`);
    expect(shown.text).toContain('Jo Martin');
  });

  test('says the same of a wrong password, an unknown address, a closed account and no address at all', async () => {
    const { guest, given, house, db } = await startTestApp({ engine });
    await given.user({ email: 'jo@acme.test', password: PASSWORD });
    const gone = await given.user({ email: 'gone@acme.test', password: PASSWORD });
    await db.transaction((tx) => house.domains.users.disable(tx, system, gone.id));

    const answers = [];
    for (const [email, password] of [
      ['jo@acme.test', 'not this one'],
      ['nobody@acme.test', PASSWORD],
      ['gone@acme.test', PASSWORD],
      ['no address', PASSWORD],
    ] as const) {
      const shown = await guest().submit('/login', { email, password }, { action: '/login' });
      answers.push([shown.status, /error-summary__list">(.*?)<\/ul>/.exec(shown.text)?.[1]]);
    }

    expect(new Set(answers.map(String)).size).toBe(1);
    expect(answers[0]).toEqual([401, expect.stringContaining('E-mail address or password is not right.')]);
  });

  test('is slowed down after five wrong passwords, from there only, and not for ever', async () => {
    const { house, given, clock } = await startTestApp({ engine });
    const { signIn } = house.domains;
    await given.user({ email: 'jo@acme.test', password: PASSWORD });
    const here = { ip: '192.0.2.7', userAgent: 'Firefox' };
    const right = { email: 'jo@acme.test', password: PASSWORD };
    const wrong = { ...right, password: 'not this one' };
    for (let tried = 0; tried < 5; tried += 1) {
      await expect(signIn.signIn(wrong, here, '/')).rejects.toMatchObject({ code: 'sign-in.wrong' });
    }

    await expect(signIn.signIn(wrong, here, '/')).rejects.toMatchObject({
      code: 'sign-in.slow-down',
      retryAfter: 1,
    });
    expect((await signIn.signIn(right, { ...here, ip: '198.51.100.1' }, '/')).kind).toBe('session');

    clock.advance(1_001);
    expect((await signIn.signIn(right, here, '/')).kind).toBe('session');
  });

  test('counts two hundred tries at once as two hundred, not as one', async () => {
    const { house, given } = await startTestApp({ engine });
    const { throttle } = house.domains;
    await given.user({ email: 'jo@acme.test' });

    const tries = await Promise.allSettled(
      Array.from({ length: 60 }, () => throttle.count('jo@acme.test', '192.0.2.7')),
    );

    const admitted = tries.filter(({ status }) => status === 'fulfilled').length;
    expect(admitted).toBeLessThanOrEqual(6);
  });

  test('never leads to another site', async () => {
    const { guest, given } = await startTestApp({ engine });
    await given.user({ email: 'jo@acme.test', password: PASSWORD });

    for (const next of [
      'https://evil.test/',
      '//evil.test',
      '/\\evil.test',
      'javascript:alert(1)',
      '/\t/evil.test',
    ]) {
      const browser = guest();
      const page = await browser.get(`/login?next=${encodeURIComponent(next)}`);
      const csrf = /name="_csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
      const answer = await browser.post('/login', {
        _csrf: csrf,
        email: 'jo@acme.test',
        password: PASSWORD,
        next,
      });
      expect([next, answer.status, answer.headers['location']]).toEqual([
        next,
        303,
        expect.stringMatching(/^\/(?![/\\])/),
      ]);
    }
  });

  test('ends with signing out: the old cookie opens nothing', async () => {
    const { as, given } = await startTestApp({ engine });
    const browser = as(await given.user());
    await browser.get('/account');
    const before = new Map(browser.cookies);

    await browser.submit('/account', {}, { action: '/sign-out' });
    for (const [name, value] of before) browser.cookies.set(name, value);

    expect((await browser.get('/account')).url).toContain('/login');
  });

  test('hashes the password anew once the parameters have changed', async () => {
    const { house, given, db } = await startTestApp({ engine });
    const jo = await given.user({ email: 'jo@acme.test', password: PASSWORD });
    const old = await new PasswordGate({ cost: { memoryCost: 1024, timeCost: 2, parallelism: 1 } }).hash(
      PASSWORD,
      {
        lane: 'sign-in',
      },
    );
    await db.transaction((tx) => tx.knex('users').where({ id: jo.id }).update({ password_hash: old }));

    await house.domains.signIn.signIn(
      { email: 'jo@acme.test', password: PASSWORD },
      { ip: '192.0.2.7', userAgent: '' },
      '/',
    );

    const row = (await db.knex('users').first('password_hash').where({ id: jo.id })) as {
      password_hash: string;
    };
    expect(row.password_hash).toContain('m=19456');
  });
});

describeOnEachEngine('a session', (engine) => {
  test('of somebody who asks ends after eight hours of silence, of somebody at the desk after thirty minutes', async () => {
    const { as, given, clock } = await startTestApp({ engine });
    const [asking, answering] = [as(await given.user()), as(await given.technician())];
    await Promise.all([asking.get('/account'), answering.get('/account')]);

    clock.advance(minutes(29));
    expect((await answering.get('/account')).url).toContain('/account');
    clock.advance(minutes(31));
    expect((await answering.get('/account')).url).toContain('/login');
    expect((await asking.get('/account')).url).toContain('/account');
    clock.advance(minutes(8 * 60 + 1));
    expect((await asking.get('/account')).url).toContain('/login');
  });

  test('of the desk ends after twelve hours, however busy', async () => {
    const { as, given, clock } = await startTestApp({ engine });
    const technician = as(await given.technician());
    for (let halfHours = 0; halfHours < 24; halfHours += 1) {
      expect((await technician.get('/account')).url).toContain('/account');
      clock.advance(minutes(30) - 1);
    }
    clock.advance(minutes(1));

    expect((await technician.get('/account')).url).toContain('/login');
  });

  test('is listed, and can be ended from another device', async () => {
    const { as, given } = await startTestApp({ engine });
    const jo = await given.user();
    const [phone, desk] = [as(jo), as(jo)];
    await Promise.all([phone.get('/account'), desk.get('/account')]);

    const shown = await desk.submit('/account/sessions', {}, { action: '/account/sessions/end-others' });

    expect(shown.text).toContain('All other sessions have ended.');
    expect((await phone.get('/account')).url).toContain('/login');
    expect((await desk.get('/account')).url).toContain('/account');
  });

  test('ends with every other when the password changes, and goes on where it was changed, with another token', async () => {
    const { as, given, guest } = await startTestApp({ engine });
    const jo = await given.user({ email: 'jo@acme.test', password: PASSWORD });
    const [phone, desk] = [as(jo), as(jo)];
    await Promise.all([phone.get('/account'), desk.get('/account')]);
    const before = String([...desk.cookies]);

    await desk.submit(
      '/account/security',
      { current: PASSWORD, password: 'eight loud badgers' },
      { action: '/account/password' },
    );

    expect((await phone.get('/account')).url).toContain('/login');
    expect((await desk.get('/account')).url).toContain('/account');
    expect(String([...desk.cookies])).not.toBe(before);
    const again = await guest().submit(
      '/login',
      { email: 'jo@acme.test', password: 'eight loud badgers' },
      { action: '/login' },
    );
    expect(again.url).not.toContain('/login');
  });

  test('dies with the account, at once and on the other node too', async () => {
    const app = await startTestApp({ engine });
    const jo = await app.given.user();
    const other = await startTestApp({ engine, databaseUrl: app.databaseUrl });
    const browser = other.as(jo);
    await browser.get('/account');

    const { users } = app.house.domains;
    await app.db.transaction((tx) => users.disable(tx, system, jo.id));

    expect((await browser.get('/account')).url).toContain('/login');
  });

  test('is stored as a digest only', async () => {
    const { as, given, db } = await startTestApp({ engine });
    const browser = as(await given.user());
    await browser.get('/account');
    const token = [...browser.cookies.values()][0] ?? '';

    const rows = (await db.knex('sessions').select('*').orderBy('id')) as Record<string, unknown>[];

    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain(token);
  });
});

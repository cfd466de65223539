import { expect, test } from 'vitest';
import { hours, minutes } from '../../../test/support/clock.ts';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { joinByApi, joinByBrowser, keyOf, PASSWORD, redemptionsOf, somebody } from './desk.ts';

const codeIn = (subject: string): string => /(\d{3} \d{3})/.exec(subject)?.[1] ?? '';
const pathOf = (link: string | undefined): string => new URL(link ?? '').pathname;

/** Gives back what was held, as the job does every minute. */
async function sweep(app: TestApp): Promise<void> {
  await app.house.domains.jobs.runNow('registration-key.give-back-seats');
}

describeOnEachEngine('an address that must be proven', (engine) => {
  const start = async () => {
    const app = await startTestApp({ engine, mail: true });
    const minted = await app.given.invitationKey({ emailProof: 'required' });
    return { app, ...minted };
  };

  test('is proven by six digits in the browser that signed up', async () => {
    const { app, id, key } = await start();
    const phone = app.guest();

    const waiting = await joinByBrowser(phone, key, { email: 'jo@acme.test', name: 'Jo Martin' });
    const letter = await app.mailbox.next('jo@acme.test');
    const people = await redemptionsOf(app, id);
    const welcome = await phone.submitShown(
      waiting,
      { code: codeIn(letter.subject) },
      { action: '/join/step/confirm' },
    );

    expect(waiting.text).toContain('Check your inbox');
    expect(people.items).toMatchObject([{ status: 'pending_email', userId: null }]);
    expect(new URL(welcome.url).pathname).toBe('/tickets/new');
    expect((await redemptionsOf(app, id)).items).toMatchObject([{ status: 'active', name: 'Jo Martin' }]);
    expect(await keyOf(app, id)).toMatchObject({ uses: 1 });
  });

  test('is proven by the link in another browser, which chooses the password anew', async () => {
    const { app, key } = await start();
    await joinByBrowser(app.guest(), key, { email: 'jo@acme.test', password: 'what a stranger typed' });
    const letter = await app.mailbox.next('jo@acme.test');
    const laptop = app.guest();

    const shown = await laptop.get(pathOf(letter.links[0]));
    const without = await laptop.submitShown(shown, { password: '' });
    const welcome = await laptop.submitShown(shown, { password: PASSWORD });

    expect(shown.text).toContain('another browser');
    expect(without.status).toBe(422);
    expect(new URL(welcome.url).pathname).toBe('/tickets/new');
    expect(
      (await app.guest().submit('/login', { email: 'jo@acme.test', password: 'what a stranger typed' })).url,
    ).toContain('/login');
    expect(
      (await app.guest().submit('/login', { email: 'jo@acme.test', password: PASSWORD })).url,
    ).not.toContain('/login');
  });

  test('is not proven by looking at the link', async () => {
    const { app, id, key } = await start();
    await joinByBrowser(app.guest(), key, { email: 'jo@acme.test' });
    const letter = await app.mailbox.next('jo@acme.test');

    for (let time = 0; time < 5; time += 1) await app.guest().get(pathOf(letter.links[0]));

    expect((await redemptionsOf(app, id)).items).toMatchObject([{ status: 'pending_email' }]);
  });

  test('has five tries for the code, then needs a new one', async () => {
    const { app, id, key } = await start();
    const phone = app.guest();
    const waiting = await joinByBrowser(phone, key, { email: 'jo@acme.test' });
    const letter = await app.mailbox.next('jo@acme.test');
    const right = codeIn(letter.subject);
    const wrong = right === '000 000' ? '111111' : '000000';

    const tries = await Promise.all(
      Array.from({ length: 8 }, () =>
        phone.submitShown(waiting, { code: wrong }, { action: '/join/step/confirm' }),
      ),
    );
    const late = await phone.submitShown(waiting, { code: right }, { action: '/join/step/confirm' });

    expect(tries.filter(({ status }) => status === 422)).toHaveLength(5);
    expect(late.status).toBe(410);
    app.clock.advance(minutes(2));
    await phone.submitShown(
      await phone.get(waiting.url.slice(app.origin.length)),
      {},
      { action: '/join/step/resend' },
    );
    const second = await app.mailbox.next('jo@acme.test');
    const welcome = await phone.submitShown(
      waiting,
      { code: codeIn(second.subject) },
      { action: '/join/step/confirm' },
    );
    expect(new URL(welcome.url).pathname).toBe('/tickets/new');
    expect(await keyOf(app, id)).toMatchObject({ uses: 1 });
  });

  test('of somebody with an account looks the same on screen, takes no place, and the mail says so', async () => {
    const { app, id, key } = await start();
    await app.given.user({ email: 'known@acme.test' });
    const [one, other] = [app.guest(), app.guest()];

    const fresh = await joinByBrowser(one, key, { email: 'fresh@acme.test' });
    const taken = await joinByBrowser(other, key, { email: 'known@acme.test' });
    const letter = await app.mailbox.next('known@acme.test');

    const plain = (text: string): string =>
      text
        .replace(/(fresh|known)@acme\.test/g, 'X')
        .replace(/(?:h|value|nonce)="[^"]*"|h=[\w-]+|nonce="[^"]*"|[\w-]{8,}/g, '_');
    expect(taken.status).toBe(fresh.status);
    expect(plain(taken.text)).toBe(plain(fresh.text));
    expect(letter.subject).toContain('already have');
    expect(await keyOf(app, id)).toMatchObject({ uses: 1 });
    const api = await joinByApi(app, key, somebody({ email: 'known@acme.test' }));
    expect([api.status, api.json()]).toEqual([201, { status: 'pending_email' }]);
  });

  test('that a stranger typed blocks nobody: its owner signs up, confirms, and chooses name and password', async () => {
    const { app, id, key } = await start();
    await joinByBrowser(app.guest(), key, { email: 'jo@acme.test', name: 'A Stranger' });
    await app.mailbox.next('jo@acme.test');
    const phone = app.guest();

    const waiting = await joinByBrowser(phone, key, { email: 'jo@acme.test', name: 'Jo Martin' });
    const letter = await app.mailbox.next('jo@acme.test');
    const held = await keyOf(app, id);
    const welcome = await phone.submitShown(
      waiting,
      { code: codeIn(letter.subject) },
      { action: '/join/step/confirm' },
    );

    expect(held).toMatchObject({ uses: 1 });
    expect(new URL(welcome.url).pathname).toBe('/tickets/new');
    expect((await redemptionsOf(app, id)).items).toMatchObject([{ status: 'active', name: 'Jo Martin' }]);
  });

  test('holds a place for a day; it comes back once, however many sweep', async () => {
    const { app, id, key } = await start();
    const phone = app.guest();
    const waiting = await joinByBrowser(phone, key, { email: 'jo@acme.test' });
    const letter = await app.mailbox.next('jo@acme.test');
    await joinByBrowser(app.guest(), key, { email: 'second@acme.test' });

    app.clock.advance(hours(23));
    await sweep(app);
    expect(await keyOf(app, id)).toMatchObject({ uses: 2 });
    app.clock.advance(hours(2));
    await Promise.all([sweep(app), sweep(app), sweep(app)]);

    expect(await keyOf(app, id)).toMatchObject({ uses: 0 });
    expect((await redemptionsOf(app, id)).items.map(({ status }) => status)).toEqual([
      'released',
      'released',
    ]);
    const late = await phone.submitShown(
      waiting,
      { code: codeIn(letter.subject) },
      { action: '/join/step/confirm' },
    );
    expect(late.status).toBe(410);
    expect(await keyOf(app, id)).toMatchObject({ uses: 0 });
  });

  test('is proven already by a mailed invitation, and only for the mailbox it went to', async () => {
    const { app, id } = await start();
    const admin = app.as(await app.given.owner());
    await admin.submit(
      `/invitation-keys/${id}`,
      { addresses: 'jo@acme.test', message: 'Welcome!' },
      { action: `/invitation-keys/${id}/send` },
    );
    const letter = await app.mailbox.next('jo@acme.test');
    const link = pathOf(letter.links[0]);

    const welcome = await app
      .guest()
      .submit(link, { email: 'jo@acme.test', name: 'Jo', password: PASSWORD }, { action: '/join' });
    const forwarded = await app
      .guest()
      .submit(link, { email: 'friend@acme.test', name: 'Friend', password: PASSWORD }, { action: '/join' });

    expect(link).toMatch(/^\/join\/lkmail_/);
    expect((await admin.get(`/invitation-keys/${id}`)).text).toContain('Taken by the mail server');
    expect(new URL(welcome.url).pathname).toBe('/tickets/new');
    expect(forwarded.text).toContain('Check your inbox');
  });

  test('of a key that was revoked meanwhile is not let in', async () => {
    const { app, id, key } = await start();
    const phone = app.guest();
    const waiting = await joinByBrowser(phone, key, { email: 'jo@acme.test' });
    const letter = await app.mailbox.next('jo@acme.test');
    await app.api(await app.given.owner()).call('POST', `/api/v1/invitation-keys/${id}/revoke`);

    const late = await phone.submitShown(
      waiting,
      { code: codeIn(letter.subject) },
      { action: '/join/step/confirm' },
    );

    expect(late.status).toBe(410);
    expect((await redemptionsOf(app, id)).items).toMatchObject([{ status: 'pending_email' }]);
  });
});

describeOnEachEngine('without mail', (engine) => {
  test('an administrator confirms an address by hand, on record', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ emailProof: 'required' });
    const phone = app.guest();
    const waiting = await joinByBrowser(phone, key, { email: 'jo@acme.test', name: 'Jo Martin' });
    const admin = app.as(await app.given.owner());

    await admin.submitShown(
      await admin.get('/invitation-keys/unconfirmed'),
      {},
      { action: '/invitation-keys/unconfirmed/' },
    );

    expect(waiting.text).toContain('An administrator will confirm your address by hand');
    expect((await redemptionsOf(app, id)).items).toMatchObject([{ status: 'active', name: 'Jo Martin' }]);
    expect((await admin.get(`/invitation-keys/${id}`)).text).toContain('Address confirmed by hand');
    expect((await phone.get(waiting.url.slice(app.origin.length))).text).toContain('Your account is ready');
  });
});

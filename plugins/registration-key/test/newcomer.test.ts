import { describe, expect, test } from 'vitest';
import { registrationContact, registrationPaused } from '../../../src/settings/index.ts';
import { startTestApp } from '../../../test/support/test-app.ts';
import { joinByApi, joinByBrowser, keyOf, PASSWORD, somebody } from './desk.ts';

/** A page without its layout's words, for what a reader sees. */
const words = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

describe('a newcomer', () => {
  test('with a key that has ended reads since when, and can ask for a new one', async () => {
    const app = await startTestApp({ mail: true });
    const end = app.clock.now() + 60_000;
    const { id, key } = await app.given.invitationKey({
      expiresAt: new Date(end).toISOString(),
      emailProof: 'none',
    });
    app.clock.set(end);
    const phone = app.guest();

    const page = await phone.get(`/join/${key}`);
    const asked = await phone.submitShown(
      page,
      { name: 'Jo Martin', email: 'jo@acme.test', message: 'I was on leave.' },
      { action: '/join/step/ask' },
    );
    const letters = [
      await app.mailbox.next('olive@example.org'),
      await app.mailbox.next('olive@example.org'),
    ];
    const twice = await phone.submitShown(
      page,
      { name: 'Jo Martin', email: 'jo@acme.test' },
      { action: '/join/step/ask' },
    );

    expect(page.status).toBe(410);
    expect(words(page.text)).toContain('This invitation has ended');
    expect(words(page.text)).toContain('It ended on');
    expect(words(asked.text)).toContain('Your request is on its way');
    const letter = letters.find(({ subject }) => subject === 'Someone asked for a new invitation');
    expect(letter?.text).toContain('I was on leave.');
    expect(words(twice.text)).toBe(words(asked.text));
    expect((await app.as(await app.given.owner()).get(`/invitation-keys/${id}`)).text).toContain(
      'A new invitation was asked for',
    );
  });

  test('with a used-up key reads so, with a revoked one learns no reason and no name', async () => {
    const app = await startTestApp();
    const owner = app.api(await app.given.owner());
    const full = await app.given.invitationKey({ maxUses: 1 });
    await joinByApi(app, full.key, somebody());
    const revoked = await app.given.invitationKey({ label: 'Secret label' });
    await owner.call('POST', `/api/v1/invitation-keys/${revoked.id}/revoke`);

    const taken = await app.guest().get(`/join/${full.key}`);
    const gone = await app.guest().get(`/join/${revoked.key}`);

    expect([taken.status, gone.status]).toEqual([410, 410]);
    expect(words(taken.text)).toContain('All places are taken');
    expect(words(gone.text)).toContain('no longer active');
    expect(gone.text).not.toContain('Olive');
    expect(gone.text).not.toContain('Secret label');
  });

  test('who opens the invitation that was for them alone again is led to sign in, and a stranger learns no address', async () => {
    const app = await startTestApp({ mail: true });
    const email = 'jo@acme.test';
    const { key } = await app.given.invitationKey({ email, emailProof: 'required', maxUses: 1 });
    const phone = app.guest();
    await joinByBrowser(phone, key, { email });
    const held = await app.guest().get(`/join/${key}`);
    const { links } = await app.mailbox.next(email, { subject: 'code' });
    await phone.submit(new URL(links[0] ?? '').pathname, {});

    const again = await app.guest().get(`/join/${key}`);

    expect([held.status, again.status]).toEqual([410, 200]);
    expect(words(again.text)).toContain('You have joined already');
    expect(again.text).toContain('href="/forgot"');
    expect(again.text).not.toContain(email);
  });

  test('who is early can put the opening in the calendar', async () => {
    const app = await startTestApp();
    const { key } = await app.given.invitationKey({
      notBefore: '2026-04-01T08:00:00Z',
      expiresAt: '2026-05-01T08:00:00Z',
    });
    const phone = app.guest();

    const page = await phone.get(`/join/${key}`);
    const entry = await phone.get(/\/join\/step\/opens\.ics\?h=[\w-]+/.exec(page.text)?.[0] ?? '');

    expect(page.status).toBe(403);
    expect(entry.headers['content-type']).toContain('text/calendar');
    expect(entry.text).toContain('DTSTART:20260401T080000Z');
  });

  test('finds the door closed for all, kindly, while joining is paused', async () => {
    const app = await startTestApp();
    const { key } = await app.given.invitationKey();
    await app.given.setting(registrationPaused, true);
    await app.given.setting(registrationContact, 'the front desk, 01 23 45 67');

    const page = await app.guest().get(`/join/${key}`);
    const api = await joinByApi(app, key, somebody());

    expect(page.status).toBe(503);
    expect(page.headers['retry-after']).toBeDefined();
    expect(words(page.text)).toContain('Your invitation is still valid');
    expect(words(page.text)).toContain('the front desk, 01 23 45 67');
    expect([api.status, api.json().code]).toEqual([503, 'invitation.paused']);
  });

  test('with an unknown key is asked to look again, and can type it', async () => {
    const app = await startTestApp();
    const { key } = await app.given.invitationKey();
    const phone = app.guest();

    const unknown = await phone.get('/join/lkinv_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN');
    const form = await phone.submitShown(
      unknown,
      { key: `${app.origin}/join/${key}` },
      { action: '/join/step/open' },
    );

    expect(unknown.status).toBe(404);
    expect(words(unknown.text)).toContain('We could not find this invitation');
    expect(form.status).toBe(200);
    expect(words(form.text)).toContain('Create my account');
  });

  test('whose browser kept no cookie types the code and goes on', async () => {
    const app = await startTestApp();
    const { key } = await app.given.invitationKey();
    const opened = await app.guest().send(`/join/${key}`, { method: 'GET' });

    const page = await app.guest().get(String(opened.headers['location']));

    expect(words(page.text)).toContain('Your browser did not keep the link');
    expect(page.text).toContain('action="/join/step/open"');
  });

  test('signed in as somebody else signs out and comes back to the same invitation', async () => {
    const app = await startTestApp();
    const { key } = await app.given.invitationKey({ emailDomains: ['acme.test'], emailProof: 'required' });
    const browser = app.as(await app.given.user({ email: 'a@x.test' }));

    const page = await browser.get(`/join/${key}`);
    const after = await browser.submitShown(page, {}, { action: '/sign-out' });

    expect(words(page.text)).toContain('You are signed in as a@x.test');
    expect(words(page.text)).toContain('@acme.test');
    expect(new URL(after.url).pathname).toBe('/join');
    expect(words(after.text)).toContain('Create my account');
  });

  test('who has joined lands on a first ticket, signed in, and the second press of the button does no harm', async () => {
    const app = await startTestApp();
    const { id, key } = await app.given.invitationKey();
    const phone = app.guest();
    const form = await phone.get(`/join/${key}`);
    const typed = { email: 'jo@acme.test', name: 'Jo Martin', password: PASSWORD };

    const [one, other] = await Promise.all([phone.submitShown(form, typed), phone.submitShown(form, typed)]);

    expect([one.url, other.url].map((url) => new URL(url).pathname)).toEqual([
      '/tickets/new',
      '/tickets/new',
    ]);
    expect(await keyOf(app, id)).toMatchObject({ uses: 1 });
    expect(words((await phone.get('/account')).text)).toContain('Jo Martin');
  });

  test('reads all of it in French', async () => {
    const app = await startTestApp();
    const { key } = await app.given.invitationKey({ locale: 'fr' });
    const phone = app.guest();
    phone.headers.set('accept-language', 'fr-FR,fr;q=0.9');

    const code = await phone.get('/join');
    const form = await phone.get(`/join/${key}`);
    const wrong = await phone.submitShown(form, { email: 'jo@acme.test', name: '', password: 'x' });

    expect(words(code.text)).toContain('Saisissez votre invitation');
    expect(words(form.text)).toContain('Créer mon compte');
    expect(wrong.status).toBe(422);
    expect(wrong.text).toContain('value="jo@acme.test"');
  });

  test('gives no address of another site and no cache a copy', async () => {
    const app = await startTestApp();
    const { key } = await app.given.invitationKey();
    const phone = app.guest();

    const opened = await phone.send(`/join/${key}`, { method: 'GET' });
    const page = await phone.get(String(opened.headers['location']));

    for (const answer of [opened, page]) {
      expect(answer.headers).toMatchObject({
        'cache-control': 'no-store',
        'x-robots-tag': 'noindex, nofollow',
        'x-frame-options': 'DENY',
      });
    }
    expect(page.headers['referrer-policy']).toBe('same-origin');
    expect(page.text).not.toContain(key.slice(6));
    expect(page.text).not.toMatch(/(?:src|href)="https?:\/\/(?!127\.0\.0\.1)/);
  });

  test('from another site cannot be made to join', async () => {
    const app = await startTestApp();
    const { id, key } = await app.given.invitationKey();
    const phone = app.guest();
    await phone.get(`/join/${key}`);

    const forged = await phone.send('/join', {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'https://evil.test',
        'sec-fetch-site': 'cross-site',
      },
      body: 'h=x&email=jo@acme.test&name=Jo&password=four+quiet+words+here&redeemId=4a2b1c3d-0000-4000-8000-000000000000',
    });

    expect(forged.status).toBe(403);
    expect(await keyOf(app, id)).toMatchObject({ uses: 0 });
  });

  test('who was refused reads a short code, and an administrator finds out why', async () => {
    const app = await startTestApp();
    const end = app.clock.now() + 60_000;
    const { key } = await app.given.invitationKey({
      label: 'Paris office',
      expiresAt: new Date(end).toISOString(),
    });
    app.clock.set(end);

    const page = await app.guest().get(`/join/${key}`);
    const code = /<code>([0-9A-Z]{4}-X)<\/code>/.exec(page.text)?.[1] ?? '';
    const explained = await app.as(await app.given.owner()).get(`/invitation-keys/explain?code=${code}`);

    expect(code).not.toBe('');
    expect(words(explained.text)).toContain('Paris office');
    expect(words(explained.text)).toContain('It has ended; move its end');
  });
});

describe('a guest', () => {
  test('asks whether a key would open, and nothing happens', async () => {
    const app = await startTestApp();
    const { id, key } = await app.given.invitationKey();
    const before = await keyOf(app, id);

    const valid = await app.guest().call('POST', '/api/v1/invitation-keys/check', { key });
    const unknown = await app
      .guest()
      .call('POST', '/api/v1/invitation-keys/check', { key: 'lkinv_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN' });

    expect(valid.json()).toMatchObject({ valid: true, organisation: 'Example', requiresEmailProof: false });
    expect(unknown.json()).toEqual({ valid: false, code: 'invitation.unknown' });
    expect(await keyOf(app, id)).toEqual(before);
  });

  test('joins in a browser without a word about who else is there', async () => {
    const app = await startTestApp();
    const { key } = await app.given.invitationKey();
    await app.given.user({ email: 'known@acme.test' });

    const taken = await joinByBrowser(app.guest(), key, { email: 'known@acme.test' });

    expect(taken.text).not.toContain('user.exists');
    expect(words(taken.text)).toContain('sign in');
  });
});

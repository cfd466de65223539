import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { formsIn, type Answer, type HttpClient } from '../../../test/support/http-client.ts';
import { SoftPasskey } from '../../../test/support/soft-passkey.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { PASSWORD, redemptionsOf, somebody } from './desk.ts';

const passkeysIn = ({ db }: TestApp): Promise<unknown[]> => db.knex('passkeys').select('id', 'user_id');

/** The join form in this browser, with a passkey made on it as the script does. */
async function withPasskey(
  browser: HttpClient,
  key: string,
  device: SoftPasskey,
  { email, name }: { email: string; name: string },
): Promise<{ form: Answer; made: Answer; answer: string; fields: Record<string, string> }> {
  const form = await browser.get(`/join/${key}`);
  const shown = formsIn(form.text).find(({ action }) => action === '/join')?.fields ?? {};
  const fields = { _csrf: String(shown['_csrf']), h: String(shown['h']) };
  const options = (await browser.post('/join/step/passkey/options', { ...fields, email, name })).json() as {
    challenge: string;
  };
  const answer = device.make(options);
  return { form, made: await browser.post('/join/step/passkey', { ...fields, answer }), answer, fields };
}

const send = (browser: HttpClient, form: Answer, values: Record<string, string>): Promise<Answer> =>
  browser.submitShown(form, { passkey: 'made', password: '', ...values }, { action: '/join' });

describeOnEachEngine('a passkey instead of a password', (engine) => {
  test('is all that a newcomer needs, and signs them in afterwards', async () => {
    const app = await startTestApp({ engine, host: 'localhost' });
    const { key } = await app.given.invitationKey();
    const jo = somebody();
    const device = new SoftPasskey(app.origin);
    const browser = app.guest();
    const { form, made } = await withPasskey(browser, key, device, jo);
    expect(made.json()).toEqual({ ready: true });

    const done = await send(browser, form, { email: jo.email, name: jo.name });

    expect(new URL(done.url).pathname).toBe('/tickets/new');
    expect(await passkeysIn(app)).toHaveLength(1);
    const [user] = await app.db.knex('users').where({ email: jo.email }).select<object[]>('password_hash');
    expect(user).toEqual({ password_hash: null });
    const later = app.guest();
    const page = await later.get('/login');
    const csrf = String(formsIn(page.text)[0]?.fields['_csrf']);
    const options = (await later.post('/login/passkey/options', { _csrf: csrf })).json() as {
      challenge: string;
    };
    const signedIn = await later.post('/login/passkey', { _csrf: csrf, answer: device.prove(options) });
    expect(signedIn.status).toBe(303);
  });

  test('is made once: a form that is refused for something else keeps it', async () => {
    const app = await startTestApp({ engine, host: 'localhost' });
    const { key, id } = await app.given.invitationKey({
      emailDomains: ['acme.test'],
      emailProof: 'required',
    });
    const browser = app.guest();
    const { form } = await withPasskey(browser, key, new SoftPasskey(app.origin), somebody());

    const refused = await send(browser, form, { email: 'jo@elsewhere.test', name: 'Jo' });
    expect(refused.text).toContain('data-made');
    const { total } = await redemptionsOf(app, id);
    const done = await send(browser, refused, { email: 'jo@acme.test', name: 'Jo' });

    expect(total).toBe(0);
    expect(done.url).toContain('/join/step/waiting');
  });

  test('is thrown away when the address is confirmed in another browser, where a password is chosen', async () => {
    const app = await startTestApp({ engine, host: 'localhost', mail: true });
    const { key } = await app.given.invitationKey({ emailProof: 'required' });
    const stranger = app.guest();
    const { form } = await withPasskey(stranger, key, new SoftPasskey(app.origin), somebody());
    await send(stranger, form, { email: 'jo@acme.test', name: 'Jo' });
    const letter = await app.mailbox.next('jo@acme.test');
    const link = new URL(/https?:\/\/\S+\/join\/confirm\/\S+/.exec(letter.text)?.[0] ?? '');

    const done = await app.guest().submit(link.pathname, { password: PASSWORD }, { action: '/join/confirm' });

    expect(new URL(done.url).pathname).toBe('/tickets/new');
    expect(await passkeysIn(app)).toEqual([]);
  });

  test('waits with its owner for an administrator', async () => {
    const app = await startTestApp({ engine, host: 'localhost' });
    const { key, id } = await app.given.invitationKey({ approval: 'manual' });
    const browser = app.guest();
    const { form } = await withPasskey(browser, key, new SoftPasskey(app.origin), somebody());
    await send(browser, form, { email: 'jo@acme.test', name: 'Jo' });
    expect(await passkeysIn(app)).toEqual([]);
    const [waiting] = (await redemptionsOf(app, id)).items;

    const owner = app.as(await app.given.owner());
    const choice = { id: String(waiting?.['id']), decision: 'approve' };
    await owner.submit('/invitation-keys/approvals', choice, { action: '/invitation-keys/approvals' });

    expect(await passkeysIn(app)).toHaveLength(1);
  });

  test('answers its challenge once, in the browser and for the handle that was asked', async () => {
    const app = await startTestApp({ engine, host: 'localhost' });
    const { key } = await app.given.invitationKey();
    const { key: other } = await app.given.invitationKey();
    const browser = app.guest();
    const { answer, fields, form } = await withPasskey(browser, key, new SoftPasskey(app.origin), somebody());
    const again = await browser.post('/join/step/passkey', { ...fields, answer });

    const second = await browser.get(`/join/${other}`);
    const elsewhere = await send(browser, second, { email: 'jo@acme.test', name: 'Jo' });
    const stranger = app.guest();
    const theirs = await stranger.get(`/join/${key}`);
    const stolen = await send(stranger, theirs, { email: 'sam@acme.test', name: 'Sam' });

    expect(form.status).toBe(200);
    expect(again.status).toBe(422);
    expect([elsewhere.status, stolen.status]).toEqual([422, 422]);
    expect(await passkeysIn(app)).toEqual([]);
  });

  test('of another origin or another house is refused, and takes no seat', async () => {
    const app = await startTestApp({ engine, host: 'localhost' });
    const { key, id } = await app.given.invitationKey();
    for (const lies of [{ origin: 'https://evil.test' }, { rpId: 'evil.test' }, { verified: false }]) {
      const browser = app.guest();
      const form = await browser.get(`/join/${key}`);
      const shown = formsIn(form.text).find(({ action }) => action === '/join')?.fields ?? {};
      const fields = { _csrf: String(shown['_csrf']), h: String(shown['h']) };
      const options = await browser.post('/join/step/passkey/options', { ...fields, ...somebody() });
      const answer = new SoftPasskey(app.origin).make(options.json() as { challenge: string }, lies);

      const made = await browser.post('/join/step/passkey', { ...fields, answer });
      const sent = await send(browser, form, { email: 'jo@acme.test', name: 'Jo' });

      expect([made.status, sent.status]).toEqual([422, 422]);
    }
    expect((await redemptionsOf(app, id)).total).toBe(0);
  });

  test('is not offered where browsers make none, and a password is asked for as ever', async () => {
    const app = await startTestApp({ engine });
    const { key } = await app.given.invitationKey();

    const form = await app.guest().get(`/join/${key}`);

    expect(form.text).not.toContain('data-passkey-way');
    expect(form.text).toContain('name="password"');
  });
});

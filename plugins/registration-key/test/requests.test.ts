import { expect, test } from 'vitest';
import { days } from '../../../test/support/clock.ts';
import { describeOnEachEngine, type Engine } from '../../../test/support/databases.ts';
import type { Answer, HttpClient } from '../../../test/support/http-client.ts';
import { OWNER } from '../../../test/support/house.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { joinByBrowser, keyOf, somebody } from './desk.ts';

const API = '/api/v1/invitation-keys/requests';

/** A link that was good for two weeks, three weeks later. */
async function endedKey(engine: Engine, { mail = false, ...draft }: Record<string, unknown> = {}) {
  const app = await startTestApp({ engine, mail: mail === true });
  const { key, id } = await app.given.invitationKey({ label: 'Lyon', ...draft });
  app.clock.advance(days(21));
  return { app, key, id };
}

const ask = (browser: HttpClient, key: string, values: Record<string, string> = {}): Promise<Answer> =>
  browser.submit(
    `/join/${key}`,
    { name: 'Jo', email: 'jo@acme.test', message: 'I was ill.', ...values },
    { action: '/join/step/ask' },
  );

async function requestsIn(app: TestApp, query = ''): Promise<Record<string, string>[]> {
  const answer = await app.api(await app.given.owner()).call('GET', API + query);
  return (answer.json() as { items: Record<string, string>[] }).items;
}

/** Of several mails to this address, the one with such a link. */
async function linkInMail(app: TestApp, to: string, pattern: RegExp): Promise<string> {
  for (let letters = 0; letters < 5; letters += 1) {
    const [link] = pattern.exec((await app.mailbox.next(to)).text) ?? [];
    if (link !== undefined) return link;
  }
  throw new Error(`No mail to ${to} has such a link`);
}

describeOnEachEngine('a key that is over', (engine) => {
  test('lets its holder ask; its owner lets that one person in, by a key of their own', async () => {
    const { app, key, id } = await endedKey(engine, { mail: true, profile: 'technician', maxUses: 1 });
    const browser = app.guest();

    expect((await ask(browser, key)).text).toContain('request');
    await app.settle();
    const page = new URL(await linkInMail(app, OWNER.email, /https?:\/\/\S+\/requests\/\S+/)).pathname;
    const owner = app.as(await app.given.owner());
    const shown = await owner.get(page);
    expect((await requestsIn(app))[0]).toMatchObject({ state: 'open', reason: 'expired', keyId: id });
    await owner.submitShown(shown, {}, { action: `${page}/grant` });
    await app.settle();
    const invitation = await app.mailbox.next('jo@acme.test');
    const link = new URL(/https?:\/\/\S+\/join\/\S+/.exec(invitation.text)?.[0] ?? '').pathname;

    const { password } = somebody();
    const joined = await app.guest().submit(link, { name: 'Jo', password }, { action: '/join' });
    expect(new URL(joined.url).pathname).toBe('/tickets/new');
    const [request] = await requestsIn(app, '?state=granted');
    expect(await keyOf(app, String(request?.['grantedKeyId']))).toMatchObject({
      maxUses: 1,
      uses: 1,
      email: 'jo@acme.test',
      profile: 'technician',
    });
    expect(await keyOf(app, id)).toMatchObject({ status: 'expired' });
  });

  test('is asked about once by an address, and says the same to everybody', async () => {
    const { app, key } = await endedKey(engine);
    await app.given.user({ email: 'sam@acme.test' });

    const answers = [
      await ask(app.guest(), key),
      await ask(app.guest(), key, { email: 'JO@acme.test' }),
      await ask(app.guest(), key, { email: 'sam@acme.test' }),
    ];

    expect(
      new Set(answers.map(({ text, status }) => `${String(status)} ${text.replace(/"[\w-]{16,}"/g, '')}`))
        .size,
    ).toBe(1);
    expect(await requestsIn(app)).toHaveLength(2);
  });

  test('shows the link to whoever lets somebody in where there is no mail', async () => {
    const { app, key } = await endedKey(engine);
    await ask(app.guest(), key);
    const [request] = await requestsIn(app);
    const owner = app.as(await app.given.owner());

    const link = await owner.submit(
      `/invitation-keys/requests/${String(request?.['id'])}`,
      {},
      {
        action: `/invitation-keys/requests/${String(request?.['id'])}/grant`,
      },
    );

    expect(link.url).toContain('/link');
    expect(link.text).toContain('/join/lkinv_');
  });

  test('is answered once, however many answer at the same moment, and leaves one key', async () => {
    const { app, key } = await endedKey(engine);
    await ask(app.guest(), key);
    const [request] = await requestsIn(app);
    const api = app.api(await app.given.owner());

    const four = await Promise.all(
      [1, 2, 3, 4].map(() => api.call('POST', `${API}/${String(request?.['id'])}/grant`, {})),
    );

    expect(four.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    const keys = await app.db.knex('invite_key').whereNull('deleted_at').select('email');
    expect(keys).toEqual([{ email: null }, { email: 'jo@acme.test' }]);
  });

  test('is declined with a reason, which its holder reads', async () => {
    const { app, key } = await endedKey(engine, { mail: true });
    await ask(app.guest(), key);
    const [request] = await requestsIn(app);
    const owner = app.as(await app.given.owner());
    const path = `/invitation-keys/requests/${String(request?.['id'])}`;

    await owner.submit(path, { reason: 'The course is over.' }, { action: `${path}/decline` });
    await app.settle();

    expect((await app.mailbox.next('jo@acme.test')).text).toContain('The course is over.');
    expect(await requestsIn(app, '?state=declined')).toHaveLength(1);
  });

  test('may be full or paused; a revoked one and one that can be guessed take no requests', async () => {
    const app = await startTestApp({ engine });
    const full = await app.given.invitationKey({ maxUses: 1 });
    await joinByBrowser(app.guest(), full.key);
    const api = app.api(await app.given.owner());
    const paused = await app.given.invitationKey();
    await api.call('POST', `/api/v1/invitation-keys/${paused.id}/pause`);
    const revoked = await app.given.invitationKey();
    const guest = app.guest();
    const beforehand = await guest.get(`/join/${revoked.key}`);
    await api.call('POST', `/api/v1/invitation-keys/${revoked.id}/revoke`);
    const csrf = /name="_csrf" value="([^"]+)"/.exec(beforehand.text)?.[1] ?? '';
    const h = new URL(beforehand.url).searchParams.get('h') ?? '';

    await ask(app.guest(), full.key);
    await ask(app.guest(), paused.key);
    const page = await guest.get(`/join/${revoked.key}`);
    await guest.post('/join/step/ask', { _csrf: csrf, h, name: 'Jo', email: 'jo@acme.test', message: '' });

    expect((await requestsIn(app)).map(({ reason }) => reason).sort()).toEqual(['paused', 'used_up']);
    expect(page.text).not.toContain('/join/step/ask');
  });

  test('is nobody else’s business: strangers and people without the right see nothing and decide nothing', async () => {
    const { app, key } = await endedKey(engine);
    await ask(app.guest(), key);
    const [request] = await requestsIn(app);
    const path = `${API}/${String(request?.['id'])}`;
    const nobody = app.api(await app.given.user());
    const technician = app.api(await app.given.technician());

    const answers = [
      await app.guest().call('GET', API),
      await nobody.call('GET', API),
      await nobody.call('GET', path),
      await technician.call('POST', `${path}/grant`, {}),
      await nobody.call('POST', `${path}/decline`, {}),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 403, 404, 404, 404]);
    expect((await requestsIn(app))[0]).toMatchObject({ state: 'open' });
  });

  test('gives nobody more than whoever answers could give', async () => {
    const { app, key } = await endedKey(engine, {
      profile: 'super-admin',
      maxUses: 1,
      email: 'jo@acme.test',
      emailProof: 'required',
    });
    await ask(app.guest(), key);
    const [request] = await requestsIn(app);
    const little = app.api(await app.given.administrator());

    const answer = await little.call('POST', `${API}/${String(request?.['id'])}/grant`, {});

    expect(answer.status).toBe(403);
    expect(await requestsIn(app)).toHaveLength(1);
  });

  test('lets a request lapse after a month, and forgets who it was after three more', async () => {
    const { app, key } = await endedKey(engine);
    await ask(app.guest(), key);
    const run = (): Promise<unknown> => app.house.domains.jobs.runNow('registration-key.tidy-requests');

    app.clock.advance(days(31));
    await run();
    expect((await requestsIn(app, '?state=lapsed'))[0]).toMatchObject({ email: 'jo@acme.test' });
    app.clock.advance(days(91));
    await run();

    expect((await requestsIn(app, '?state=lapsed'))[0]).toMatchObject({ email: '', name: '', message: '' });
  });
});

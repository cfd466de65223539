import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import type { HttpClient } from '../../../test/support/http-client.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { isScanner } from '../src/insight/scanners.ts';
import { PASSWORD, somebody } from './desk.ts';

const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1';

function phoneOf(app: TestApp): HttpClient {
  const browser = app.guest();
  browser.headers.set('user-agent', PHONE);
  return browser;
}

async function funnelOf(app: TestApp, id: string): Promise<Record<string, unknown>> {
  const owner = app.api(await app.given.owner());
  return (await owner.call('GET', `/api/v1/invitation-keys/${id}/funnel`)).json() as Record<string, unknown>;
}

test.each([
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36',
    false,
  ],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', false],
  [PHONE, false],
  ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', true],
  ['Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', true],
  ['WhatsApp/2.23.20.0', true],
  ['Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 HeadlessChrome/120.0', true],
  ['Mozilla/5.0 (Windows NT 6.1; Trident/7.0) SafeLinks', true],
  ['facebookexternalhit/1.1', true],
  ['curl/8.5.0', true],
  ['', true],
])('what calls itself %s is%s', (userAgent, isOne) => {
  expect(isScanner(userAgent)).toBe(isOne);
});

describeOnEachEngine('how far people come', (engine) => {
  test('is counted step by step, scanners apart, and looking changes nothing (C04)', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ maxUses: 1 });
    const before = await app.db.knex('invite_key').where({ id }).first<Record<string, unknown>>();

    for (const userAgent of ['curl/8.5.0', 'Slackbot 1.0', '']) {
      const scanner = app.guest();
      scanner.headers.set('user-agent', userAgent);
      await scanner.get(`/join/${key}`);
    }
    await app.request().head(`/join/${key}`).set('user-agent', PHONE).expect(303);
    // Says it is a phone, but never comes back with the cookie.
    await phoneOf(app).send(`/join/${key}`, { method: 'GET' });
    const curious = phoneOf(app);
    await curious.get(`/join/${key}`);
    await curious.get(`/join/${key}`);
    await curious.get(`/join/${key}`);
    for (let one = 0; one < 100; one += 1) await phoneOf(app).get(`/join/${key}`);

    expect(await app.db.knex('invite_key').where({ id }).first<Record<string, unknown>>()).toEqual(before);
    expect(await app.db.knex('invite_redemption').where({ key_id: id })).toEqual([]);
    expect(await app.db.knex('invite_attempt').where({ key_id: id })).toEqual([]);
    expect(await funnelOf(app, id)).toMatchObject({ opened: 101, scanners: 5, started: 0, joined: 0 });
  });

  test('knows the form that came back, why, and the first ticket of whoever joined', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    const { email, name } = somebody();
    const visitor = phoneOf(app);

    await visitor.submit(`/join/${key}`, { email, name, password: 'short' }, { action: '/join' });
    await visitor.submit(`/join/${key}`, { email, name, password: PASSWORD }, { action: '/join' });
    const person = await app.house.domains.users.findByEmail(email);
    if (!person) throw new Error('Nobody joined');
    await app.given.ticket({ requester: person });
    await app.given.ticket({ requester: person });
    await app.settle();

    expect(await funnelOf(app, id)).toEqual({
      opened: 1,
      scanners: 0,
      started: 1,
      failed: 1,
      failures: [{ reason: 'form', count: 1 }],
      created: 1,
      joined: 1,
      firstTicket: 1,
    });
    const page = await app.as(await app.given.owner()).get(`/invitation-keys/${id}`);
    expect(page.text).toContain('Opened by a person');
  });

  test('survives the end of a process, and is told to nobody who may not see the key', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    await phoneOf(app).get(`/join/${key}`);
    await app.house.domains.jobs.runNow('registration-key.count-visits');
    const other = await startTestApp({ engine, databaseUrl: app.databaseUrl, clock: app.clock });
    await phoneOf(other).get(`/join/${key}`);

    expect(await funnelOf(other, id)).toMatchObject({ opened: 2 });
    const stranger = app.api(await app.given.technician());
    for (const path of ['funnel', 'seats'])
      expect((await stranger.call('GET', `/api/v1/invitation-keys/${id}/${path}`)).status).toBe(404);
  });
});

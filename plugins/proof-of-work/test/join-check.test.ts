import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineSetting } from '../../../src/settings/index.ts';
import { minutes } from '../../../test/support/clock.ts';
import { describeOnEachEngine, type Engine } from '../../../test/support/databases.ts';
import { formsIn, type Answer, type HttpClient } from '../../../test/support/http-client.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { keyOf, somebody } from '../../registration-key/test/desk.ts';
import { solve } from '../src/puzzle.ts';

/** Where the work is light, so that tests are quick. */
async function easyHouse(engine: Engine, options: { mail?: boolean } = {}): Promise<TestApp> {
  const app = await startTestApp({ engine, ...options });
  await app.given.setting(
    defineSetting({ id: 'proof-of-work.difficulty', schema: z.number(), default: 14 }),
    8,
  );
  return app;
}

const challengeOn = (page: Answer): string =>
  String(formsIn(page.text).find(({ action }) => action === '/join')?.fields['check-challenge'] ?? '');

const solutionOf = (challenge: string): string => solve(challenge, Number(challenge.split('.')[2]));

async function formOf(app: TestApp, key: string): Promise<{ browser: HttpClient; form: Answer }> {
  const browser = app.guest();
  return { browser, form: await browser.get(`/join/${key}`) };
}

const send = (browser: HttpClient, form: Answer, values: Record<string, string> = {}): Promise<Answer> => {
  const { email, name, password } = somebody();
  return browser.submitShown(form, { email, name, password, ...values }, { action: '/join' });
};

const isIn = ({ url }: Answer): boolean => new URL(url).pathname === '/tickets/new';

describeOnEachEngine('a key that keeps machines out', (engine) => {
  test('lets in whoever has done the work; hashing waits for it, and the seat too', async () => {
    const app = await easyHouse(engine);
    const { key, id } = await app.given.invitationKey({ humanCheck: 'always', maxUses: 1 });
    const { browser, form } = await formOf(app, key);
    const hashed = app.house.domains.gate.hash.bind(app.house.domains.gate);
    let hashes = 0;
    app.house.domains.gate.hash = (...args) => {
      hashes += 1;
      return hashed(...args);
    };

    const without = await send(browser, form, { email: 'jo@acme.test', name: 'Jo Martin' });
    const wrong = await send(browser, without, { 'check-answer': '0.0' });
    expect([without.status, wrong.status]).toEqual([409, 409]);
    expect(without.text).toContain('value="jo@acme.test"');
    expect(hashes).toBe(0);
    expect(await keyOf(app, id)).toMatchObject({ uses: 0 });
    const done = await send(browser, wrong, { 'check-answer': solutionOf(challengeOn(wrong)) });

    expect(isIn(done)).toBe(true);
    expect(hashes).toBe(1);
  });

  test('takes each piece of work once, from the browser and for the key it was given to', async () => {
    const app = await easyHouse(engine);
    const { key } = await app.given.invitationKey({ humanCheck: 'always' });
    const { key: other } = await app.given.invitationKey({ humanCheck: 'always' });
    const { browser, form } = await formOf(app, key);
    const challenge = challengeOn(form);
    const work = { 'check-challenge': challenge, 'check-answer': solutionOf(challenge) };

    const stranger = await formOf(app, key);
    const stolen = await send(stranger.browser, stranger.form, work);
    const elsewhere = await formOf(app, other);
    const moved = await send(elsewhere.browser, elsewhere.form, work);
    const twin = app.guest();
    for (const [name, value] of browser.cookies) twin.cookies.set(name, value);
    const first = await send(browser, form, work);
    const again = await send(twin, form, { ...work, redeemId: randomUUID() });

    expect([stolen.status, moved.status, again.status]).toEqual([409, 409, 409]);
    expect(isIn(first)).toBe(true);
  });

  test('counts a form that is sent twice as one, and its work as done', async () => {
    const app = await easyHouse(engine);
    const { key, id } = await app.given.invitationKey({ humanCheck: 'always' });
    const { browser, form } = await formOf(app, key);
    const jo = somebody();
    const work = { 'check-answer': solutionOf(challengeOn(form)) };
    const values = { email: jo.email, name: jo.name, password: jo.password, ...work };

    await browser.submitShown(form, values, { action: '/join' });
    await browser.submitShown(form, values, { action: '/join' });

    expect(await keyOf(app, id)).toMatchObject({ uses: 1 });
  });

  test('does not take work that is half an hour old', async () => {
    const app = await easyHouse(engine);
    const { key } = await app.given.invitationKey({ humanCheck: 'always' });
    const { browser, form } = await formOf(app, key);
    app.clock.advance(minutes(31));

    const late = await send(browser, form, { 'check-answer': solutionOf(challengeOn(form)) });
    const done = await send(browser, late, { 'check-answer': solutionOf(challengeOn(late)) });

    expect(late.status).toBe(409);
    expect(isIn(done)).toBe(true);
  });

  test('lets people without scripts wait instead, where their address is proven afterwards', async () => {
    const app = await easyHouse(engine, { mail: true });
    const proven = await app.given.invitationKey({ humanCheck: 'always', emailProof: 'required' });
    const unproven = await app.given.invitationKey({ humanCheck: 'always' });
    const { browser, form } = await formOf(app, proven.key);

    const early = await send(browser, form);
    expect(early.text).toContain('too quick');
    expect(challengeOn(early)).toBe(challengeOn(form));
    app.clock.advance(minutes(1));
    const waited = await send(browser, early);
    const other = await formOf(app, unproven.key);
    app.clock.advance(minutes(1));
    const refused = await send(other.browser, other.form);

    expect(waited.url).toContain('/join/step/waiting');
    expect(refused.text).toContain('needs JavaScript');
  });

  test('asks only when it is busy, if it is told so', async () => {
    const app = await easyHouse(engine);
    const { key } = await app.given.invitationKey({ humanCheck: 'busy', maxUses: 100 });
    expect(challengeOn((await formOf(app, key)).form)).toBe('');
    for (let one = 0; one < 20; one += 1)
      await app.guest().call('POST', '/api/v1/join', { key, ...somebody() });

    const { browser, form } = await formOf(app, key);
    const machine = await app.guest().call('POST', '/api/v1/join', { key, ...somebody() });

    expect(challengeOn(form)).not.toBe('');
    expect(machine.status).toBe(409);
    expect(isIn(await send(browser, form, { 'check-answer': solutionOf(challengeOn(form)) }))).toBe(true);
  });

  test('is joined by a program that asks for its check and does the work', async () => {
    const app = await easyHouse(engine);
    const { key } = await app.given.invitationKey({ humanCheck: 'always' });
    const newcomer = { key, ...somebody(), redeemId: randomUUID() };
    const program = app.guest();

    const bare = await program.call('POST', '/api/v1/join', newcomer);
    const asked = await program.call('POST', '/api/v1/join/checks', { key, redeemId: newcomer.redeemId });
    const [check] = (asked.json() as { checks: { challenge: Record<string, string> }[] }).checks;
    const text = check?.challenge['check-challenge'] ?? '';
    const checks = { 'check-challenge': text, 'check-answer': solutionOf(text) };
    const done = await program.call('POST', '/api/v1/join', { ...newcomer, checks });

    expect([bare.status, done.status]).toEqual([409, 201]);
  });

  test('lets nobody in while nobody can check, and says so', async () => {
    const app = await easyHouse(engine);
    const { key, id } = await app.given.invitationKey({ humanCheck: 'always' });
    const owner = app.as(await app.given.owner());
    await owner.submit('/admin/plugins', {}, { action: '/admin/plugins/proof-of-work/disable' });
    const { browser, form } = await formOf(app, key);

    const done = await send(browser, form);

    expect(done.status).toBe(503);
    expect(await keyOf(app, id)).toMatchObject({ uses: 0 });
  });

  test('is the administrator’s choice, key by key, and on record', async () => {
    const app = await easyHouse(engine);
    const owner = app.as(await app.given.owner());
    const { id } = await app.given.invitationKey();
    const api = app.api(await app.given.owner());
    const { version } = (await api.call('GET', `/api/v1/invitation-keys/${id}`)).json() as {
      version: number;
    };

    expect((await owner.get('/invitation-keys/new')).text).toContain('name="humanCheck"');
    await owner.submit(
      `/invitation-keys/${id}/edit`,
      { humanCheck: 'always' },
      { action: `/invitation-keys/${id}/edit` },
    );

    expect(await keyOf(app, id)).toMatchObject({ humanCheck: 'always', version: version + 1 });
  });
});

import { expect, test, vi } from 'vitest';
import { registrationPaused } from '../../../../src/settings/index.ts';
import { afterwards } from '../../../../test/support/cleanup.ts';
import { days, minutes } from '../../../../test/support/clock.ts';
import { describeOnEachEngine } from '../../../../test/support/databases.ts';
import type { Answer, HttpClient } from '../../../../test/support/http-client.ts';
import { startTestApp, type TestApp, type TestAppOptions } from '../../../../test/support/test-app.ts';
import { joinByApi, PASSWORD, redemptionsOf, somebody } from '../desk.ts';
import { codeOf, groupOf, groupsOf, isSignedIn, pathOf, revoke, uses, usersIn, words } from './place.ts';

const UNKNOWN = 'lkinv_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN';
const iso = (at: number): string => new Date(at).toISOString();
const check = (client: HttpClient, key: string): Promise<Answer> =>
  client.call('POST', '/api/v1/invitation-keys/check', { key });

/** How many statements about invitations the house sends while `work` runs; what it does besides is its own business. */
async function statementsOf(app: TestApp, work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const note = ({ sql }: { sql: string }): void => void (count += sql.includes('invite_') ? 1 : 0);
  app.db.knex.on('query', note);
  await work();
  app.db.knex.removeListener('query', note);
  return count;
}

describeOnEachEngine('checking, case by case', (engine) => {
  const start = (options: TestAppOptions = {}): Promise<TestApp> => startTestApp({ engine, ...options });

  test('C01 a live key is valid, and only the agreed fields are told', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey({ label: 'Not for you', note: 'Hello' });

    const answer = await check(app.guest(), key);

    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json() as object).sort()).toEqual([
      'expiresAt',
      'organisation',
      'requiresApproval',
      'requiresEmailProof',
      'valid',
    ]);
    expect(await uses(app, id)).toBe(0);
  });

  test('C02 an unknown key is answered like any refusal', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey();
    await revoke(app, id);

    const unknown = await check(app.guest(), UNKNOWN);
    const refused = await check(app.guest(), key);

    expect([unknown.status, refused.status]).toEqual([200, 200]);
    expect(Object.keys(unknown.json() as object)).toEqual(Object.keys(refused.json() as object));
    expect(Object.keys(unknown.headers).sort()).toEqual(Object.keys(refused.headers).sort());
  });

  test('C03 who tries many unknown keys is told to wait, and may go on after that time', async () => {
    const app = await start();
    const stranger = app.guest();

    const answers: Answer[] = [];
    for (let tries = 0; tries <= 30; tries += 1) answers.push(await check(stranger, UNKNOWN));
    const last = answers.at(-1);
    const wait = Number(last?.headers['retry-after']);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + (wait + 1) * 1000 });
    afterwards(() => void vi.useRealTimers());

    expect(answers.slice(0, 30).every(({ status }) => status === 200)).toBe(true);
    expect(last?.status).toBe(429);
    expect(wait).toBeGreaterThan(0);
    expect((await check(stranger, UNKNOWN)).status).toBe(200);
  });

  test('C04 opening the link a hundred times, also by scanners and by HEAD, takes nothing and starts nothing', async () => {
    const app = await start({ mail: true });
    const { id, key } = await app.given.invitationKey({ maxUses: 1 });
    const agents = [
      'Mozilla/5.0 (iPhone)',
      'Microsoft Office/16.0 SafeLinks',
      'GoogleImageProxy',
      'Slackbot 1.0',
    ];

    for (let time = 0; time < 100; time += 1) {
      const scanner = app.guest();
      scanner.headers.set('user-agent', agents[time % agents.length] ?? '');
      await scanner.get(`/join/${key}`);
      expect(await isSignedIn(scanner)).toBe(false);
    }
    await app.request().head(`/join/${key}`);

    expect(await uses(app, id)).toBe(0);
    expect((await redemptionsOf(app, id)).total).toBe(0);
    expect(app.mailbox.letters).toHaveLength(0);
    expect((await joinByApi(app, key, somebody())).status).toBe(201);
  }, 60_000);

  test('C05 while joining is switched off, checking and redeeming are refused for the same reason', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey();
    await app.given.setting(registrationPaused, true);

    const checked = await check(app.guest(), key);
    const redeemed = await joinByApi(app, key, somebody());

    expect(checked.json()).toMatchObject({ valid: false, code: 'invitation.paused' });
    expect([redeemed.status, codeOf(redeemed)]).toEqual([503, 'invitation.paused']);
    expect(await uses(app, id)).toBe(0);
  });

  test('C06 an expired or full key gives nothing of what it would have given, to nobody', async () => {
    const app = await start();
    const groups = [await groupOf(app, 'Paris')];
    const end = app.clock.now() + minutes(1);
    const expired = await app.given.invitationKey({ groups, expiresAt: iso(end) });
    const full = await app.given.invitationKey({ groups, maxUses: 1 });
    await joinByApi(app, full.key, somebody());
    const member = await app.given.user({ email: 'jo@acme.test' });
    app.clock.set(end);
    const before = await usersIn(app);

    for (const { key } of [expired, full]) {
      expect((await joinByApi(app, key, somebody())).status).toBe(410);
      const page = await app.as(member).get(`/join/${key}`);
      expect(page.text).not.toContain('/join/step/add');
    }

    expect(await usersIn(app)).toBe(before);
    expect(await groupsOf(app, 'jo@acme.test')).toEqual([]);
  });

  test('C07 the address of a bound key is masked to a stranger, and shown to who opens it from that mailbox', async () => {
    const app = await start({ mail: true });
    const { id, key } = await app.given.invitationKey({
      email: 'josephine@acme.test',
      maxUses: 1,
      emailProof: 'required',
    });
    await app
      .as(await app.given.owner())
      .submit(`/invitation-keys/${id}`, {}, { action: `/invitation-keys/${id}/send` });
    const letter = await app.mailbox.next('josephine@acme.test');

    const stranger = await app.guest().get(`/join/${key}`);
    const owner = await app.guest().get(new URL(letter.links[0] ?? '').pathname);

    expect(stranger.text).not.toContain('josephine@acme.test');
    expect(words(stranger.text)).toContain('jo…@acme.test');
    expect(owner.text).toContain('value="josephine@acme.test"');
  });

  test('C09 before it opens, a key is refused, and its holder learns when; a stranger learns nothing', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey({ notBefore: iso(app.clock.now() + days(3)) });

    const checked = await check(app.guest(), key);
    const redeemed = await joinByApi(app, key, somebody());
    const holder = await app.guest().get(`/join/${key}`);
    const stranger = await app.guest().get(`/join/${UNKNOWN}`);

    expect(checked.json()).toMatchObject({ valid: false, code: 'invitation.not_yet' });
    expect([redeemed.status, await uses(app, id)]).toEqual([403, 0]);
    expect(words(holder.text)).toContain('It opens on');
    expect(words(stranger.text)).not.toContain('It opens on');
  });

  test('C11 what is mistyped is told from the symbols alone: no statement, no guess counted, and the place is named', async () => {
    const app = await start();
    const { key } = await app.given.invitationKey();
    const at = 6 + 17;
    const other = key[at] === 'A' ? 'B' : 'A';
    const wrong = key.slice(0, at) + other + key.slice(at + 1);
    const swapped = key.slice(0, 8) + (key[9] ?? '') + (key[8] ?? '') + key.slice(10);
    const texts = [wrong, key[8] === key[9] ? wrong : swapped, key.slice(0, 20) + key.slice(21), `${key}7`];
    await check(app.guest(), key);

    const count = await statementsOf(app, async () => {
      for (let round = 0; round < 15; round += 1) {
        for (const text of texts) {
          expect((await check(app.guest(), text)).json()).toMatchObject({
            valid: false,
            code: 'invitation.malformed',
          });
        }
      }
    });
    const page = await app.guest().get(`/join/${wrong}`);

    expect(count).toBe(0);
    expect((await check(app.guest(), wrong)).json()).toMatchObject({ group: 5 });
    expect(words(page.text)).toContain('Group 5 looks wrong');
    expect(page.status).toBe(404);
  });

  test('C12 a key cut at any length is malformed', async () => {
    const app = await start();
    const { key } = await app.given.invitationKey();

    for (let length = 1; length <= 31; length += 1) {
      const answer = await check(app.guest(), key.slice(0, 6 + length));
      expect(answer.json()).toMatchObject({ valid: false, code: 'invitation.malformed' });
    }
  });

  test('C14 a key of another kind with a sound checksum is malformed', async () => {
    const app = await start();

    for (const text of ['lknet_WR0ZKX7BHVCNRDJ23KYQFM817EBC758W', UNKNOWN.replace('lkinv_', 'lkpat_')]) {
      expect((await check(app.guest(), text)).json()).toMatchObject({
        valid: false,
        code: 'invitation.malformed',
      });
    }
  });

  test('C15 a refusal repeats the key nowhere: not in the page, its address, its headers, nor in JSON', async () => {
    const app = await start();
    const { id, key } = await app.given.invitationKey();
    await revoke(app, id);
    const body = key.slice(6);
    const mistyped = `${key.slice(0, 20)}U${key.slice(21)}`;

    for (const text of [key, UNKNOWN, mistyped]) {
      const phone = app.guest();
      const [page, api, join] = [
        await phone.get(`/join/${text}`),
        await check(app.guest(), text),
        await joinByApi(app, text, somebody({ password: PASSWORD })),
      ];
      for (const answer of [page, api, join]) {
        const said = answer.text + JSON.stringify(answer.headers);
        expect(said).not.toContain(text.slice(6));
        expect(said).not.toContain(body);
      }
    }
    expect(pathOf(await app.guest().get(`/join/${key}`))).toBe('/join');
  });
});

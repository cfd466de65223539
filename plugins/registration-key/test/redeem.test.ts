import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import type { Answer } from '../../../test/support/http-client.ts';
import { startTestApp } from '../../../test/support/test-app.ts';
import {
  joinByApi,
  joinByBrowser,
  keyOf,
  PASSWORD,
  redemptionsOf,
  somebody,
  somebodyElsewhere,
  statusesOf,
} from './desk.ts';

const codeOf = (answer: Answer): string => String(answer.json().code);
const stateOf = (answer: Answer): string => String(answer.json().status);

describeOnEachEngine('redeeming a key', (engine) => {
  test('ten at once for one place: one gets in, the others are told politely', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ maxUses: 1 });

    const answers = await Promise.all(Array.from({ length: 10 }, () => joinByApi(app, key, somebody())));

    expect(statusesOf(answers)).toEqual({ 201: 1, 410: 9 });
    expect(answers.filter(({ status }) => status === 410).map(codeOf)).toEqual(
      Array(9).fill('invitation.used_up'),
    );
    expect(await keyOf(app, id)).toMatchObject({ uses: 1, status: 'used-up' });
    expect((await redemptionsOf(app, id)).total).toBe(1);
  });

  test('sixty at once for ten places: exactly ten', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ maxUses: 10 });

    const answers = await Promise.all(Array.from({ length: 60 }, () => joinByApi(app, key, somebody())));

    expect(statusesOf(answers)).toEqual({ 201: 10, 410: 50 });
    expect(await keyOf(app, id)).toMatchObject({ uses: 10 });
    const { items } = await redemptionsOf(app, id);
    expect(items.map(({ seat }) => seat).sort((one, other) => Number(one) - Number(other))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
    expect(new Set(items.map(({ userId }) => userId)).size).toBe(10);
  }, 60_000);

  test('in a class that is seated together, somebody who has an account already stops nobody', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ maxUses: 40 });
    await joinByApi(app, (await app.given.invitationKey()).key, somebody({ email: 'known@acme.test' }));
    const pupils = Array.from({ length: 24 }, (_, at) =>
      somebody(at % 6 === 2 ? { email: 'Known@acme.test' } : {}),
    );

    const answers = await Promise.all(pupils.map((pupil) => joinByApi(app, key, pupil)));

    expect(answers.map(stateOf)).toEqual(pupils.map((_, at) => (at % 6 === 2 ? 'pending_email' : 'active')));
    expect(await keyOf(app, id)).toMatchObject({ uses: 20 });
    const { items } = await redemptionsOf(app, id);
    expect(new Set(items.map(({ seat }) => seat)).size).toBe(20);
    expect(new Set(items.map(({ userId }) => userId)).size).toBe(20);
  }, 60_000);

  test('the same form sent ten times at once is one account and one place', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    const jo = somebody();

    const answers = await Promise.all(Array.from({ length: 10 }, () => joinByApi(app, key, jo)));

    expect(statusesOf(answers)).toEqual({ 201: 10 });
    expect(answers.map(stateOf)).toEqual(Array(10).fill('active'));
    expect(await keyOf(app, id)).toMatchObject({ uses: 1 });
  });

  test('one address with ten forms is one account and one place', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();

    const answers = await Promise.all(
      Array.from({ length: 10 }, () => joinByApi(app, key, somebody({ email: 'jo@acme.test' }))),
    );

    expect(answers.filter((answer) => answer.json().status === 'active')).toHaveLength(1);
    expect(statusesOf(answers)).toEqual({ 201: 10 });
    expect(await keyOf(app, id)).toMatchObject({ uses: 1 });
  });

  test('a form sent again with another address is refused, and nothing is taken', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    const jo = somebody();
    await joinByApi(app, key, jo);

    const again = await joinByApi(app, key, { ...jo, email: 'other@acme.test' });

    expect(again.status).toBe(409);
    expect(again.json().code).toBe('invitation.redeem_id_reused');
    expect(await keyOf(app, id)).toMatchObject({ uses: 1 });
  });

  test('works to the millisecond before the end, and not at it', async () => {
    const app = await startTestApp({ engine });
    const end = app.clock.now() + 60_000;
    const { key } = await app.given.invitationKey({ expiresAt: new Date(end).toISOString() });

    app.clock.set(end - 1);
    const before = await joinByApi(app, key, somebody());
    app.clock.set(end);
    const at = await joinByApi(app, key, somebody());

    expect(before.status).toBe(201);
    expect([at.status, at.json().code]).toEqual([410, 'invitation.expired']);
  });

  test('before the beginning is refused, and at it lets in', async () => {
    const app = await startTestApp({ engine });
    const start = app.clock.now() + 60_000;
    const { key } = await app.given.invitationKey({ notBefore: new Date(start).toISOString() });

    const early = await joinByApi(app, key, somebody());
    app.clock.set(start);
    const then = await joinByApi(app, key, somebody());

    expect([early.status, early.json().code, then.status]).toEqual([403, 'invitation.not_yet', 201]);
  });

  test('a key that is revoked while somebody types lets them in no more, and keeps what they typed', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    const browser = app.guest();
    const form = await browser.get(`/join/${key}`);
    await app.api(await app.given.owner()).call('POST', `/api/v1/invitation-keys/${id}/revoke`);

    const late = await browser.submitShown(form, {
      email: 'jo@acme.test',
      name: 'Jo Martin',
      password: PASSWORD,
    });

    expect(late.status).toBe(410);
    expect(late.text).toContain('no longer active');
    expect(await keyOf(app, id)).toMatchObject({ uses: 0, status: 'revoked' });
  });

  test('a key that fills while somebody types says so, and keeps name and address but not the password', async () => {
    const app = await startTestApp({ engine });
    const { key } = await app.given.invitationKey({ maxUses: 1 });
    const browser = app.guest();
    const form = await browser.get(`/join/${key}`);
    await joinByApi(app, key, somebody());

    const late = await browser.submitShown(form, {
      email: 'late@acme.test',
      name: 'Late Larry',
      password: PASSWORD,
    });

    expect(late.status).toBe(409);
    expect(late.text).toContain('The last place was just taken');
    expect(late.text).toContain('value="late@acme.test"');
    expect(late.text).toContain('value="Late Larry"');
    expect(late.text).not.toContain(PASSWORD);
  });

  test('a paused key lets nobody in until it is resumed', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    const owner = app.api(await app.given.owner());
    await owner.call('POST', `/api/v1/invitation-keys/${id}/pause`);

    const paused = await joinByApi(app, key, somebody());
    await owner.call('POST', `/api/v1/invitation-keys/${id}/resume`);
    const resumed = await joinByApi(app, key, somebody());

    expect([paused.status, paused.json().code, resumed.status]).toEqual([503, 'invitation.paused', 201]);
  });

  test('a restored key opens again, a replaced one only with its new text', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    const owner = app.api(await app.given.owner());
    await owner.call('POST', `/api/v1/invitation-keys/${id}/revoke`);
    expect((await owner.call('POST', `/api/v1/invitation-keys/${id}/revoke`)).status).toBe(409);
    await owner.call('POST', `/api/v1/invitation-keys/${id}/restore`);
    expect((await joinByApi(app, key, somebody())).status).toBe(201);

    const rotated = (await owner.call('POST', `/api/v1/invitation-keys/${id}/rotate`)).json();

    expect((await joinByApi(app, key, somebody())).status).toBe(404);
    expect((await joinByApi(app, rotated.key, somebody())).status).toBe(201);
    expect(await keyOf(app, id)).toMatchObject({ uses: 2 });
  });

  test('a cap that is raised lets exactly one more in; it cannot fall below what is used', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ maxUses: 1 });
    const owner = app.api(await app.given.owner());
    await joinByApi(app, key, somebody());
    const { version } = await keyOf(app, id);

    const raised = await owner.call('PATCH', `/api/v1/invitation-keys/${id}`, { version, maxUses: 2 });
    const stale = await owner.call('PATCH', `/api/v1/invitation-keys/${id}`, { version, maxUses: 3 });
    const answers = await Promise.all([1, 2, 3].map(() => joinByApi(app, key, somebody())));
    const lowered = await owner.call('PATCH', `/api/v1/invitation-keys/${id}`, {
      version: raised.json().version,
      maxUses: 1,
    });

    expect([raised.status, stale.status, stale.json().code]).toEqual([
      200,
      409,
      'invitation.changed_meanwhile',
    ]);
    expect(statusesOf(answers)).toEqual({ 201: 1, 410: 2 });
    expect(lowered.status).toBe(400);
    expect(lowered.json().errors[0].code).toBe('invitation.below_used');
  });

  test('a field that the form does not have is refused, and gives nothing', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();

    for (const more of [
      { profile: 'super-admin' },
      { groups: ['x'] },
      { approved: true },
      { entity: 'x' },
      { isAdmin: true },
    ]) {
      expect((await joinByApi(app, key, somebody(), more)).status).toBe(400);
    }
    expect(await keyOf(app, id)).toMatchObject({ uses: 0 });
  });

  test('a form that is wrong takes no place, and tells which field', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ maxUses: 1 });

    const short = await joinByApi(app, key, somebody({ password: 'short' }));
    const nameless = await joinByApi(app, key, somebody({ name: '  ' }));
    const fixed = await joinByApi(app, key, somebody());

    expect([short.status, short.json().errors[0].field]).toEqual([400, 'password']);
    expect([nameless.status, nameless.json().errors[0].field]).toEqual([400, 'name']);
    expect(fixed.status).toBe(201);
    expect(await keyOf(app, id)).toMatchObject({ uses: 1 });
  });

  test('opening a link a hundred times takes nothing, writes nothing and mails nobody', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ maxUses: 1 });
    const before = await keyOf(app, id);
    const scanner = app.guest();

    for (let time = 0; time < 50; time += 1) await scanner.get(`/join/${key}`);

    expect(await keyOf(app, id)).toEqual(before);
    expect(scanner.cookies.size).toBeLessThan(4);
  });

  test('a mistyped key names the group and is never repeated', async () => {
    const app = await startTestApp({ engine });
    const { key } = await app.given.invitationKey();
    const wrong = key.slice(0, 24) + (key[24] === '0' ? '2' : '0') + key.slice(25);

    const page = await app.guest().get(`/join/${wrong}`);
    const check = await app.guest().call('POST', '/api/v1/invitation-keys/check', { key: wrong });

    expect(page.status).toBe(404);
    expect(page.text).toContain('Group 5 looks wrong');
    expect(page.text).not.toContain(wrong.slice(6));
    expect(check.json()).toEqual({ valid: false, code: 'invitation.malformed', group: 5 });
  });

  test('an existing account joins by one button, once, and gets what the key gives', async () => {
    const app = await startTestApp({ engine });
    const entities = await app.house.domains.memberships.entities();
    const { id, key } = await app.given.invitationKey({ maxUses: 2 });
    const browser = app.as(await somebodyElsewhere(app));

    const asked = await browser.get(`/join/${key}`);
    const added = await browser.submitShown(asked, {}, { action: '/join/step/add' });
    const again = await browser.get(`/join/${key}`);

    expect(asked.text).toContain(`Add ${entities[0]?.path ?? ''} to your account?`);
    expect(added.status).toBe(200);
    expect(again.text).toContain('You have used this invitation already');
    expect(await keyOf(app, id)).toMatchObject({ uses: 1 });
  });

  test('an account to which a key gives nothing new takes no place, whatever state the key is in', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ maxUses: 1 });
    const member = await app.given.user();
    const browser = app.as(member);

    const page = await browser.get(`/join/${key}`);
    const h = new URL(page.url).searchParams.get('h') ?? '';
    const _csrf = /name="_csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const forced = await browser.post('/join/step/add', { h, _csrf });
    const byToken = await app.api(member).call('POST', '/api/v1/join/me', { key });
    const ofTheDesk = await app.as(await app.given.technician()).get(`/join/${key}`);
    const free = await keyOf(app, id);
    const last = await joinByApi(app, key, somebody());
    const full = await browser.get(`/join/${key}`);

    expect([page.status, forced.status, last.status]).toEqual([200, 303, 201]);
    for (const { text } of [page, ofTheDesk, full]) {
      expect(text).toContain('You already have an account here');
      expect(text).not.toContain('/join/step/add');
    }
    expect([byToken.status, byToken.json().status]).toEqual([200, 'nothing-new']);
    expect(free).toMatchObject({ uses: 0 });
    expect((await redemptionsOf(app, id)).items).toMatchObject([{ how: 'new' }]);
  });

  test('an existing account joins by its token, once, and answers what is asked', async () => {
    const app = await startTestApp({ engine });
    const person = await app.given.user();
    const { id, key } = await app.given.invitationKey({
      maxUses: 2,
      carries: { questions: [{ label: 'Floor', kind: 'text', required: true }] },
    });
    const join = (body: object): Promise<Answer> => app.api(person).call('POST', '/api/v1/join/me', body);
    const name = (
      (await app.guest().call('POST', '/api/v1/join', { key, ...somebody() })).json() as {
        errors: { field: string }[];
      }
    ).errors[0]?.field.replace('answer-', '');

    const unasked = await join({ key });
    const joined = await join({ key, answers: { [name ?? '']: 'Third' } });
    const again = await join({ key, answers: { [name ?? '']: 'Third' } });
    const stranger = await app.guest().call('POST', '/api/v1/join/me', { key });
    const more = await join({ key, profile: 'super-admin' });

    expect(unasked.status).toBe(400);
    expect([joined.status, joined.json().status]).toEqual([201, 'joined']);
    expect([again.status, again.json().status]).toEqual([200, 'already']);
    expect([stranger.status, more.status]).toEqual([401, 400]);
    expect(await keyOf(app, id)).toMatchObject({ uses: 1 });
    expect((await redemptionsOf(app, id)).items).toMatchObject([
      { how: 'existing', userId: person.id, answers: [{ question: 'Floor', answer: 'Third' }] },
    ]);
  });

  test('a key of the one domain refuses other addresses and says which it takes', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({
      emailDomains: ['acme.test'],
      emailProof: 'required',
    });

    const refused = await joinByApi(app, key, somebody({ email: 'jo@notacme.test' }));

    expect([refused.status, refused.json().code]).toEqual([422, 'invitation.wrong_domain']);
    expect(refused.json().detail).toContain('@acme.test');
    expect(await keyOf(app, id)).toMatchObject({ uses: 0 });
  });

  test('a key for one person refuses everybody else, and shows strangers only part of the address', async () => {
    const app = await startTestApp({ engine });
    const { key } = await app.given.invitationKey({
      email: 'josephine@acme.test',
      maxUses: 1,
      emailProof: 'required',
    });

    const page = await app.guest().get(`/join/${key}`);
    const refused = await joinByApi(app, key, somebody({ email: 'other@acme.test' }));

    expect(page.text).toContain('jo…@acme.test');
    expect(page.text).not.toContain('josephine');
    expect([refused.status, refused.json().code]).toEqual([422, 'invitation.wrong_email']);
  });

  test('two tabs with two keys never swap them', async () => {
    const app = await startTestApp({ engine });
    const paris = await app.given.invitationKey();
    const lyon = await app.given.invitationKey();
    const browser = app.guest();
    const first = await browser.get(`/join/${paris.key}`);
    await browser.get(`/join/${lyon.key}`);

    const joined = await browser.submitShown(first, {
      email: 'jo@acme.test',
      name: 'Jo',
      password: PASSWORD,
    });

    expect(joined.status).toBe(200);
    expect(await keyOf(app, paris.id)).toMatchObject({ uses: 1 });
    expect(await keyOf(app, lyon.id)).toMatchObject({ uses: 0 });
  });

  test('unknown keys are counted by address, and known ones still open', async () => {
    const app = await startTestApp({ engine });
    const { key } = await app.given.invitationKey();
    const { mintToken } = await import('../../../src/plugin-api.ts');
    const guesses = await Promise.all(
      Array.from({ length: 40 }, () =>
        app.guest().call('POST', '/api/v1/invitation-keys/check', { key: mintToken('lkinv_') }),
      ),
    );

    const known = await app.guest().call('POST', '/api/v1/invitation-keys/check', { key });

    expect(statusesOf(guesses)).toMatchObject({ 429: 10 });
    expect(guesses.find(({ status }) => status === 429)?.headers['retry-after']).toBeDefined();
    expect(known.json().valid).toBe(true);
    expect((await joinByBrowser(app.guest(), key)).status).toBe(200);
  });
});

import { expect, test } from 'vitest';
import { FormData } from 'undici';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { days, hours } from '../../../test/support/clock.ts';
import type { HttpClient } from '../../../test/support/http-client.ts';
import { cliActor } from '../../../src/shared/actor.ts';
import { TooManyError } from '../../../src/shared/errors.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { ROOT_ENTITY_ID } from '../../../src/identity/index.ts';
import { joinByApi, joinByBrowser, keyOf, somebody } from './desk.ts';

const ROUNDS = '/api/v1/invitation-keys/rounds';

/** With a token of today. */
const owner = async (app: TestApp): Promise<HttpClient> => app.api(await app.given.owner());

const until = async (is: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await is()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('It never came to that');
};

const stateOf = async (api: HttpClient, id: string): Promise<string> =>
  String((await api.call('GET', `${ROUNDS}/${id}`)).json().state);

const people = (count: number): string =>
  Array.from({ length: count }, (_, at) => `p${String(at)}@acme.test`).join('\n');

const isDone = async (api: HttpClient, id: string): Promise<void> =>
  until(async () => (await stateOf(api, id)) === 'done');

async function listed(api: HttpClient, people: string, more: object = {}): Promise<string> {
  const answer = await api.call('POST', ROUNDS, { people, ...more });
  expect(answer.status).toBe(201);
  return String(answer.json().id);
}

const sendRounds = (app: TestApp): Promise<void> =>
  app.house.domains.jobs.runNow('registration-key.send-rounds');

describeOnEachEngine('a list of people', (engine) => {
  test('is sorted before anybody is written to, keeps every line, and can be put right', async () => {
    const app = await startTestApp({ engine, mail: true });
    const api = app.api(await app.given.owner());
    await app.given.user({ email: 'has@acme.test' });
    const people = 'a@acme.test\nnot an address\nA@acme.test\nhas@acme.test\n';

    const id = await listed(api, people);
    const found = (await api.call('GET', `${ROUNDS}/${id}/lines`)).json();
    const wrong = found.items[1];
    await api.call('POST', `${ROUNDS}/${id}/correct`, {
      corrections: [{ lineId: wrong.id, email: 'Jo <jo@acme.test>' }],
    });
    const after = (await api.call('GET', `${ROUNDS}/${id}`)).json();

    expect(found.items).toMatchObject([
      { line: 1, email: 'a@acme.test', verdict: 'ready' },
      { line: 2, written: 'not an address', verdict: 'malformed', reason: 'no_address' },
      { line: 3, verdict: 'duplicate', reason: 'duplicate' },
      { line: 4, verdict: 'has-account' },
    ]);
    expect(after.lines).toMatchObject({ ready: 2, malformed: 0, duplicate: 1, 'has-account': 1 });
    expect(app.mailbox.letters).toEqual([]);
  });

  test('M19 of more people than allowed at once is refused, and nothing is kept', async () => {
    const app = await startTestApp({ engine });
    const api = app.api(await app.given.owner());
    const people = Array.from({ length: 10_001 }, (_, at) => `p${String(at)}@acme.test`).join('\n');

    const refused = await api.call('POST', ROUNDS, { people });
    const kept = (await api.call('GET', ROUNDS)).json();

    expect([refused.status, refused.json().errors[0].code]).toEqual([422, 'round.too_many']);
    expect(kept.total).toBe(0);
  });

  test('is judged by the rules of the key it is for', async () => {
    const app = await startTestApp({ engine, mail: true });
    const api = app.api(await app.given.owner());
    const { id: keyId } = await app.given.invitationKey({
      emailProof: 'required',
      emailDomains: ['acme.test'],
    });
    await api.call('POST', `/api/v1/invitation-keys/${keyId}/invited`, { emails: ['b@acme.test'] });

    const id = await listed(api, 'a@acme.test, b@acme.test, c@elsewhere.test', { keyId });

    expect((await api.call('GET', `${ROUNDS}/${id}`)).json().lines).toMatchObject({
      ready: 1,
      invited: 1,
      refused: 1,
    });
  });

  test('gives each of its people a key of their own, whose mail proves the address at once', async () => {
    const app = await startTestApp({ engine, mail: true });
    const api = app.api(await app.given.owner());
    const id = await listed(api, 'email;nom;langue\na@acme.test;Ana;fr\nb@acme.test;Bo;en');

    const started = await api.call('POST', `${ROUNDS}/${id}/start`, {
      kind: 'personal',
      message: 'Bis <b>bald</b>\nMarie',
      key: { label: 'Class of 2026' },
    });
    await isDone(api, id);
    const letter = await app.mailbox.next('a@acme.test');
    const browser = app.guest();
    const token =
      letter.links
        .find((link) => link.includes('/join/'))
        ?.split('/')
        .at(-1) ?? '';
    const joined = await joinByBrowser(browser, token, { email: 'a@acme.test' });
    await app.settle();
    const { mails } = (await api.call('GET', `${ROUNDS}/${id}`)).json();

    expect(started.status).toBe(200);
    expect(letter.subject).toContain('vous invite');
    expect(letter.html).toContain('Bis &lt;b&gt;bald&lt;/b&gt;<br>Marie');
    expect(letter.text).toContain('Bis <b>bald</b>\nMarie');
    expect(new URL(joined.url).pathname).toBe('/tickets/new');
    expect(mails.joined).toBe(1);
    expect((await app.mailbox.next('b@acme.test')).subject).toContain('invited you');
  });

  test('knows its people by name: nobody types it again, and a table says who is in and who is not', async () => {
    const app = await startTestApp({ engine, mail: true });
    const api = app.api(await app.given.owner());
    const id = await listed(api, 'Name,E-mail,Badge\n=Ana Lund,ana@acme.test,B1\nBo,bo@acme.test,B2');
    await api.call('POST', `${ROUNDS}/${id}/start`, { kind: 'personal' });
    await isDone(api, id);
    const [link = ''] = (await app.mailbox.next('bo@acme.test')).links;
    const phone = app.guest();
    const form = await phone.get(new URL(link).pathname);
    await phone.submitShown(form, { password: 'four quiet words here' }, { action: '/join' });
    const path = `/invitation-keys/rounds/${id}/export.csv`;
    const manager = app.as(await app.given.owner());

    const everybody = await manager.get(path);
    const missing = await manager.get(`${path}?show=missing`);
    const again = await app.guest().get(new URL(link).pathname);
    const refused = await app.as(await app.given.user()).get(path);

    expect(form.text).toContain('value="Bo"');
    expect((await app.house.domains.users.findByEmail('bo@acme.test'))?.name).toBe('Bo');
    expect(everybody.headers['content-type']).toContain('text/csv');
    expect(everybody.text).toMatch(/^2,ana@acme\.test,'=Ana Lund,.*,\r$/m);
    expect(everybody.text).toMatch(/^3,bo@acme\.test,Bo,.*,\d{4}-[^,]+Z\r$/m);
    expect(everybody.text).not.toMatch(/lk(inv|mail)_/);
    expect(missing.text).not.toContain('bo@acme.test');
    expect([again.status, again.text.includes('bo@acme.test')]).toEqual([200, true]);
    expect(again.text).toContain('You have joined already');
    expect(refused.status).toBe(403);
  });

  test('pressed twice is sent once', async () => {
    const app = await startTestApp({ engine, mail: true });
    const api = app.api(await app.given.owner());
    const id = await listed(api, 'a@acme.test\nb@acme.test');

    const answers = await Promise.all(
      [1, 2, 3].map(() =>
        api.call('POST', `${ROUNDS}/${id}/start`, { kind: 'shared', key: { label: 'Once' } }),
      ),
    );
    await isDone(api, id);
    await Promise.all([app.mailbox.next('a@acme.test'), app.mailbox.next('b@acme.test')]);
    await app.settle();
    const keys = (await api.call('GET', '/api/v1/invitation-keys')).json();

    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    expect(keys.total).toBe(1);
    expect(app.mailbox.letters).toHaveLength(2);
  });

  test('is put right and sent with one form: what was corrected counts, and what was decided is kept', async () => {
    const app = await startTestApp({ engine, mail: true });
    const browser = app.as(await app.given.owner());
    const id = await listed(await owner(app), 'a@acme.test\nb at acme.test\nc at acme.test');
    const path = `/invitation-keys/rounds/${id}`;
    const decided = { label: 'Spring', message: 'Until Monday', does: 'shared', days: '30' };
    const wrong = (text: string): string[] =>
      [...text.matchAll(/name="(fix-[^"]+)"/g)].map(([, name]) => name ?? '');

    const preview = await browser.get(path);
    const [first = '', second = ''] = wrong(preview.text);
    const halfRight = { ...decided, [first]: 'b@acme.test', [second]: 'still wrong' };
    const kept = await browser.submitShown(preview, halfRight, { action: `${path}/start` });
    const again = await browser.submitShown(kept, { [second]: 'c@acme.test' }, { action: `${path}/start` });
    const letter = await app.mailbox.next('c@acme.test');

    expect(kept.text).toContain('Nobody was written to: 1 line you changed still cannot be used.');
    expect(kept.text).toContain('value="Spring"');
    expect(wrong(kept.text)).toEqual([second]);
    expect(again.url).toContain(path);
    expect(letter.text).toContain('Until Monday');
    await app.mailbox.next('b@acme.test');
  });

  test('that is paused writes to nobody until it goes on, also in another process', async () => {
    const app = await startTestApp({ engine, mail: true });
    const api = app.api(await app.given.owner());
    const people = Array.from({ length: 60 }, (_, at) => `p${String(at)}@acme.test`).join('\n');
    const id = await listed(api, people);
    await api.call('POST', `${ROUNDS}/${id}/start`, { kind: 'shared' });

    const paused = await api.call('POST', `${ROUNDS}/${id}/pause`);
    const before = (await api.call('GET', `${ROUNDS}/${id}`)).json().progress;
    await sendRounds(app);
    const still = (await api.call('GET', `${ROUNDS}/${id}`)).json().progress;
    await api.call('POST', `${ROUNDS}/${id}/resume`);
    await isDone(api, id);
    const after = (await api.call('GET', `${ROUNDS}/${id}`)).json();

    expect(paused.json().state).toBe('paused');
    expect(still).toEqual(before);
    expect(before.waiting).toBeGreaterThan(0);
    expect(after.progress).toEqual({ waiting: 0, done: 60, skipped: 0 });
    expect(await app.db.knex('invite_mailing').count({ count: '*' }).first()).toMatchObject({ count: 60 });
  });

  test('that is under way when its process ends goes on in another at once, and nobody is written to twice', async () => {
    const first = await startTestApp({ engine, mail: true });
    const second = await startTestApp({ engine, mail: true, databaseUrl: first.databaseUrl });
    const id = await listed(await owner(first), people(60));
    const waiting = async (app: TestApp): Promise<number> => {
      const lines = app.db.knex('invite_round_line').where({ round_id: id, state: 'waiting' });
      return (await lines.select('id')).length;
    };
    await (await owner(first)).call('POST', `${ROUNDS}/${id}/start`, { kind: 'personal' });
    await until(async () => (await waiting(first)) < 55);
    await first.close();

    const left = await waiting(second);
    await sendRounds(second);
    const written = (): string[] =>
      [...first.mailbox.letters, ...second.mailbox.letters].flatMap(({ to }) => to);
    await until(() => Promise.resolve(written().length >= 60));
    await second.settle();

    expect(left).toBeGreaterThan(0);
    expect(await stateOf(await owner(second), id)).toBe('done');
    expect(written().sort()).toEqual(people(60).split('\n').sort());
  });

  test('is too long for what the house takes in a minute: it rests there, goes on, and nobody is left out', async () => {
    const app = await startTestApp({ engine, mail: true });
    const { mail } = app.house.domains;
    const queue = mail.queue.bind(mail);
    let room = 10;
    mail.queue = (...letter) => {
      if (room === 0) return Promise.reject(new TooManyError('plugin.too-much'));
      room -= 1;
      return queue(...letter);
    };
    const api = await owner(app);
    const id = await listed(api, people(30));
    await api.call('POST', `${ROUNDS}/${id}/start`, { kind: 'personal' });
    await until(() => Promise.resolve(room <= 1));
    await sendRounds(app);

    const resting = await stateOf(api, id);
    room = 100;
    await until(async () => {
      await sendRounds(app);
      return (await stateOf(api, id)) === 'done';
    });
    await until(() => Promise.resolve(app.mailbox.letters.length >= 30));
    await app.settle();

    expect(resting).toBe('sending');
    expect(app.mailbox.letters.flatMap(({ to }) => to).sort()).toEqual(people(30).split('\n').sort());
  });

  test('of which the wrong people were told is withdrawn: links open nothing, and whoever joined stays', async () => {
    const app = await startTestApp({ engine, mail: true });
    const api = await owner(app);
    const id = await listed(api, people(3));
    await api.call('POST', `${ROUNDS}/${id}/start`, { kind: 'personal' });
    await isDone(api, id);
    const tokenOf = async (to: string): Promise<string> =>
      (await app.mailbox.next(to)).links[0]?.split('/').at(-1) ?? '';
    await joinByBrowser(app.guest(), await tokenOf('p0@acme.test'), { email: 'p0@acme.test' });

    const browser = app.as(await app.given.owner());
    const path = `/invitation-keys/rounds/${id}`;
    const shown = await browser.get(path);
    const done = await browser.submitShown(shown, {}, { action: `${path}/revoke` });
    const late = await app.guest().get(`/join/${await tokenOf('p1@acme.test')}`);
    const account = await app.db.knex('users').where({ email_norm: 'p0@acme.test' }).first('status');

    expect(done.text).toContain('Withdrawn: 2 links open nothing any more.');
    expect(late.text).toContain('no longer active');
    expect(account).toMatchObject({ status: 'active' });
  });

  test('of Discourse brings its groups, and names those that nobody here has', async () => {
    const app = await startTestApp({ engine, mail: true });
    const owner = await app.given.owner();
    const api = app.api(owner);
    const group = await api.call('POST', '/api/v1/groups', {
      name: 'Équipe Paris',
      entityId: ROOT_ENTITY_ID,
    });
    const id = await listed(api, 'email,groups,topic_id\na@acme.test,equipe_paris;lost,12\nb@acme.test,,');

    await api.call('POST', `${ROUNDS}/${id}/start`, { kind: 'personal' });
    await isDone(api, id);
    const round = (await api.call('GET', `${ROUNDS}/${id}`)).json();
    const lines = (await api.call('GET', `${ROUNDS}/${id}/lines`)).json().items;
    const key = await keyOf(app, lines[0].keyId);

    expect(group.status).toBe(201);
    expect(round).toMatchObject({ format: 'discourse', unmappedGroups: ['lost'] });
    expect(key['groups']).toEqual([group.json().id]);
  });

  test('is answered to whoever invites, once their address is proven and while the house wants it so', async () => {
    const app = await startTestApp({ engine, mail: true });
    const admin = await app.given.administrator();
    const { id } = await app.given.invitationKey({ emailProof: 'required' });
    const send = async (email: string): Promise<string> => {
      await app.api(admin).call('POST', `/api/v1/invitation-keys/${id}/invited`, { emails: [email] });
      return (await app.mailbox.next(email)).headers.get('reply-to') ?? '';
    };
    const proven = (at: number | null): Promise<unknown> =>
      app.db.transaction(async (tx) =>
        tx.knex('users').where({ id: admin.id }).update({ email_verified_at: at }),
      );

    await proven(null);
    const unproven = await send('a@acme.test');
    await proven(app.clock.now());
    const answered = await send('b@acme.test');

    expect([unproven, answered]).toEqual(['', admin.email]);
  });

  test('of strangers stays closed to people without the right, on every page', async () => {
    const app = await startTestApp({ engine, mail: true });
    const owner = app.api(await app.given.owner());
    const { id: keyId } = await app.given.invitationKey({ emailProof: 'required' });
    await owner.call('POST', `/api/v1/invitation-keys/${keyId}/invited`, { emails: ['a@acme.test'] });
    const [invitee] = (await owner.call('GET', `/api/v1/invitation-keys/${keyId}/invited`)).json().items;
    const id = await listed(owner, 'b@acme.test');
    const plain = await app.given.user();

    const pages = [
      '/invitation-keys/rounds',
      ...['correct', 'discard', 'start', 'pause', 'resume', 'stop', 'again'].map(
        (name) => `/invitation-keys/rounds/${id}/${name}`,
      ),
      `/invitation-keys/${keyId}/invited/again`,
      `/invitation-keys/${keyId}/invited/${String(invitee.id)}/resend`,
      `/invitation-keys/${keyId}/roster/remove`,
      `/invitation-keys/${keyId}/roster/nudge`,
    ];
    const browser = app.as(plain);
    const csrf = /name="_csrf" value="([^"]+)"/.exec((await browser.get('/tickets/new')).text)?.[1] ?? '';
    for (const path of pages) {
      const answer = await browser.post(path, { _csrf: csrf });
      expect([403, 404], path).toContain(answer.status);
      expect((await app.as(await app.given.owner()).post(path, {})).status, `${path} without a token`).toBe(
        403,
      );
    }

    expect((await owner.call('GET', `${ROUNDS}/${id}`)).json()).toMatchObject({
      state: 'draft',
      lines: { ready: 1 },
    });
    expect((await owner.call('GET', ROUNDS)).json().total).toBe(1);
  });

  test('is uploaded, looked at and sent in a browser without scripts', async () => {
    const app = await startTestApp({ engine, mail: true });
    const browser = app.as(await app.given.owner());
    const shown = await browser.get('/invitation-keys/rounds/new');
    const form = new FormData();
    form.set('_csrf', /name="_csrf" value="([^"]+)"/.exec(shown.text)?.[1] ?? '');
    form.set('people', '');
    form.set('key', '');
    form.set('file', new Blob(['Name;E-mail\nJo;jo@acme.test\nLou;lou@acme\n']), 'people.csv');

    const uploaded = await browser.upload('/invitation-keys/rounds', form);
    const path = String(uploaded.headers['location']);
    const preview = await browser.get(path);
    const sent = await browser.submitShown(preview, { does: 'personal' }, { action: `${path}/start` });

    expect(preview.text).toContain('lou@acme');
    expect(sent.text).toContain('jo@acme.test');
    expect((await app.mailbox.next('jo@acme.test')).subject).toContain('invited you');
  });
});

describeOnEachEngine('an invitation by mail', (engine) => {
  const invited = async (app: TestApp, keyId: string): Promise<Record<string, unknown>[]> =>
    (await app.api(await app.given.owner()).call('GET', `/api/v1/invitation-keys/${keyId}/invited`)).json()
      .items;

  test('R19 proves the address by its own secret; a wrong one opens nothing, and without it the address is asked', async () => {
    const app = await startTestApp({ engine, mail: true });
    const { id, key } = await app.given.invitationKey({ emailProof: 'required' });
    const api = app.api(await app.given.owner());
    await api.call('POST', `/api/v1/invitation-keys/${id}/invited`, { emails: ['a@acme.test'] });
    const token = (await app.mailbox.next('a@acme.test')).links[0]?.split('/').at(-1) ?? '';
    const wrong = token.slice(0, 20) + (token[20] === '0' ? '2' : '0') + token.slice(21);

    const mailed = await joinByBrowser(app.guest(), token, { email: 'a@acme.test' });
    const other = await joinByBrowser(app.guest(), token, { email: 'b@acme.test' });
    const shared = await joinByApi(app, key, somebody({ email: 'c@acme.test' }));
    const broken = await app.guest().get(`/join/${wrong}`);

    expect(new URL(mailed.url).pathname).toBe('/tickets/new');
    expect(new URL(other.url).pathname).toBe('/join/step/waiting');
    expect(shared.json()).toEqual({ status: 'pending_email' });
    expect(broken.text).not.toContain(wrong);
  });

  test('E17 that is sent again leaves the first link working and renews the end once', async () => {
    const app = await startTestApp({ engine, mail: true });
    const api = app.api(await app.given.owner());
    const list = await listed(api, 'a@acme.test');
    const expiresAt = new Date(app.clock.now() + days(7)).toISOString();
    await api.call('POST', `${ROUNDS}/${list}/start`, { kind: 'personal', key: { expiresAt } });
    await isDone(api, list);
    const first = (await app.mailbox.next('a@acme.test')).links[0]?.split('/').at(-1) ?? '';
    const keyId = String((await api.call('GET', `${ROUNDS}/${list}/lines`)).json().items[0].keyId);
    const [invitee] = await invited(app, keyId);
    const resend = `/api/v1/invitation-keys/${keyId}/invited/${String(invitee?.['id'])}/resend`;

    app.clock.advance(days(2));
    const again = await (await owner(app)).call('POST', resend, {});
    const renewed = (await keyOf(app, keyId))['expiresAt'];
    app.clock.advance(days(2));
    await (await owner(app)).call('POST', resend, {});
    const second = (await keyOf(app, keyId))['expiresAt'];
    const joined = await joinByBrowser(app.guest(), first, { email: 'a@acme.test' });

    expect(again.status).toBe(200);
    expect(renewed).toBe(new Date(Date.parse(expiresAt) + days(2)).toISOString());
    expect(second).toBe(renewed);
    expect(new URL(joined.url).pathname).toBe('/tickets/new');
  });

  test('E16 goes again to all who have not joined, of live keys only, to nobody who does not exist, and once a day', async () => {
    const app = await startTestApp({ engine, mail: true });
    const api = app.api(await app.given.owner());
    const list = await listed(api, 'a@acme.test\nb@acme.test\nc@acme.test\ngone@acme.test');
    await api.call('POST', `${ROUNDS}/${list}/start`, { kind: 'personal' });
    await isDone(api, list);
    const lines = (await api.call('GET', `${ROUNDS}/${list}/lines`)).json().items;
    const token = (await app.mailbox.next('a@acme.test')).links[0]?.split('/').at(-1) ?? '';
    await joinByBrowser(app.guest(), token, { email: 'a@acme.test' });
    await app.settle();
    await api.call('POST', `/api/v1/invitation-keys/${String(lines[1].keyId)}/revoke`);
    const refused = { delivery: 'dead', reply: '550 5.1.1 No such user', watched_at: null };
    await app.db.transaction((tx) =>
      tx.knex('invite_invitee').where({ email_norm: 'gone@acme.test' }).update(refused),
    );

    const again = await api.call('POST', `${ROUNDS}/${list}/again`, {});
    const twice = await api.call('POST', `${ROUNDS}/${list}/again`, {});
    await isDone(api, again.json().id);
    app.clock.advance(days(1));
    const tomorrow = await (await owner(app)).call('POST', `${ROUNDS}/${list}/again`, {});

    const overview = await app.as(await app.given.owner()).get('/invitation-keys/overview');

    expect(again.status).toBe(201);
    expect(overview.text).toContain(`/invitation-keys/rounds/${list}`);
    expect(
      (await (await owner(app)).call('GET', `${ROUNDS}/${String(again.json().id)}/lines`)).json().items,
    ).toMatchObject([{ email: 'c@acme.test', state: 'done' }]);
    expect([twice.status, twice.json().code]).toEqual([409, 'round.once_a_day']);
    expect(tomorrow.status).toBe(201);
  });

  test('goes to one address three times a day at most, over all keys', async () => {
    const app = await startTestApp({ engine, mail: true });
    const api = app.api(await app.given.owner());
    const keys = await Promise.all(
      [1, 2, 3, 4].map(() => app.given.invitationKey({ emailProof: 'required' })),
    );

    const answers = [];
    for (const { id } of keys)
      answers.push(
        await api.call('POST', `/api/v1/invitation-keys/${id}/invited`, { emails: ['a@acme.test'] }),
      );
    app.clock.advance(hours(25));
    const later = await (
      await owner(app)
    ).call('POST', `/api/v1/invitation-keys/${keys[3]?.id ?? ''}/invited`, {
      emails: ['a@acme.test'],
    });

    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 400]);
    expect(answers[3]?.json().errors[0].code).toBe('round.too_often_address');
    expect(later.status).toBe(201);
  });

  test('shows what the mail server said', async () => {
    const app = await startTestApp({ engine, mail: true });
    const api = app.api(await app.given.owner());
    const { id } = await app.given.invitationKey({ emailProof: 'required' });
    await api.call('POST', `/api/v1/invitation-keys/${id}/invited`, { emails: ['good@acme.test'] });
    await app.mailbox.next('good@acme.test');
    await app.settle();
    app.mailbox.refuse(true);
    await api.call('POST', `/api/v1/invitation-keys/${id}/invited`, { emails: ['full@acme.test'] });
    await until(async () => {
      await sendRounds(app);
      return (await invited(app, id))[0]?.['delivery'] === 'failed';
    });

    const people = await invited(app, id);
    const page = await app.as(await app.given.owner()).get(`/invitation-keys/${id}/invited`);

    expect(people).toMatchObject([
      { email: 'full@acme.test', delivery: 'failed', code: '452', meaning: 'mailbox-full' },
      { email: 'good@acme.test', delivery: 'handed-over', code: '250', meaning: 'accepted' },
    ]);
    expect(page.text).toContain('The mailbox is full.');
  });

  test('is followed by one reminder before it ends, to those who have not joined', async () => {
    const app = await startTestApp({ engine, mail: true });
    const api = app.api(await app.given.owner());
    const expiresAt = new Date(app.clock.now() + days(7)).toISOString();
    const { id } = await app.given.invitationKey({ emailProof: 'required', expiresAt });
    await api.call('POST', `/api/v1/invitation-keys/${id}/invited`, {
      emails: ['a@acme.test', 'b@acme.test'],
    });
    const token = (await app.mailbox.next('a@acme.test')).links[0]?.split('/').at(-1) ?? '';
    await app.mailbox.next('b@acme.test');
    await joinByBrowser(app.guest(), token, { email: 'a@acme.test' });
    await app.settle();
    await sendRounds(app);
    const remind = (): Promise<void> => app.house.domains.jobs.runNow('registration-key.remind-invited');

    await remind();
    app.clock.advance(days(5) + hours(1));
    await remind();
    await remind();
    await app.mailbox.next('b@acme.test');
    await app.settle();

    const reminders = app.mailbox.letters.filter(({ subject }) => subject.includes('ends soon'));
    expect(reminders.map(({ to }) => to)).toEqual([['b@acme.test']]);
    expect(reminders[0]?.links[0]).toContain('/join/lkmail_');
  });
});

test('a long list is read and sent while the helpdesk goes on answering', { timeout: 60_000 }, async () => {
  const app = await startTestApp({
    config: { SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'desk@example.org' },
  });
  const api = await owner(app);
  const people = Array.from({ length: 300 }, (_, at) => `p${String(at)}@acme.test`).join('\n');
  const id = await listed(api, people);
  await api.call('POST', `${ROUNDS}/${id}/start`, { kind: 'personal' });

  let answered = 0;
  while ((await stateOf(api, id)) !== 'done') answered += 1;

  expect((await api.call('GET', `${ROUNDS}/${id}`)).json().progress).toEqual({
    waiting: 0,
    done: 300,
    skipped: 0,
  });
  expect(answered).toBeGreaterThan(30);
});

interface Typed {
  args: string[];
  options?: Record<string, string | boolean>;
  stdin?: string;
}

/** As the command line runs it, without starting a process. */
async function runCommand(
  app: TestApp,
  name: string,
  { args, options = {}, stdin = '' }: Typed,
): Promise<unknown> {
  const command = app.house.commands.all().find((one) => one.name === name);
  if (!command) throw new Error(`There is no command ${name}`);
  let printed: unknown = null;
  await command.run({
    actor: cliActor('test'),
    args,
    options,
    print: (value) => {
      printed = value;
    },
    readStdin: () => Promise.resolve(stdin),
    readFile: () => Promise.reject(new Error('No file was named')),
  });
  return printed;
}

describeOnEachEngine('from the command line', (engine) => {
  test('a list is read from a pipe, sorted, and sent', async () => {
    const app = await startTestApp({ engine, mail: true });
    const { id } = await app.given.invitationKey({ emailProof: 'required' });

    const sorted = await runCommand(app, 'invite people', { args: ['-'], stdin: 'a@acme.test\nwrong\n' });
    const sent = await runCommand(app, 'invite people', {
      args: ['-'],
      stdin: 'b@acme.test',
      options: { start: 'personal', label: 'By hand' },
    });
    const one = await runCommand(app, 'invite send', { args: [id, 'c@acme.test'] });
    await runCommand(app, 'invite people', {
      args: ['-'],
      stdin: 'd@acme.test\ne@acme.test',
      options: { start: 'roster', key: id, mail: false, keepAddresses: true },
    });
    const roster = await runCommand(app, 'invite roster', { args: [id] });
    const missing = await runCommand(app, 'invite roster', { args: [id], options: { missing: true } });

    expect(sorted).toMatchObject({ state: 'draft', lines: { ready: 1, malformed: 1 } });
    expect(sent).toMatchObject({ state: 'done', label: 'By hand', progress: { done: 1 } });
    expect(one).toEqual({ sent: 1 });
    expect(roster).toMatchObject({ of: 'email', total: 2, missing: 2 });
    expect(missing).toHaveLength(2);
    expect(missing).toContainEqual({ address: 'd@acme.test' });
    expect((await app.mailbox.next('b@acme.test')).subject).toContain('invited you');
  });
});

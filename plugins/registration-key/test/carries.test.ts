import { expect, test } from 'vitest';
import { days } from '../../../test/support/clock.ts';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import type { Answer } from '../../../test/support/http-client.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { anonymise } from './cases/place.ts';
import { joinByApi, PASSWORD, redemptionsOf, somebody } from './desk.ts';

const words = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

async function accountOf(app: TestApp, email: string): Promise<Record<string, unknown>> {
  const person = await app.house.domains.users.findByEmail(email);
  const owner = app.api(await app.given.owner());
  return (await owner.call('GET', `/api/v1/users/${person?.id ?? ''}`)).json() as Record<string, unknown>;
}

const fieldsOf = (answer: Answer): string[] =>
  (answer.json().errors as { field: string }[]).map(({ field }) => field);

describeOnEachEngine('a key that brings something along', (engine) => {
  test('begins the form with what may be changed, shows what may not, and takes nothing fixed from the request', async () => {
    const app = await startTestApp({ engine });
    const { key } = await app.given.invitationKey({
      carries: {
        given: {
          name: { value: 'Reception desk', fixed: true },
          locale: { value: 'fr', fixed: true },
          phone: { value: '+33 1 00 00 00 00', fixed: false },
          department: { value: 'Front office', fixed: true },
        },
      },
    });
    const phone = app.guest();
    const form = await phone.get(`/join/${key}`);

    await phone.submitShown(form, {
      email: 'desk@acme.test',
      name: 'Somebody else',
      locale: 'en',
      password: PASSWORD,
      'answer-profile-phone': '+33 2 22 22 22 22',
      'answer-profile-department': 'The board',
    });

    expect(form.text).toContain('value="Reception desk"');
    expect(form.text).toContain('value="+33 1 00 00 00 00"');
    expect(await accountOf(app, 'desk@acme.test')).toMatchObject({
      name: 'Reception desk',
      locale: 'fr',
      attributes: { phone: '+33 2 22 22 22 22', department: 'Front office' },
    });
  });

  test('copies metadata to the account, which the newcomer neither sees nor changes', async () => {
    const app = await startTestApp({ engine });
    const { key } = await app.given.invitationKey({
      carries: { metadata: { 'cost-centre': '4711', Contract: ' C-12 ' } },
    });
    const phone = app.guest();
    const form = await phone.get(`/join/${key}`);

    await joinByApi(app, key, somebody({ email: 'jo@acme.test' }));
    const tampered = await joinByApi(app, key, somebody(), { metadata: { 'cost-centre': '1' } });

    expect(form.text).not.toContain('4711');
    expect(tampered.status).toBe(400);
    expect((await accountOf(app, 'jo@acme.test'))['attributes']).toEqual({
      'cost-centre': '4711',
      contract: 'C-12',
    });
  });

  test('asks questions: what is missing or not among the choices is said, and the answers are kept with the seat', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({
      carries: {
        questions: [
          { label: 'Badge number', kind: 'text', required: true },
          { label: 'T-shirt', kind: 'choice', options: ['S', 'M', 'L'] },
          { label: 'Vegetarian?', kind: 'yes-no' },
        ],
      },
    });
    const phone = app.guest();
    const form = await phone.get(`/join/${key}`);
    const typed = { email: 'jo@acme.test', name: 'Jo Martin', password: PASSWORD };

    const missing = await phone.submitShown(form, { ...typed, 'answer-question-t-shirt': 'XXL' });
    await phone.submitShown(missing, {
      ...typed,
      'answer-question-badge-number': 'B-17',
      'answer-question-t-shirt': 'M',
      'answer-question-vegetarian': 'yes',
    });

    expect(missing.status).toBe(422);
    expect(missing.text).toContain('href="#field-answer-question-badge-number"');
    const { items } = await redemptionsOf(app, id);
    expect(items[0]).toMatchObject({
      answers: [
        { question: 'Badge number', answer: 'B-17' },
        { question: 'T-shirt', answer: 'M' },
        { question: 'Vegetarian?', answer: 'Yes' },
      ],
    });
    const page = await app.as(await app.given.owner()).get(`/invitation-keys/${id}`);
    expect(words(page.text)).toContain('Badge number: B-17');
  });

  test('keeps answers sealed while an approver decides, who reads them', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({
      approval: 'manual',
      carries: { questions: [{ label: 'Who is your manager?', kind: 'text', required: true }] },
    });
    await joinByApi(app, key, somebody({ email: 'jo@acme.test' }), {
      answers: { 'question-who-is-your-manager': 'Marie Curie' },
    });

    const owner = app.as(await app.given.owner());
    const queue = await owner.get('/invitation-keys/approvals');
    const [attempt] = await app.db.knex('invite_attempt').select('*');
    await owner.post('/invitation-keys/approvals', {
      ...(await tokenOf(queue)),
      decision: 'approve',
      id: idIn(queue),
    });

    expect(words(queue.text)).toContain('Who is your manager?: Marie Curie');
    expect(JSON.stringify(attempt)).not.toContain('Curie');
    expect((await redemptionsOf(app, id)).items[0]).toMatchObject({
      answers: [{ question: 'Who is your manager?', answer: 'Marie Curie' }],
    });
  });

  test('makes accounts that end, so many days after joining or at a date', async () => {
    const app = await startTestApp({ engine });
    const until = new Date(app.clock.now() + days(40)).toISOString();
    const forDays = await app.given.invitationKey({ carries: { account: { days: 30 } } });
    const atDate = await app.given.invitationKey({ carries: { account: { until } } });

    app.clock.advance(days(1));
    await joinByApi(app, forDays.key, somebody({ email: 'temp@acme.test' }));
    await joinByApi(app, atDate.key, somebody({ email: 'course@acme.test' }));

    expect((await accountOf(app, 'temp@acme.test'))['endsAt']).toBe(
      new Date(app.clock.now() + days(30)).toISOString(),
    );
    expect((await accountOf(app, 'course@acme.test'))['endsAt']).toBe(until);
    app.clock.advance(days(30));
    await app.house.domains.accountEnds.sweep();
    expect(await app.house.domains.users.findByEmail('temp@acme.test')).toMatchObject({ status: 'disabled' });
    expect(await app.house.domains.users.findByEmail('course@acme.test')).toMatchObject({ status: 'active' });
  });

  test('says what is wrong with it, each with its field', async () => {
    const app = await startTestApp({ engine });
    const owner = app.api(await app.given.owner());
    const mint = (carries: object): Promise<Answer> =>
      owner.call('POST', '/api/v1/invitation-keys', { carries });

    expect(fieldsOf(await mint({ given: { phone: { value: '', fixed: true } } }))).toEqual(['given-phone']);
    expect(fieldsOf(await mint({ questions: [{ label: 'One', kind: 'choice', options: ['a'] }] }))).toEqual([
      'questions',
    ]);
    expect(
      fieldsOf(
        await mint({
          questions: [
            { label: 'Same', kind: 'text' },
            { label: 'Same', kind: 'yes-no' },
          ],
        }),
      ),
    ).toEqual(['questions']);
    expect(fieldsOf(await mint({ metadata: { 'bad name': 'x' } }))).toEqual(['metadata']);
    expect(fieldsOf(await mint({ account: { days: 0 } }))).toEqual(['accountDays']);
    expect((await mint({ account: { until: '2001-01-01T00:00:00Z' } })).status).toBe(400);
  });

  test('is written in a form without a script, and edited part by part by a program', async () => {
    const app = await startTestApp({ engine });
    const owner = await app.given.owner();
    const browser = app.as(owner);

    const made = await browser.submit(
      '/invitation-keys/new?kind=team',
      {
        label: 'Interns',
        'given-department': 'Sales',
        fixed: ['department'],
        question: ['Badge number', 'Size', ''],
        questionKind: ['text', 'choice', 'text'],
        questionOptions: ['', 'S, M', ''],
        questionRequired: ['yes', '', ''],
        metadata: 'cost-centre: 4711\ncontract = C-12',
        accountDays: '90',
        step: 'mint',
      },
      { action: '/invitation-keys' },
    );
    const id = /\/invitation-keys\/(\w{26})/.exec(made.url)?.[1] ?? '';
    const api = app.api(owner);
    const { carries, version } = (await api.call('GET', `/api/v1/invitation-keys/${id}`)).json();
    const edited = await api.call('PATCH', `/api/v1/invitation-keys/${id}`, {
      version,
      carries: { account: null },
    });
    const form = await browser.get(`/invitation-keys/${id}/edit`);

    expect(carries).toEqual({
      given: { department: { value: 'Sales', fixed: true } },
      questions: [
        { name: 'question-badge-number', label: 'Badge number', kind: 'text', options: [], required: true },
        { name: 'question-size', label: 'Size', kind: 'choice', options: ['S', 'M'], required: false },
      ],
      metadata: { 'cost-centre': '4711', contract: 'C-12' },
      account: { days: 90 },
      steps: [],
    });
    expect(edited.json().carries).toEqual({ ...carries, account: null });
    expect(form.text).toContain('value="Badge number"');
    expect(form.text).toContain('cost-centre: 4711');
  });

  test('is asked of somebody who has an account as well, without their profile; what is missing is said', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({
      carries: {
        given: { phone: { value: '+33 1', fixed: false } },
        questions: [
          { label: 'Badge number', kind: 'text', required: true },
          { label: 'Vegetarian?', kind: 'yes-no' },
        ],
      },
    });
    const member = await app.given.user({ email: 'jo@acme.test' });
    const browser = app.as(member);
    const form = await browser.get(`/join/${key}`);

    const missing = await browser.submitShown(
      form,
      { 'answer-question-vegetarian': 'yes' },
      { action: '/join/step/add' },
    );
    const seatsBefore = (await redemptionsOf(app, id)).total;
    await browser.submitShown(
      missing,
      { 'answer-question-badge-number': 'B-17', 'answer-question-vegetarian': 'yes' },
      { action: '/join/step/add' },
    );
    const { items } = await redemptionsOf(app, id);

    expect(form.text).not.toContain('profile-phone');
    expect(missing.status).toBe(422);
    expect(missing.text).toContain('href="#field-answer-question-badge-number"');
    expect(missing.text).toMatch(/value="yes"[^>]*selected/);
    expect(seatsBefore).toBe(0);
    expect(items).toMatchObject([
      {
        how: 'existing',
        answers: [
          { question: 'Badge number', answer: 'B-17' },
          { question: 'Vegetarian?', answer: 'Yes' },
        ],
      },
    ]);
    expect((await accountOf(app, 'jo@acme.test'))['attributes']).toEqual({});
  });

  test('shows an approver what somebody with an account answered, and forgets it with a no', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({
      approval: 'manual',
      emailProof: 'none',
      carries: { questions: [{ label: 'Badge number', kind: 'text', required: true }] },
    });
    const browser = app.as(await app.given.user());
    await browser.submitShown(
      await browser.get(`/join/${key}`),
      { 'answer-question-badge-number': 'B-17' },
      { action: '/join/step/add' },
    );
    const owner = app.api(await app.given.owner());

    const { items } = (await owner.call('GET', '/api/v1/invitation-keys/approvals')).json() as {
      items: { id: string; answers: object[] }[];
    };
    const ids = items.map((one) => one.id);
    await owner.call('POST', '/api/v1/invitation-keys/approvals', { ids, decision: 'decline' });

    expect(items).toMatchObject([
      { keyId: id, how: 'existing', answers: [{ question: 'Badge number', answer: 'B-17' }] },
    ]);
    expect(await app.db.knex('invite_answers')).toEqual([]);
  });

  test('is forgotten with the person: answers, address and name, wherever they were written down', async () => {
    const app = await startTestApp({ engine, mail: true });
    const owner = app.api(await app.given.owner());
    const questions = [{ label: 'Allergies', kind: 'text', required: true }];
    const { id, key } = await app.given.invitationKey({ carries: { questions }, emailProof: 'none' });
    const bound = await app.given.invitationKey({
      label: 'For Jo Quimby',
      note: 'Welcome, Jo Quimby!',
      carries: { given: { name: { value: 'Jo Quimby', fixed: false } } },
      email: 'jo.quimby@acme.test',
      emailProof: 'required',
      maxUses: 1,
    });
    await owner.call('POST', `/api/v1/invitation-keys/${id}/invited`, { emails: ['jo.quimby@acme.test'] });
    await owner.call('POST', `/api/v1/invitation-keys/${bound.id}/invited`, {
      emails: ['jo.quimby@acme.test'],
    });
    const rounds = '/api/v1/invitation-keys/rounds';
    await owner.call('POST', rounds, { people: 'Jo Quimby <jo.quimby@acme.test>\nann@acme.test' });
    await asksForAnother(app, 'Jo.Quimby@acme.test');
    const jo = somebody({ email: 'jo.quimby@acme.test', name: 'Jo Quimby' });
    await joinByApi(app, key, jo, { answers: { 'question-allergies': 'Quimby nuts' } });
    const person = await app.house.domains.users.findByEmail(jo.email);

    await anonymise(app, { id: person?.id ?? '' });
    await expect.poll(async () => (await app.db.knex('invite_answers')).length, { timeout: 10_000 }).toBe(0);

    const invited = (await owner.call('GET', `/api/v1/invitation-keys/${id}/invited`)).json() as {
      items: { email: string; joinedAt: string | null }[];
    };
    for (const table of [
      'invite_answers',
      'invite_invitee',
      'invite_mailing',
      'invite_round_line',
      'invite_key',
      'invite_key_word',
      'invite_request',
    ])
      expect(JSON.stringify(await app.db.knex(table)).toLowerCase(), table).not.toContain('quimby');
    expect(invited.items[0]?.email).toContain('anonymous.invalid');
    expect(invited.items[0]?.joinedAt).not.toBeNull();
    expect((await redemptionsOf(app, id)).total).toBe(1);
    expect((await joinByApi(app, bound.key, somebody())).status).toBe(422);
  });

  test('is forgotten with somebody who came by an open link, too: what was typed elsewhere, and what they asked for', async () => {
    const app = await startTestApp({ engine, mail: true });
    const owner = app.api(await app.given.owner());
    const unused = await app.given.invitationKey({
      email: 'jo.quimby@acme.test',
      emailProof: 'required',
      maxUses: 1,
    });
    const poster = await app.given.invitationKey({ emailProof: 'required' });
    await owner.call('POST', `/api/v1/invitation-keys/${poster.id}/invited`, {
      emails: ['jo.quimby@acme.test', 'ann@acme.test'],
    });
    await asksForAnother(app, 'Jo.Quimby@acme.test');
    await asksForAnother(app, 'ann@acme.test');
    const { key } = await app.given.invitationKey({ emailProof: 'none' });
    await joinByApi(app, key, somebody({ email: 'jo.quimby@acme.test', name: 'Jo Quimby' }));
    const person = await app.house.domains.users.findByEmail('jo.quimby@acme.test');

    await anonymise(app, { id: person?.id ?? '' });
    const requests = (): Promise<{ email: string; state: string }[]> =>
      app.db.knex('invite_request').orderBy('at').select('email', 'state');
    await expect.poll(async () => (await requests())[0]?.state, { timeout: 10_000 }).toBe('lapsed');

    for (const table of ['invite_invitee', 'invite_mailing', 'invite_key', 'invite_request'])
      expect(JSON.stringify(await app.db.knex(table)).toLowerCase(), table).not.toContain('quimby');
    expect(await requests()).toMatchObject([{ email: '' }, { email: 'ann@acme.test', state: 'open' }]);
    expect((await joinByApi(app, unused.key, somebody())).status).toBe(422);
  });

  test('is forgotten with somebody whom no key let in, and under the address they had when they joined', async () => {
    const app = await startTestApp({ engine, mail: true });
    const owner = app.api(await app.given.owner());
    const poster = await app.given.invitationKey({ emailProof: 'required' });
    const emails = ['jo.quimby@acme.test', 'mo.quimby@acme.test', 'ann@acme.test'];
    await owner.call('POST', `/api/v1/invitation-keys/${poster.id}/invited`, { emails });
    const jo = await app.given.user({ email: 'jo.quimby@acme.test' });
    const { key } = await app.given.invitationKey({ emailProof: 'none' });
    await joinByApi(app, key, somebody({ email: 'mo.quimby@acme.test' }));
    const mo = await app.house.domains.users.findByEmail('mo.quimby@acme.test');
    const moved = { email: 'mo@elsewhere.test', email_norm: 'mo@elsewhere.test' };
    await app.db.transaction((tx) => tx.knex('users').where({ id: mo?.id }).update(moved));

    await anonymise(app, jo);
    await anonymise(app, { id: mo?.id ?? '' });
    const kept = async (): Promise<string> =>
      JSON.stringify([await app.db.knex('invite_invitee'), await app.db.knex('invite_mailing')]);
    await expect.poll(kept, { timeout: 20_000 }).not.toContain('quimby');

    expect(await kept()).toContain('ann@acme.test');
  });
});

/** Somebody whose link is over asks for a way in all the same. */
async function asksForAnother(app: TestApp, email: string): Promise<void> {
  const soon = new Date(app.clock.now() + 60_000).toISOString();
  const { key } = await app.given.invitationKey({ expiresAt: soon });
  app.clock.advance(60_000);
  await app
    .guest()
    .submit(`/join/${key}`, { name: email.split('@')[0] ?? '', email }, { action: '/join/step/ask' });
}

const idIn = ({ text }: Answer): string => /name="id" value="(\w{26})"/.exec(text)?.[1] ?? '';
const tokenOf = ({ text }: Answer): Promise<Record<string, string>> =>
  Promise.resolve({ _csrf: /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? '' });

import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import type { Answer, HttpClient } from '../../../test/support/http-client.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { temporaryFolder, useFixture } from '../../../test/plugin-host/start-host.ts';
import { joinByApi, keyOf, PASSWORD, redemptionsOf, somebody, somebodyElsewhere } from './desk.ts';

const words = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
const jo = { email: 'jo@acme.test', name: 'Jo Martin', password: PASSWORD };

interface Made {
  id: string;
  edition: number;
}

async function step(app: TestApp, draft: Record<string, unknown>): Promise<Made> {
  const owner = app.api(await app.given.owner());
  const answer = await owner.call('POST', '/api/v1/invitation-keys/steps', {
    phase: 'before',
    title: 'House rules',
    body: 'Be **kind**.',
    ...draft,
  });
  expect(answer.status).toBe(201);
  return answer.json() as Made;
}

const goOn = (browser: HttpClient, shown: Answer, more: Record<string, string> = {}): Promise<Answer> =>
  browser.submitShown(shown, more, { action: '/join/' });

describeOnEachEngine('the pages on the way', (engine) => {
  test('come before the form, one after the other, and a box must be ticked', async () => {
    const app = await startTestApp({ engine });
    await step(app, { title: 'Welcome' });
    await step(app, { agreement: 'I have read the house rules.' });
    const { id, key } = await app.given.invitationKey();
    const phone = app.guest();

    const welcome = await phone.get(`/join/${key}`);
    const rules = await goOn(phone, welcome);
    const unticked = await goOn(phone, rules);
    const form = await goOn(phone, rules, { agreed: 'true' });
    const done = await phone.submitShown(form, jo);

    expect(words(welcome.text)).toContain('Step 1 of 3');
    expect(words(rules.text)).toContain('Step 2 of 3');
    expect(rules.text).toContain('<strong>kind</strong>');
    expect(unticked.status).toBe(422);
    expect(words(unticked.text)).toContain('Please tick the box');
    expect(words(form.text)).toContain('Create my account');
    expect(new URL(done.url).pathname).toBe('/tickets/new');
    expect((await redemptionsOf(app, id)).items[0]).toMatchObject({
      agreed: [{ title: 'Welcome' }, { title: 'House rules', edition: 1 }],
    });
  });

  test('cannot be skipped: not by the form, not by the last step, not by another browser, not by a program', async () => {
    const app = await startTestApp({ engine });
    const first = await step(app, { title: 'First' });
    const last = await step(app, { title: 'Last', agreement: 'Yes.' });
    const { id, key } = await app.given.invitationKey();
    const phone = app.guest();
    const shown = await phone.get(`/join/${key}`);
    const handle = new URL(shown.url).searchParams.get('h') ?? '';

    const skipped = await goOn(phone, shown, { step: last.id, agreed: 'true' });
    const forced = await phone.submitShown(shown, { ...jo, redeemId: randomUUID(), h: handle }, {});
    const posted = await phone.post('/join', {
      ...hiddenIn(shown),
      ...jo,
      redeemId: randomUUID(),
    });
    const api = await joinByApi(app, key, somebody());
    const agreed = await joinByApi(app, key, somebody(), {
      accepted: [`${first.id}@1`, `${last.id}@1`],
    });

    expect(words(skipped.text)).toContain('Step 1 of 3');
    expect(words(forced.text)).not.toContain('Create my account');
    expect(posted.status).toBe(303);
    expect([api.status, api.json().code]).toEqual([409, 'invitation.steps_first']);
    expect(agreed.status).toBe(201);
    expect(await keyOf(app, id)).toMatchObject({ uses: 1 });
  });

  test('are agreed to anew once their words change, and stay on record when they are gone', async () => {
    const app = await startTestApp({ engine });
    const owner = await app.given.owner();
    const rules = await step(app, { agreement: 'I agree.' });
    const { id, key } = await app.given.invitationKey();
    const phone = app.guest();
    const form = await goOn(phone, await phone.get(`/join/${key}`), { agreed: 'true' });

    await app.api(owner).call('PUT', `/api/v1/invitation-keys/steps/${rules.id}`, {
      phase: 'before',
      everywhere: true,
      title: 'House rules',
      body: 'Be kinder.',
      agreement: 'I agree.',
      edition: 1,
    });
    const again = await phone.submitShown(form, jo);
    const newForm = await goOn(phone, again, { agreed: 'true' });
    await phone.submitShown(newForm, jo);
    const pages = app.as(owner);
    await pages.submit('/invitation-keys/steps', {}, { action: `/invitation-keys/steps/${rules.id}/delete` });
    const other = await app.guest().get(`/join/${key}`);

    expect(again.text).toContain('Be kinder.');
    expect(words(other.text)).toContain('Create my account');
    expect((await redemptionsOf(app, id)).items[0]).toMatchObject({
      agreed: [{ edition: 1 }, { edition: 2, title: 'House rules' }],
    });
  });

  test('after joining are first steps, in their order, once, and then the landing place', async () => {
    const app = await startTestApp({ engine });
    const one = await step(app, { phase: 'after', title: 'Your first day', everywhere: false });
    const two = await step(app, { phase: 'after', title: 'Your tools', everywhere: false });
    const { key } = await app.given.invitationKey({
      landing: '/account',
      carries: { steps: [one.id, two.id] },
    });
    const plain = await app.given.invitationKey();
    const phone = app.guest();

    const first = await phone.submit(`/join/${key}`, jo, { action: '/join' });
    const path = new URL(first.url).pathname;
    const skipped = await goOn(phone, first, { step: two.id });
    const second = await goOn(phone, first);
    const end = await goOn(phone, second);
    const later = await phone.get(path);
    const stranger = await app.as(await app.given.user()).get(path);
    const without = await app
      .guest()
      .submit(`/join/${plain.key}`, { ...jo, email: 'mo@acme.test' }, { action: '/join' });

    expect(words(first.text)).toContain('Your first day');
    expect(words(skipped.text)).toContain('Your first day');
    expect(words(second.text)).toContain('Your tools');
    expect(new URL(end.url).pathname).toBe('/account');
    expect(new URL(later.url).pathname).toBe('/account');
    expect(stranger.status).toBe(404);
    expect(new URL(without.url).pathname).toBe('/tickets/new');
  });

  test('are met by somebody who has an account, too, before a link adds anything', async () => {
    const app = await startTestApp({ engine });
    await step(app, { agreement: 'I agree.' });
    const { id, key } = await app.given.invitationKey();
    const member = app.as(await somebodyElsewhere(app));

    const shown = await member.get(`/join/${key}`);
    const add = await goOn(member, shown, { agreed: 'true' });
    await member.submitShown(add, {}, { action: '/join/step/add' });

    expect(words(shown.text)).toContain('House rules');
    expect((await redemptionsOf(app, id)).items[0]).toMatchObject({
      status: 'active',
      agreed: [{ title: 'House rules' }],
    });
  });

  test('are agreed to by a program for the account of its token, on record', async () => {
    const app = await startTestApp({ engine });
    const { id: rules } = await step(app, { agreement: 'I agree.' });
    const { id, key } = await app.given.invitationKey();
    const member = app.api(await somebodyElsewhere(app));

    const refused = await member.call('POST', '/api/v1/join/me', { key });
    const joined = await member.call('POST', '/api/v1/join/me', { key, accepted: [`${rules}@1`] });

    expect(refused.json().code).toBe('invitation.steps_first');
    expect(joined.status).toBe(201);
    expect((await redemptionsOf(app, id)).items[0]).toMatchObject({ agreed: [{ title: 'House rules' }] });
  });

  test('are added by another plugin, in its own words', async () => {
    const pluginDir = await temporaryFolder();
    await useFixture(pluginDir, 'doorkeeper');
    const app = await startTestApp({ engine, pluginDir });
    const owner = app.as(await app.given.owner());
    await owner.submit('/admin/plugins', {}, { action: '/admin/plugins/doorkeeper/enable' });
    const { key } = await app.given.invitationKey({ label: 'Through the front door' });
    const phone = app.guest();

    const shown = await phone.get(`/join/${key}`);
    const refused = await joinByApi(app, key, somebody());
    const form = await goOn(phone, shown, { agreed: 'true' });

    expect(words(shown.text)).toContain('At the front door');
    expect(shown.text).toContain('<strong>visibly</strong>');
    expect(refused.json().code).toBe('invitation.steps_first');
    expect(words(form.text)).toContain('Create my account');
  });

  test('are written and ordered by administrators, and by nobody else', async () => {
    const app = await startTestApp({ engine });
    const owner = app.as(await app.given.owner());
    const technician = app.as(await app.given.technician());

    await owner.submit(
      '/invitation-keys/steps/new',
      { phase: 'before', scope: 'everywhere', title: 'One', body: 'First.' },
      { action: '/invitation-keys/steps' },
    );
    const two = await owner.submit(
      '/invitation-keys/steps/new',
      { phase: 'before', scope: 'everywhere', title: 'Two', body: 'Second.' },
      { action: '/invitation-keys/steps' },
    );
    const moved = await owner.submitShown(two, {}, { action: upOf(two) });
    const empty = await owner.submit(
      '/invitation-keys/steps/new',
      { phase: 'before', scope: 'everywhere', title: '', body: '' },
      { action: '/invitation-keys/steps' },
    );

    const api = app.api(await app.given.owner());
    const listed = async (): Promise<{ id: string; title: string }[]> =>
      (await api.call('GET', '/api/v1/invitation-keys/steps')).json().items as never;
    const [first] = await listed();
    await api.call('POST', `/api/v1/invitation-keys/steps/${first?.id ?? ''}/move`, { direction: 'down' });
    const down = await listed();
    const removed = await api.call('DELETE', `/api/v1/invitation-keys/steps/${first?.id ?? ''}`);

    expect(down.map(({ title }) => title)).toEqual(['One', 'Two']);
    expect([removed.status, (await listed()).length]).toEqual([204, 1]);
    expect(words(two.text)).toMatch(/One .* Two /);
    expect(words(moved.text)).toMatch(/Two .* One /);
    expect(empty.status).toBe(422);
    expect((await technician.get('/invitation-keys/steps/new')).status).toBe(403);
    expect(
      (await app.api(await app.given.user()).call('POST', '/api/v1/invitation-keys/steps', {})).status,
    ).toBe(403);
  });
});

const upOf = ({ text }: Answer): string =>
  /action="(\/invitation-keys\/steps\/\w+\/up)"/.exec(text)?.[1] ?? '';
const hiddenIn = ({ text }: Answer): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
      name ?? '',
      value ?? '',
    ]),
  );

import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { hours } from '../../../test/support/clock.ts';
import type { HttpClient } from '../../../test/support/http-client.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { joinByApi, keyOf, redemptionsOf, somebody, statusesOf } from './desk.ts';

const ROUNDS = '/api/v1/invitation-keys/rounds';

interface Rostered {
  api: HttpClient;
  id: string;
  key: string;
}

/** A shared key that works for the people on a list. */
async function rostered(
  app: TestApp,
  people: string,
  decision: object = {},
  list: object = {},
): Promise<Rostered> {
  const api = app.api(await app.given.owner());
  const { id, key } = await app.given.invitationKey({ emailProof: 'required', maxUses: 100 });
  const opened = await api.call('POST', ROUNDS, { people, keyId: id, ...list });
  const round = String(opened.json().id);
  const started = await api.call('POST', `${ROUNDS}/${round}/start`, { kind: 'roster', ...decision });
  expect(started.status).toBe(200);
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await api.call('GET', `${ROUNDS}/${round}`)).json().state === 'done') return { api, id, key };
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('The list was not written');
}

const countsOf = async ({ api, id }: Rostered): Promise<Record<string, number>> =>
  (await api.call('GET', `/api/v1/invitation-keys/${id}/roster`)).json();

describeOnEachEngine('a key with a list', (engine) => {
  test('lets in whoever is on it, once each, and nobody else; the seat of a refusal is not spent', async () => {
    const app = await startTestApp({ engine, mail: true });
    const roster = await rostered(app, 'a@acme.test\nb@acme.test');

    const listed = await joinByApi(app, roster.key, somebody({ email: 'A@acme.test' }));
    const stranger = await joinByApi(app, roster.key, somebody({ email: 'x@acme.test' }));

    expect(listed.json()).toEqual({ status: 'pending_email' });
    expect([stranger.status, stranger.json().code]).toEqual([422, 'invitation.not_listed']);
    expect(await keyOf(app, roster.id)).toMatchObject({ uses: 1 });
    expect(await countsOf(roster)).toMatchObject({ total: 2, joined: 0, inProgress: 1, missing: 1 });
  });

  test('gives a place back with a seat that lapses, and takes it again', async () => {
    const app = await startTestApp({ engine, mail: true });
    const roster = await rostered(app, 'a@acme.test');
    await joinByApi(app, roster.key, somebody({ email: 'a@acme.test' }));

    app.clock.advance(hours(23));
    const held = await countsOf(roster);
    app.clock.advance(hours(1.1));
    await app.house.domains.jobs.runNow('registration-key.give-back-seats');
    const api = app.api(await app.given.owner());
    const free = await countsOf({ ...roster, api });
    const again = await joinByApi(app, roster.key, somebody({ email: 'a@acme.test' }));

    expect(held).toMatchObject({ inProgress: 1, missing: 0 });
    expect(free).toMatchObject({ inProgress: 0, missing: 1 });
    expect(again.json()).toEqual({ status: 'pending_email' });
  });

  test('of staff numbers asks for one, and each works for one person however many try at once', async () => {
    const app = await startTestApp({ engine });
    const api = app.api(await app.given.owner());
    const { id, key } = await app.given.invitationKey({ emailProof: 'none', maxUses: 100 });
    const round = (
      await api.call('POST', ROUNDS, { people: 'Matricule\n00-123\nA 7', keyId: id, numbers: true })
    ).json();
    await api.call('POST', `${ROUNDS}/${String(round.id)}/start`, { kind: 'roster' });
    for (let tries = 0; tries < 100; tries += 1)
      if ((await api.call('GET', `${ROUNDS}/${String(round.id)}`)).json().state === 'done') break;
    const join = (number: string): ReturnType<typeof joinByApi> =>
      joinByApi(app, key, somebody(), { answers: { 'roster-number': number } });

    const form = await app.guest().get(`/join/${key}`);
    const wrong = await join('99');
    const storm = await Promise.all(Array.from({ length: 8 }, () => join(' 00123 ')));
    const other = await join('a7');

    expect(form.text).toContain('Your staff number');
    expect([wrong.status, wrong.json().code]).toEqual([422, 'invitation.number_not_listed']);
    expect(statusesOf(storm)).toEqual({ '201': 1, '422': 7 });
    expect(other.json()).toEqual({ status: 'active' });
    expect(await keyOf(app, id)).toMatchObject({ uses: 2 });
    expect((await redemptionsOf(app, id)).total).toBe(2);
    expect(await countsOf({ api, id, key })).toMatchObject({ joined: 2, missing: 0 });
  });

  test('is kept so that nobody can read it, unless its maker chose to name the missing', async () => {
    const app = await startTestApp({ engine, mail: true });
    const closed = await rostered(app, 'secret.person@acme.test');
    const open = await rostered(app, 'other.person@acme.test', { keepsAddresses: true });
    const rows = JSON.stringify(await app.db.knex('invite_roster_entry'), (_name, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );

    const unnamed = (
      await closed.api.call('GET', `/api/v1/invitation-keys/${closed.id}/roster/missing`)
    ).json();
    const named = (await open.api.call('GET', `/api/v1/invitation-keys/${open.id}/roster/missing`)).json();
    const refused = await closed.api.call('POST', `/api/v1/invitation-keys/${closed.id}/roster/nudge`, {});

    expect(rows).not.toContain('person@acme.test');
    expect(unnamed.items).toEqual([]);
    expect(named.items).toMatchObject([{ address: 'other.person@acme.test' }]);
    expect([refused.status, refused.json().code]).toEqual([409, 'roster.no_addresses']);
  });

  test('writes to those who are missing with one button, once a day, and their mail lets them in at once', async () => {
    const app = await startTestApp({ engine, mail: true });
    const roster = await rostered(app, 'a@acme.test\nb@acme.test', { keepsAddresses: true });
    await joinByApi(app, roster.key, somebody({ email: 'a@acme.test' }));

    const nudge = (): Promise<{ status: number }> =>
      roster.api.call('POST', `/api/v1/invitation-keys/${roster.id}/roster/nudge`, {});
    const [first, second] = [await nudge(), await nudge()];
    const letter = await app.mailbox.next('b@acme.test');
    const joined = await app
      .guest()
      .submit(
        letter.links[0] ?? '',
        { email: 'b@acme.test', name: 'Bo', password: somebody().password },
        { action: '/join' },
      );

    expect([first.status, second.status]).toEqual([201, 409]);
    expect(new URL(joined.url).pathname).toBe('/tickets/new');
    expect(await countsOf(roster)).toMatchObject({ joined: 1, inProgress: 1, missing: 0 });
  });

  test('is not open to those who cannot prove their address, and forgets somebody who is taken off it', async () => {
    const app = await startTestApp({ engine, mail: true });
    const roster = await rostered(app, 'a@acme.test\nb@acme.test');
    const open = await app.given.invitationKey({ emailProof: 'none' });
    const list = (await roster.api.call('POST', ROUNDS, { people: 'a@acme.test', keyId: open.id })).json();

    const unproven = await roster.api.call('POST', `${ROUNDS}/${String(list.id)}/start`, { kind: 'roster' });
    const removed = await roster.api.call('POST', `/api/v1/invitation-keys/${roster.id}/roster/remove`, {
      who: 'A@acme.test ',
    });
    const late = await joinByApi(app, roster.key, somebody({ email: 'a@acme.test' }));

    expect([unproven.status, unproven.json().code]).toEqual([409, 'roster.needs_proof']);
    expect(removed.json()).toMatchObject({ total: 1 });
    expect(late.json().code).toBe('invitation.not_listed');
  });

  test('still asks for proof when the key was made laxer, and a key that was mailed is not deleted from under its people', async () => {
    const app = await startTestApp({ engine, mail: true });
    const roster = await rostered(app, 'a@acme.test');
    const { version } = await keyOf(app, roster.id);
    await roster.api.call('PATCH', `/api/v1/invitation-keys/${roster.id}`, { version, emailProof: 'none' });

    const joined = await joinByApi(app, roster.key, somebody({ email: 'a@acme.test' }));
    const mailed = await app.given.invitationKey({ emailProof: 'required' });
    await roster.api.call('POST', `/api/v1/invitation-keys/${mailed.id}/invited`, {
      emails: ['b@acme.test'],
    });
    const deleted = await roster.api.call('DELETE', `/api/v1/invitation-keys/${mailed.id}`);

    expect(joined.json()).toEqual({ status: 'pending_email' });
    expect([deleted.status, deleted.json().code]).toEqual([409, 'invitation.has_history']);
  });
});

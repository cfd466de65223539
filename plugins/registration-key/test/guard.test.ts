import { describe, expect, test } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import type { Answer, HttpClient } from '../../../test/support/http-client.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { tripReason, weighed } from '../src/guard/breaker-rules.ts';
import { drawingOf } from '../src/tree/tree-drawing.ts';
import { joinByApi, joinByBrowser, keyOf, redemptionsOf, somebody } from './desk.ts';

const DAY_MS = 86_400_000;

const calm = { joins: 0, networks: 0, rejected: 0, tried: 0, usualJoins: 0, usualNetworks: 0 };
const limits = { factor: 10, joins: 50, networks: 100, rejectedShare: 50, rejectedAtLeast: 20 };
const open = { isClosed: false };

describe('what is unusual', () => {
  test('is ten times the usual, and never less than the floor', () => {
    expect(tripReason({ ...calm, joins: 49 }, limits, open)).toBeNull();
    expect(tripReason({ ...calm, joins: 50, usualJoins: 1 }, limits, open)).toBe('speed');
    expect(tripReason({ ...calm, joins: 50, usualJoins: 6 }, limits, open)).toBeNull();
    expect(tripReason({ ...calm, networks: 100 }, limits, open)).toBe('spread');
  });

  test('is never a class of three hundred behind one address', () => {
    expect(weighed(new Map([['203.0.113.0/24', 300]]))).toBe(5);
  });

  test('of a key that admits only proven addresses is who was turned away', () => {
    const rush = { ...calm, joins: 500, networks: 500, tried: 500 };
    expect(tripReason(rush, limits, { isClosed: true })).toBeNull();
    expect(tripReason({ ...rush, rejected: 20 }, limits, { isClosed: true })).toBeNull();
    expect(tripReason({ ...calm, rejected: 20, tried: 40 }, limits, { isClosed: true })).toBe('rejected');
  });
});

test('a tree is drawn with a parent in the middle of its children', () => {
  const node = (id: string, children: Parameters<typeof drawingOf>[0][] = []) => ({
    person: { id, name: id, email: '', isOff: false },
    branch: null,
    invited: children.length,
    children,
  });
  const drawing = drawingOf(node('a', [node('b'), node('c', [node('d')])]));

  const at = (id: string) => drawing.nodes.find((one) => one.id === id);
  expect(drawing.links).toHaveLength(3);
  expect(at('a')?.y).toBe(((at('b')?.y ?? 0) + (at('c')?.y ?? 0)) / 2);
  expect(at('d')?.y).toBe(at('c')?.y);
});

/** People who join from as many networks, put straight into the rows that joining writes. */
async function joinFromEverywhere(app: TestApp, keyId: string, count: number): Promise<void> {
  const now = app.clock.now();
  const [sample] = (await app.db.knex('invite_redemption').where({ key_id: keyId }).limit(1)) as Record<
    string,
    unknown
  >[];
  await app.db.transaction(async (tx) => {
    for (let at = 0; at < count; at += 1)
      await tx.knex('invite_redemption').insert({
        ...sample,
        id: `01J0000000000000000${String(at).padStart(7, '0')}`,
        seat: 1000 + at,
        user_id: null,
        address_slot: null,
        attempt_id: null,
        network: `198.51.${String(at)}.0/24`,
        at: now,
      });
  });
}

interface Happened {
  kind: string;
  at: string;
  node: string;
  network: string;
  after: object | null;
}

async function historyOf(api: HttpClient, id: string): Promise<Happened[]> {
  const answer = await api.call('GET', `/api/v1/invitation-keys/${id}/history`);
  return (answer.json() as { items: Happened[] }).items;
}

const write = (app: TestApp, work: (knex: TestApp['db']['knex']) => PromiseLike<unknown>): Promise<unknown> =>
  app.db.transaction(async (tx) => work(tx.knex));

const runJob = (app: TestApp, id: string): Promise<unknown> =>
  app.house.domains.jobs.runNow(`registration-key.${id}`);

describeOnEachEngine('the breaker', (engine) => {
  test(
    'pauses a key that everybody suddenly uses, and its owner lets people in again with one button',
    { timeout: 60_000 },
    async () => {
      const app = await startTestApp({ engine });
      const owner = await app.given.owner();
      const { id, key } = await app.given.invitationKey({ maxUses: null });
      await joinByApi(app, key, somebody());
      await joinFromEverywhere(app, id, 60);

      await runJob(app, 'watch-keys');
      const refused = await joinByApi(app, key, somebody());
      const page = await app.as(owner).get(`/invitation-keys/${id}`);
      await app
        .as(owner)
        .submit(`/invitation-keys/${id}`, {}, { action: `/invitation-keys/${id}/guard/raise` });
      await runJob(app, 'watch-keys');
      const again = await joinByApi(app, key, somebody());

      expect([refused.status, refused.json().code]).toEqual([503, 'invitation.paused']);
      expect(page.text).toContain('far more than usual');
      expect(again.status).toBe(201);
      expect(await keyOf(app, id)).toMatchObject({ status: 'active', pausedReason: null });
    },
  );

  test('leaves a class behind one address alone', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ maxUses: null });
    await joinByApi(app, key, somebody());
    await joinFromEverywhere(app, id, 300);
    await write(app, (knex) =>
      knex('invite_redemption').where({ key_id: id }).update({ network: '203.0.113.0/24' }),
    );

    await runJob(app, 'watch-keys');

    expect(await keyOf(app, id)).toMatchObject({ status: 'active' });
  });
});

describeOnEachEngine('a leak', (engine) => {
  test('is undone for everybody who came after a moment, and turned back with one button', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    const [before, after] = [somebody(), somebody()];
    await joinByApi(app, key, before);
    app.clock.advance(DAY_MS);
    const since = new Date(app.clock.now()).toISOString();
    await joinByApi(app, key, after);
    const api = app.api(await app.given.owner());
    const statusOf = async ({ email }: { email: string }): Promise<string | undefined> =>
      (await app.house.domains.users.findByEmail(email))?.status;

    const preview = await api.call('POST', `/api/v1/invitation-keys/${id}/undo/preview`, {
      since,
      action: 'suspend',
    });
    const started = await api.call('POST', `/api/v1/invitation-keys/${id}/undo`, {
      since,
      action: 'suspend',
    });
    await runJob(app, 'undo-leaks');
    const suspended = [await statusOf(before), await statusOf(after)];
    await api.call('POST', `/api/v1/invitation-keys/undo/${String(started.json().id)}/reverse`);
    await runJob(app, 'undo-leaks');

    expect(preview.json().people).toMatchObject([{ name: after.name }]);
    expect([started.status, started.json().state]).toEqual([201, 'running']);
    expect(suspended).toEqual(['active', 'disabled']);
    expect([await statusOf(before), await statusOf(after)]).toEqual(['active', 'active']);
  });

  test('reaches whom those people invited, and forgets them after thirty days when that was wanted', async () => {
    const app = await startTestApp({ engine });
    const owner = await app.given.owner();
    const api = app.api(owner);
    const { id, key } = await app.given.invitationKey();
    const [first, second] = [somebody(), somebody()];
    await joinByApi(app, key, first);
    const inviter = await app.house.domains.users.findByEmail(first.email);
    const other = await app.given.invitationKey();
    await write(app, (knex) =>
      knex('invite_key').where({ id: other.id }).update({ owner_id: inviter?.id }).increment('version', 1),
    );
    const grant = { user_id: inviter?.id };
    await write(app, (knex) =>
      knex('grants').where(grant).update({ profile_id: '000000000000000000000000P4', is_recursive: 1 }),
    );
    await joinByApi(app, other.key, second);
    await write(app, (knex) =>
      knex('grants').where(grant).update({ profile_id: '000000000000000000000000P1', is_recursive: 0 }),
    );
    const since = new Date(app.clock.now() - 60_000).toISOString();

    const started = await api.call('POST', `/api/v1/invitation-keys/${id}/undo`, {
      since,
      action: 'delete',
      withDescendants: true,
    });
    await runJob(app, 'undo-leaks');
    const under = await api.call('GET', `/api/v1/invitation-keys/undo/${String(started.json().id)}`);
    app.clock.advance(31 * DAY_MS);
    await runJob(app, 'undo-leaks');

    const names = (under.json().people as { name: string }[]).map(({ name }) => name).sort();
    expect(names).toEqual([first.name, second.name].sort());
    expect(await app.house.domains.users.findByEmail(second.email)).toBeNull();
    const late = await api.call('POST', `/api/v1/invitation-keys/undo/${String(started.json().id)}/reverse`);
    expect(late.status).toBeGreaterThanOrEqual(401);
  });

  test(
    'is closed and undone in one go where a key is revoked, with a way back',
    { timeout: 60_000 },
    async () => {
      const app = await startTestApp({ engine });
      const browser = app.as(await app.given.owner());
      const { id, key } = await app.given.invitationKey();
      const newcomer = somebody();
      await joinByApi(app, key, newcomer);

      const page = await browser.get(`/invitation-keys/${id}/revoke`);
      const done = await browser.submitShown(
        page,
        { also: 'everybody' },
        { action: `/invitation-keys/${id}/revoke` },
      );
      await runJob(app, 'undo-leaks');
      const refused = await joinByApi(app, key, somebody());
      const person = await app.house.domains.users.findByEmail(newcomer.email);

      expect(page.text).toContain('1 person');
      expect(done.url).toContain('/invitation-keys/undo/');
      expect(done.text).toContain(`/invitation-keys/${id}/restore`);
      expect(refused.status).toBe(410);
      expect(person?.status).toBe('disabled');
    },
  );

  test('is nobody else’s to undo', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    await joinByApi(app, key, somebody());
    const body = { since: '2020-01-01T00:00:00Z', action: 'suspend' };

    const stranger = await app.guest().call('POST', `/api/v1/invitation-keys/${id}/undo`, body);
    const reader = await app
      .api(await app.given.user({ profile: 'supervisor' }))
      .call('POST', `/api/v1/invitation-keys/${id}/undo`, body);

    expect([stranger.status, reader.status]).toEqual([401, 403]);
  });
});

describeOnEachEngine('evidence', (engine) => {
  test('names kind, time, process and network of what happened, and forgets the network in time', async () => {
    const app = await startTestApp({ engine });
    const api = app.api(await app.given.owner());
    const { id, key } = await app.given.invitationKey({ maxUses: 1 });
    await joinByApi(app, key, somebody());
    await joinByApi(app, key, somebody());

    const history = await historyOf(api, id);
    app.clock.advance(31 * DAY_MS);
    await runJob(app, 'forget-networks');
    const later = await historyOf(app.api(await app.given.owner()), id);

    expect(history.map(({ kind }) => kind)).toEqual(['refused', 'redeemed', 'minted']);
    expect(history[0]).toMatchObject({ after: { reason: 'invitation.used_up' } });
    expect(history.every(({ node, at }) => node === app.house.ground.node && at.endsWith('Z'))).toBe(true);
    expect(history[1]?.network).not.toBe('');
    expect(later.map(({ network }) => network)).toEqual(['', '', '']);
  });

  test('cannot be changed, not even in the database', { timeout: 60_000 }, async () => {
    const app = await startTestApp({ engine, isNew: true });
    const event = {
      id: 'E',
      key_id: 'K',
      entity_id: 'N',
      kind: 'refused',
      at: 1,
      node: 'n',
      network: '::/48',
    };
    await write(app, (knex) => knex('invite_event').insert(event));

    const change = write(app, (knex) => knex('invite_event').update({ kind: 'opened' }));
    await expect(change).rejects.toThrow('never changed');
    await write(app, (knex) => knex('invite_event').update({ network: '' }));
    const removal = write(app, (knex) => knex('invite_event').delete());
    await expect(removal).rejects.toThrow('never removed');
  });
});

describeOnEachEngine('a leaked key', (engine) => {
  test('is paused by whoever reports it, and the page says the same for one that never was', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();

    const real = await app.guest().submit('/join/report', { key });
    const unknown = await app
      .guest()
      .submit('/join/report', { key: 'lkinv_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN' });
    const nonsense = await app.guest().submit('/join/report', { key: 'hello' });

    expect([real.status, unknown.status, nonsense.status]).toEqual([200, 200, 200]);
    expect(new Set([real.url, unknown.url, nonsense.url]).size).toBe(1);
    expect(await keyOf(app, id)).toMatchObject({ status: 'paused', pausedReason: 'reported' });
  });
});

describeOnEachEngine('who joined', (engine) => {
  test('can be searched, narrowed and exported, and leads to the tree', async () => {
    const app = await startTestApp({ engine });
    const owner = await app.given.owner();
    const { id, key } = await app.given.invitationKey();
    await joinByApi(app, key, somebody({ name: 'Zoë Quill', email: 'zoe@acme.test' }));
    await joinByApi(app, key, somebody({ name: '=HYPERLINK(1)', email: 'eve@acme.test' }));
    const browser = app.as(owner);

    const found = await browser.get(`/invitation-keys/${id}/people?q=quill`);
    const csv = await browser.get(`/invitation-keys/${id}/people/export.csv`);
    const [row] = (await redemptionsOf(app, id)).items.filter(({ name }) => name === 'Zoë Quill');
    const tree = await browser.get(`/invitation-keys/tree?person=${owner.id}`);
    const page = await browser.get(`/invitation-keys/tree?person=${String(row?.['userId'])}`);

    expect(found.text).toContain('zoe@acme.test');
    expect(found.text).not.toContain('eve@acme.test');
    expect(csv.text).toContain("'=HYPERLINK(1)");
    expect(tree.text).toContain('Zoë Quill');
    expect(page.text).toContain(owner.name);
  });
});

/** The button beside "send", which posts the same form elsewhere. */
async function inviteFrom(
  browser: HttpClient,
  number: number,
  values: { inviteEmail: string; body: string },
): Promise<Answer> {
  const page = await browser.get(`/tickets/${String(number)}`);
  const action = `/invitation-keys/for-ticket/${String(number)}`;
  const text = page.text.replaceAll(`/tickets/${String(number)}/follow-ups`, action);
  return browser.submitShown({ ...page, text }, values, { action });
}

describeOnEachEngine('a key that an agent drops into a reply', (engine) => {
  test(
    'brings whoever joins by it to their ticket, and gives them every other that waits for the address',
    { timeout: 60_000 },
    async () => {
      const app = await startTestApp({ engine, mail: true });
      const agent = await app.given.administrator({ name: 'Agnes Agent' });
      const browser = app.as(agent);
      const first = await app.given.ticket({ requester: agent, title: 'Called about the scanner' });
      const second = await app.given.ticket({ requester: agent, title: 'Called about the printer' });
      for (const { ticket } of [first, second])
        await inviteFrom(browser, ticket.number, {
          inviteEmail: 'kim@acme.test',
          body: 'You can answer here.',
        });
      const aboutFirst = new RegExp(`#${String(first.ticket.number)}$`);
      const mail = await app.mailbox.next('kim@acme.test', { subject: aboutFirst });
      const [link] = /http\S+\/join\/\S+/.exec(mail.text) ?? [];
      const page = await browser.get(`/tickets/${String(first.ticket.number)}`);

      const kim = app.guest();
      const landed = await joinByBrowser(kim, new URL(link ?? '').pathname.replace('/join/', ''), {
        email: 'kim@acme.test',
        name: 'Kim Caller',
      });
      const mine = await kim.get('/tickets');

      expect(mail.subject).toBe(
        `Agnes Agent invited you to follow your request #${String(first.ticket.number)}`,
      );
      for (const part of [mail.text, mail.html]) expect(part).toContain('Called about the scanner');
      expect(page.text).toContain('You can answer here.');
      expect(page.text).not.toContain('lkinv_');
      expect(landed.url).toMatch(/\/tickets\/\d+$/);
      expect(mine.text).toContain('Called about the scanner');
      expect(mine.text).toContain('Called about the printer');
    },
  );

  test('is not offered to a stranger, nor where the requester has an account', async () => {
    const app = await startTestApp({ engine });
    const agent = await app.given.administrator();
    const { ticket, requester } = await app.given.ticket();
    const own = await app.given.ticket({ requester: agent });
    const body = { inviteEmail: 'kim@acme.test', body: 'Hello' };

    const shown = await app.as(agent).get(`/tickets/${String(ticket.number)}`);
    const offered = await app.as(agent).get(`/tickets/${String(own.ticket.number)}`);
    const asked = await inviteFrom(app.as(requester), ticket.number, body);
    const refused = await inviteFrom(app.as(agent), ticket.number, body);

    expect(shown.text).not.toContain('for-ticket');
    expect(offered.text).toContain('for-ticket');
    expect([asked.status, refused.status]).toEqual([403, 409]);
    expect(refused.text).toContain('kim@acme.test');
    expect(await app.db.knex('invite_key').count({ count: '*' }).first()).toMatchObject({ count: 0 });
  });
});

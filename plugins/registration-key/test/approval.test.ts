import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { startTestApp } from '../../../test/support/test-app.ts';
import { joinByApi, joinByBrowser, keyOf, PASSWORD, redemptionsOf, somebody } from './desk.ts';

describeOnEachEngine('approval', (engine) => {
  test('by hand: no account before the yes, an account after it', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ approval: 'manual' });
    const phone = app.guest();
    const admin = app.as(await app.given.owner());

    const waiting = await joinByBrowser(phone, key, { email: 'jo@acme.test', name: 'Jo Martin' });
    const before = await app.house.domains.users.findByEmail('jo@acme.test');
    const list = await admin.get('/invitation-keys/approvals');
    const [row] = (await redemptionsOf(app, id)).items;
    await admin.submitShown(
      list,
      { id: String(row?.['id']), decision: 'approve' },
      { action: '/invitation-keys/approvals' },
    );

    expect(waiting.text).toContain('Almost there');
    expect([...phone.cookies.keys()].some((name) => /^latchkey_[0-9a-z]+$/i.test(name))).toBe(false);
    expect(before).toBeNull();
    expect(list.text).toContain('Jo Martin');
    expect((await redemptionsOf(app, id)).items).toMatchObject([{ status: 'active', name: 'Jo Martin' }]);
    expect(
      (await app.guest().submit('/login', { email: 'jo@acme.test', password: PASSWORD })).url,
    ).not.toContain('/login');
  });

  test('refused: no account, the place is free again, and the page says why', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ approval: 'manual', maxUses: 1 });
    const phone = app.guest();
    const waiting = await joinByBrowser(phone, key, { email: 'jo@acme.test' });
    const admin = app.as(await app.given.owner());
    const [row] = (await redemptionsOf(app, id)).items;

    await admin.submit(
      '/invitation-keys/approvals',
      {
        id: String(row?.['id']),
        decision: 'decline',
        reason: 'Please use your work address.',
      },
      { action: '/invitation-keys/approvals' },
    );

    expect(await keyOf(app, id)).toMatchObject({ uses: 0 });
    expect((await phone.get(waiting.url.slice(app.origin.length))).text).toContain(
      'Please use your work address.',
    );
    expect((await joinByApi(app, key, somebody())).json()).toEqual({ status: 'pending_approval' });
    expect(await app.house.domains.users.findByEmail('jo@acme.test')).toBeNull();
  });

  test('by domain: the listed are in once proven, others wait', async () => {
    const app = await startTestApp({ engine, mail: true });
    const { id, key } = await app.given.invitationKey({
      approval: 'domain',
      emailDomains: ['acme.test'],
      emailProof: 'required',
    });
    for (const email of ['jo@acme.test', 'jo@else.test']) {
      const phone = app.guest();
      const waiting = await joinByBrowser(phone, key, { email, name: email });
      const letter = await app.mailbox.next(email);
      await phone.submitShown(
        waiting,
        { code: /(\d{3} \d{3})/.exec(letter.subject)?.[1] ?? '' },
        { action: '/join/step/confirm' },
      );
    }

    const { items } = await redemptionsOf(app, id);

    expect(items.map(({ status }) => status).sort()).toEqual(['active', 'pending_approval']);
    expect(items.find(({ status }) => status === 'active')).toMatchObject({ name: 'jo@acme.test' });
    expect((await app.mailbox.next('olive@example.org')).subject).toContain('is waiting for approval');
  });

  test('of a class is told once, by bell and by mail, and again to whoever waits later', async () => {
    const app = await startTestApp({ engine, mail: true });
    const owner = await app.given.owner();
    const { key } = await app.given.invitationKey({ approval: 'manual', emailProof: 'none' });
    const told = (): Promise<{ params: string }[]> =>
      app.db.knex('notification').where({ user_id: owner.id, kind: 'registration-key.approval-needed' });

    for (const name of ['Ada', 'Blaise', 'Chloé']) await joinByApi(app, key, somebody({ name }));
    const first = await told();
    app.clock.advance(16 * 60_000);
    await joinByApi(app, key, somebody({ name: 'Dunja' }));

    expect(first).toHaveLength(1);
    expect(JSON.stringify(first)).toContain('Ada');
    expect(await told()).toHaveLength(2);
    const letters = [await app.mailbox.next(owner.email), await app.mailbox.next(owner.email)];
    expect(letters.map(({ subject }) => subject).sort()).toEqual([
      'Ada is waiting for approval',
      'Dunja is waiting for approval',
    ]);
    expect(letters[0]?.links[0]).toContain('/invitation-keys/approvals');
  });

  test('two administrators decide once', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ approval: 'manual' });
    await joinByApi(app, key, somebody());
    const [row] = (await redemptionsOf(app, id)).items;
    const owner = await app.given.owner();
    const [one, other] = [app.as(owner), app.as(owner)];
    const [first, second] = [
      await one.get('/invitation-keys/approvals'),
      await other.get('/invitation-keys/approvals'),
    ];

    await Promise.all([
      one.submitShown(
        first,
        { id: String(row?.['id']), decision: 'approve' },
        { action: '/invitation-keys/approvals' },
      ),
      other.submitShown(
        second,
        { id: String(row?.['id']), decision: 'decline' },
        { action: '/invitation-keys/approvals' },
      ),
    ]);

    const status = (await redemptionsOf(app, id)).items[0]?.['status'];
    expect(['active', 'declined']).toContain(status);
    expect(await keyOf(app, id)).toMatchObject({ uses: status === 'active' ? 1 : 0 });
  });
});

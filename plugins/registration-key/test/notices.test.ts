import { expect, test } from 'vitest';
import { guest } from '../../../src/shared/actor.ts';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { joinByApi, somebody } from './desk.ts';

const [MINUTE, DAY] = [60_000, 86_400_000];

const work = (app: TestApp): Promise<void> => app.house.domains.jobs.runNow('registration-key.tell-owners');

/** What the owner's bell says, newest first. */
async function heard(app: TestApp): Promise<string[]> {
  const owner = app.api(await app.given.owner());
  const answer = await owner.call('GET', '/api/v1/notifications');
  return (answer.json() as { items: { kind: string }[] }).items.map(({ kind }) => kind);
}

const inDays = (app: TestApp, days: number): string => new Date(app.clock.now() + days * DAY).toISOString();

describeOnEachEngine('the owner of an invitation', (engine) => {
  test('hears once that it is nearly used up, that it ends soon, and that it has ended', async () => {
    const app = await startTestApp({ engine });
    await work(app);
    const { key } = await app.given.invitationKey({ maxUses: 5, expiresAt: inDays(app, 5) });
    for (let one = 1; one <= 4; one += 1) await joinByApi(app, key, somebody());

    await work(app);
    await work(app);
    expect(await heard(app)).toEqual(['registration-key.nearly-used-up']);
    app.clock.advance(3.5 * DAY);
    await work(app);
    await work(app);
    app.clock.advance(2 * DAY);
    await work(app);
    await work(app);

    expect((await heard(app)).filter((kind) => kind !== 'registration-key.digest')).toEqual([
      'registration-key.ended',
      'registration-key.ends-soon',
      'registration-key.nearly-used-up',
    ]);
  });

  test('hears by mail why an invitation was paused, unless that is not wanted', async () => {
    const app = await startTestApp({ engine, mail: true });
    const owner = await app.given.owner();
    const actor = await app.house.domains.users.actorOf(owner.id);
    const choose = (mail: boolean): Promise<void> =>
      app.house.domains.notifications.choose(actor ?? guest('en'), [
        { kind: 'registration-key.paused', bell: true, mail },
      ]);
    const pause = async (label: string): Promise<void> => {
      const { key } = await app.given.invitationKey({ label });
      await app.guest().submit('/join/report', { key });
    };

    await choose(false);
    await pause('By bell only');
    await choose(true);
    await pause('By mail as well');
    const letter = await app.mailbox.next(owner.email);

    expect(await heard(app)).toEqual(['registration-key.paused', 'registration-key.paused']);
    expect(letter.subject).toBe('The invitation “By mail as well” is paused');
    expect(letter.text).toContain('it was found where it should not be');
    expect(letter.html).toContain('it was found where it should not be');
  });

  test('hears when nobody has joined within a week', async () => {
    const app = await startTestApp({ engine });
    await app.given.invitationKey({ expiresAt: null });

    app.clock.advance(6 * DAY);
    await work(app);
    const before = await heard(app);
    app.clock.advance(1.5 * DAY);
    await work(app);
    await work(app);

    expect([before, await heard(app)]).toEqual([[], ['registration-key.nobody-joined']]);
  });

  test('hears that somebody came from a country new to the invitation, and nothing of the first or of home', async () => {
    const app = await startTestApp({ engine, config: { TRUST_PROXY: 'loopback' } });
    await work(app);
    const { key } = await app.given.invitationKey({ maxUses: 50 });
    const joinFrom = async (address: string): Promise<void> => {
      const guest = app.guest();
      guest.headers.set('X-Forwarded-For', address);
      expect((await guest.call('POST', '/api/v1/join', { key, ...somebody() })).status).toBe(201);
      app.clock.advance(MINUTE);
      await work(app);
    };

    for (const french of ['212.27.48.10', '2a01:e00::1', '192.168.1.5']) await joinFrom(french);
    const before = await heard(app);
    await joinFrom('81.2.69.142');
    await joinFrom('81.2.69.143');

    expect([before, await heard(app)]).toEqual([[], ['registration-key.new-country']]);
    const owner = app.api(await app.given.owner());
    const { items } = (await owner.call('GET', '/api/v1/notifications')).json() as { items: object[] };
    expect(JSON.stringify(items)).toContain('United Kingdom');
  });

  test('hears of each joining, of all of them once a day, or of none, as chosen', async () => {
    const app = await startTestApp({ engine });
    const owner = app.api(await app.given.owner());
    const choose = async (id: string, joins: string): Promise<void> => {
      const answer = await owner.call('PUT', `/api/v1/invitation-keys/${id}/notices`, {
        joins,
        warnings: true,
      });
      expect(answer.status).toBe(200);
    };
    app.clock.advance(DAY - (app.clock.now() % DAY) + 10 * 3_600_000);
    await work(app);
    const [each, daily, none] = [
      await app.given.invitationKey({ maxUses: 50 }),
      await app.given.invitationKey({ maxUses: 50 }),
      await app.given.invitationKey({ maxUses: 50 }),
    ];
    await choose(each.id, 'each');
    await choose(none.id, 'none');
    for (const { key } of [each, each, daily, none]) await joinByApi(app, key, somebody());

    app.clock.advance(MINUTE);
    await work(app);
    await work(app);
    expect(await heard(app)).toEqual(['registration-key.joined']);
    app.clock.advance(DAY);
    await work(app);
    await work(app);

    expect(await heard(app)).toEqual(['registration-key.digest', 'registration-key.joined']);
  });

  test('hears nothing twice though two processes look at once', async () => {
    const app = await startTestApp({ engine });
    const other = await startTestApp({ engine, databaseUrl: app.databaseUrl, clock: app.clock });
    const { key } = await app.given.invitationKey({ maxUses: 5 });
    for (let one = 1; one <= 4; one += 1) await joinByApi(app, key, somebody());

    await Promise.all([work(app), work(other), work(app), work(other)]);

    expect(await heard(app)).toEqual(['registration-key.nearly-used-up']);
  });

  test('is asked by nobody else what to hear', async () => {
    const app = await startTestApp({ engine });
    const { id } = await app.given.invitationKey();
    const stranger = app.api(await app.given.technician());
    const body = { joins: 'none', warnings: false };

    expect((await stranger.call('PUT', `/api/v1/invitation-keys/${id}/notices`, body)).status).toBe(404);
    expect((await stranger.call('GET', `/api/v1/invitation-keys/${id}/notices`)).status).toBe(404);
  });
});

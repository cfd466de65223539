import { expect, test } from 'vitest';
import { mostAccounts } from '../../src/identity/identity-settings.ts';
import { days } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import type { Person } from '../support/given.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

async function pathOf({ db }: Pick<TestApp, 'db'>, { id }: Person): Promise<string> {
  const { number } = (await db.knex('users').first('number').where({ id })) as { number: number };
  return `/admin/users/${String(number)}`;
}

describeOnEachEngine('an account', (engine) => {
  test('that has an end is announced a week before, and closed at it', async () => {
    const app = await startTestApp({ engine, mail: true });
    const temp = await app.given.user({ email: 'temp@example.org', password: 'four quiet words here' });
    const owner = app.as(await app.given.owner());
    const path = await pathOf(app, temp);
    const phone = app.as(temp);

    const set = await owner.submit(path, { endsAt: '2099-01-01T10:00' }, { action: `${path}/end` });
    const end = Date.parse('2099-01-01T09:00:00Z');
    await app.house.domains.accountEnds.sweep();
    expect(await phone.get('/account').then(({ status }) => status)).toBe(200);
    app.clock.set(end - days(6));
    await app.house.domains.accountEnds.sweep();
    await app.house.domains.accountEnds.sweep();
    const letter = await app.mailbox.next('temp@example.org');
    app.clock.set(end);
    const before = await app
      .guest()
      .submit('/login', { email: 'temp@example.org', password: 'four quiet words here' });
    await app.house.domains.accountEnds.sweep();

    expect(set.text).toContain('The account ends at that time.');
    expect(set.text).toContain('value="2099-01-01T10:00"');
    expect(letter.subject).toContain('ends soon');
    expect(letter.text).toContain('1 January 2099');
    expect(before.status).not.toBe(200);
    expect(await app.house.domains.users.find(temp.id)).toMatchObject({ status: 'disabled' });
  }, 30_000);

  test('lets nobody in after its end, also when the job that closes it stands still', async () => {
    const app = await startTestApp({ engine });
    const temp = await app.given.user();
    const owner = app.api(await app.given.owner());
    const path = `/api/v1/users/${temp.id}`;
    const { version } = (await owner.call('GET', path)).json();
    const endsAt = new Date(app.clock.now() + 60_000).toISOString();
    const set = await owner.call('PATCH', path, { version, endsAt });
    const program = app.api(temp);

    const inTime = await program.call('GET', '/api/v1/me');
    app.clock.set(Date.parse(endsAt));
    const over = await program.call('GET', '/api/v1/me');

    expect([set.status, set.json().endsAt]).toEqual([200, endsAt]);
    expect([inTime.status, over.status]).toEqual([200, 401]);
  });

  test('that has ended is opened again by an administrator, without an end', async () => {
    const app = await startTestApp({ engine });
    const temp = await app.given.user();
    const owner = app.api(await app.given.owner());
    const path = `/api/v1/users/${temp.id}`;
    const { version } = (await owner.call('GET', path)).json();
    await owner.call('PATCH', path, { version, endsAt: new Date(app.clock.now() + 60_000).toISOString() });
    app.clock.advance(60_000);
    await app.house.domains.accountEnds.sweep();
    const closed = (await app.api(await app.given.owner()).call('GET', path)).json();

    const again = await app
      .api(await app.given.owner())
      .call('PATCH', path, { version: closed.version, status: 'active' });

    expect(closed.status).toBe('disabled');
    expect(again.json()).toMatchObject({ status: 'active', endsAt: null });
  });

  test('carries what administrators write about a person; others may not, and it goes with the personal data', async () => {
    const app = await startTestApp({ engine });
    const jo = await app.given.user();
    const owner = app.as(await app.given.owner());
    const api = app.api(await app.given.owner());
    const path = await pathOf(app, jo);

    const shown = await owner.submit(
      path,
      { attribute: 'phone', value: '+33 1 23 45 67 89' },
      { action: `${path}/attributes` },
    );
    const wrong = await owner.post(`${path}/attributes`, { attribute: 'Bad name!', value: 'x' });
    const seen = (await api.call('GET', `/api/v1/users/${jo.id}`)).json();
    const patched = await api.call('PATCH', `/api/v1/users/${jo.id}`, {
      version: seen.version,
      attributes: { 'cost-centre': '4711', phone: null },
    });
    const refused = await app
      .api(await app.given.user())
      .call('PATCH', `/api/v1/users/${jo.id}`, { version: seen.version, attributes: { phone: '1' } });

    expect(shown.text).toContain('Telephone');
    expect(shown.text).toContain('+33 1 23 45 67 89');
    expect([403, 422]).toContain(wrong.status);
    expect(seen.attributes).toEqual({ phone: '+33 1 23 45 67 89' });
    expect(patched.json().attributes).toEqual({ 'cost-centre': '4711' });
    expect([403, 404]).toContain(refused.status);
  });

  test('is not made beyond the number that the house may have', async () => {
    const app = await startTestApp({ engine });
    const owner = app.api(await app.given.owner());
    await app.given.setting(mostAccounts, 2);
    await app.given.user();

    await expect(app.given.user()).rejects.toMatchObject({ code: 'user.no-room' });
    await app.given.setting(mostAccounts, null);
    await app.given.user();

    expect((await owner.call('GET', '/api/v1/users')).json().total).toBe(3);
  });
});

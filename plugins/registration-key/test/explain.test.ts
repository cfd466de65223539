import { expect, test } from 'vitest';
import { days, hours } from '../../../test/support/clock.ts';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { joinByApi, keyOf, somebody } from './desk.ts';

/** The code that somebody reads out who was turned away by this key. */
async function codeFor(app: TestApp, key: string): Promise<string> {
  const page = await app.guest().get(`/join/${key}`);
  return /<code>([0-9A-Z]{4}-[A-Z])<\/code>/.exec(page.text)?.[1] ?? '';
}

const explainPath = (code: string): string => `/invitation-keys/explain?code=${code}`;

describeOnEachEngine('the code of somebody who was turned away', (engine) => {
  test.each([
    ['expired', { expiresIn: 1 }, 'extend-day'],
    ['used-up', { maxUses: 1, used: true }, 'one-more'],
    ['paused', { action: 'pause' }, 'resume'],
    ['revoked', { action: 'revoke' }, 'restore'],
    ['scheduled', { startsIn: 3 }, 'open-now'],
  ] as const)('of a key that is %s says so, and one button lets them in', async (standing, how, fix) => {
    const app = await startTestApp({ engine });
    const soon = (inDays: number): string => new Date(app.clock.now() + days(inDays)).toISOString();
    const { key, id } = await app.given.invitationKey({
      ...('expiresIn' in how ? { expiresAt: soon(how.expiresIn) } : {}),
      ...('startsIn' in how ? { notBefore: soon(how.startsIn) } : {}),
      ...('maxUses' in how ? { maxUses: how.maxUses } : {}),
    });
    if ('used' in how) await joinByApi(app, key, somebody());
    if ('action' in how)
      await app.api(await app.given.owner()).call('POST', `/api/v1/invitation-keys/${id}/${how.action}`);
    if ('expiresIn' in how) app.clock.advance(days(1) + hours(2));
    const owner = app.as(await app.given.owner());
    const code = await codeFor(app, key);
    expect(code).not.toBe('');

    const page = await owner.get(explainPath(code));
    expect(page.text).toContain(`value="${fix}"`);
    if (standing === 'expired') expect(page.text).toMatch(/2 hours ago/);
    const mended = await owner.submitShown(page, {}, { action: `/invitation-keys/${id}/fix` });

    expect(mended.text).toContain('They can try again');
    expect((await joinByApi(app, key, somebody())).status).toBe(201);
  });

  test('is answered to programs too, and mended by them', async () => {
    const app = await startTestApp({ engine });
    const { key, id } = await app.given.invitationKey();
    app.clock.advance(days(30));
    const code = await codeFor(app, key);
    const api = app.api(await app.given.owner());

    const explained = await api.call('GET', `/api/v1/invitation-keys/explain/${code}`);
    const mended = await api.call('POST', `/api/v1/invitation-keys/${id}/fix`, { fix: 'extend-day' });
    const again = await api.call('POST', `/api/v1/invitation-keys/${id}/fix`, { fix: 'extend-day' });

    expect((explained.json() as { items: object[] }).items[0]).toMatchObject({
      standing: 'expired',
      said: 'invitation.expired',
      fix: 'extend-day',
    });
    expect(mended.json()).toEqual({ standing: 'active' });
    expect(again.status).toBe(422);
  });

  test('of a key for one address that is used says who used it, and offers no second place', async () => {
    const app = await startTestApp({ engine, mail: true });
    const email = 'jo@acme.test';
    const { key } = await app.given.invitationKey({ email, emailProof: 'required', maxUses: 1 });
    await joinByApi(app, key, somebody({ email }));
    const owner = app.as(await app.given.owner());

    const page = await owner.get(explainPath(await codeFor(app, key)));

    expect(page.text).toContain('It is for jo@acme.test, and they have taken their place');
    expect(page.text).not.toContain('one-more');
  });

  test('tells nothing to people without the right, and they mend nothing', async () => {
    const app = await startTestApp({ engine });
    const { key, id } = await app.given.invitationKey();
    app.clock.advance(days(30));
    const code = await codeFor(app, key);
    const stranger = app.api(await app.given.user());
    const supervisor = app.api(await app.given.user({ profile: 'supervisor' }));

    const answers = [
      await stranger.call('GET', `/api/v1/invitation-keys/explain/${code}`),
      await stranger.call('POST', `/api/v1/invitation-keys/${id}/fix`, { fix: 'extend-day' }),
      await supervisor.call('POST', `/api/v1/invitation-keys/${id}/fix`, { fix: 'extend-day' }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(await keyOf(app, id)).toMatchObject({ status: 'expired' });
  });
});

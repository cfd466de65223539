import { expect, test } from 'vitest';
import { days } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import type { Person } from '../support/given.ts';

async function tokenFor({ house, clock }: TestApp, { id }: Person, scopes: string[] = ['*']) {
  const { accessTokens, directory } = house.domains;
  const actor = await directory.actorById(id);
  if (!actor) throw new Error('Nobody is there');
  return {
    actor,
    ...(await accessTokens.create(actor, id, { name: 'script', scopes, expiresAt: clock.now() + days(30) })),
  };
}

describeOnEachEngine('an API token', (engine) => {
  test('is shown once, kept as a digest, and may what its person may within its scopes', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const browser = app.as(technician);

    const shown = await browser.submit(
      '/account/tokens',
      { name: 'script', days: '30', scopes: ['users:read'] },
      { action: '/account/tokens' },
    );
    const secret = /lkpat_[0-9A-Z]{32}/.exec(shown.text)?.[0] ?? '';
    expect((await browser.get('/account/tokens')).text).not.toContain(secret);
    expect(JSON.stringify(await app.db.knex('access_tokens'))).not.toContain(secret);
    expect(JSON.stringify(await app.db.knex('audit_entries'))).not.toContain(secret);

    const program = app.guest();
    program.headers.set('authorization', `Bearer ${secret}`);
    expect((await program.call('GET', '/api/v1/me')).json()).toMatchObject({ email: technician.email });
    expect((await program.call('GET', '/api/v1/users')).status).toBe(200);
    const refused = await program.call('GET', '/api/v1/tickets');
    expect([refused.status, refused.json()]).toEqual([
      403,
      expect.objectContaining({ code: 'access.scope' }),
    ]);
    const beyond = await program.call('POST', '/api/v1/users', {
      email: 'x@acme.test',
      name: 'X',
      profileId: 'p',
      entityId: 'e',
    });
    expect(beyond.status).toBe(403);
  });

  test('makes no further tokens unless it may do everything', async () => {
    const app = await startTestApp({ engine });
    const jo = await app.given.user();
    const draft = {
      name: 'more',
      scopes: ['*'],
      expiresAt: new Date(app.clock.now() + days(1)).toISOString(),
    };
    const [narrow, wide] = [app.guest(), app.guest()];
    narrow.headers.set('authorization', `Bearer ${(await tokenFor(app, jo, ['tickets:read'])).secret}`);
    wide.headers.set('authorization', `Bearer ${(await tokenFor(app, jo)).secret}`);

    expect((await narrow.call('POST', '/api/v1/me/tokens', draft)).status).toBe(403);
    const made = await wide.call('POST', '/api/v1/me/tokens', draft);
    expect([made.status, made.json()]).toEqual([
      201,
      expect.objectContaining({ token: expect.stringMatching(/^lkpat_/) }),
    ]);
  });

  test('ends on its day, by being withdrawn, and with the account', async () => {
    const app = await startTestApp({ engine });
    const { accessTokens } = app.house.domains;
    const jo = await app.given.user();
    const [one, other] = [await tokenFor(app, jo), await tokenFor(app, jo)];

    await accessTokens.revoke(one.actor, one.token.id);
    expect(await accessTokens.byBearer(one.secret)).toBeNull();
    expect(await accessTokens.byBearer(other.secret)).not.toBeNull();
    app.clock.advance(days(30));
    expect(await accessTokens.byBearer(other.secret)).toBeNull();
  });

  test('cannot live for ever, nor be withdrawn by somebody else', async () => {
    const app = await startTestApp({ engine });
    const { accessTokens, directory } = app.house.domains;
    const [jo, ann] = [await app.given.user(), await app.given.user()];
    const { actor, token } = await tokenFor(app, jo);
    const forever = { name: 'x', scopes: ['*'], expiresAt: app.clock.now() + days(400) };

    await expect(accessTokens.create(actor, jo.id, forever)).rejects.toMatchObject({
      fields: [{ field: 'expires' }],
    });
    await expect(
      accessTokens.create(actor, ann.id, { ...forever, expiresAt: app.clock.now() + 1 }),
    ).rejects.toMatchObject({
      code: 'access-token.not-yours',
    });
    const annsActor = await directory.actorById(ann.id);
    if (annsActor)
      await expect(accessTokens.revoke(annsActor, token.id)).rejects.toMatchObject({
        code: 'access-token.not-found',
      });
  });

  test.each([
    '',
    ' ',
    'lkpat_',
    'null',
    '0',
    `lkpat_${'0'.repeat(32)}`,
    'lkinv_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN',
  ])('is not %j', async (text) => {
    const { house } = await startTestApp({ engine });

    expect(await house.domains.accessTokens.byBearer(text)).toBeNull();
  });
});

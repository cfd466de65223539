import { describe, expect, test } from 'vitest';
import { isId } from '../../src/shared/ids.ts';
import { describeOnEachEngine, freshDatabase } from '../support/databases.ts';
import { OWNER } from '../support/house.ts';
import { startTestApp } from '../support/test-app.ts';
import { auditOf, commandsOf, me, openShell, shellOn } from './shell.ts';

describeOnEachEngine('the command line', (engine) => {
  test(
    'makes an account, a token and an invitation in the shapes that scripts rely on',
    { timeout: 60_000 },
    async () => {
      const database = await freshDatabase(engine);
      const { latchkey } = await shellOn(database);

      const user = await latchkey(
        'user create --email Ada@Example.org --name "Ada Moreau" --profile super-admin --password-stdin --json',
        { stdin: 'a quiet lamp at night\n' },
      );
      const token = await latchkey('token create --user ada@example.org --name deploy --json');
      const key = await latchkey(
        'invite create --label "Paris office" --max-uses 10 --expires 7d --profile self-service --email-proof none --json',
      );

      expect(user.json()).toEqual({ id: expect.toSatisfy(isId) as string, email: 'Ada@Example.org' });
      expect(token.json()).toEqual({
        id: expect.toSatisfy(isId) as string,
        token: expect.stringMatching(/^lkpat_[0-9A-Z]{32}$/) as string,
      });
      expect(key.json()).toEqual({
        id: expect.toSatisfy(isId) as string,
        key: expect.stringMatching(/^lkinv_[0-9A-Z]{32}$/) as string,
        url: expect.stringMatching(/^https?:\/\/.+\/join\/lkinv_[0-9A-Z]{32}$/) as string,
      });
      const { key: text, url } = key.json() as { key: string; url: string };
      expect(url.endsWith(`/join/${text}`)).toBe(true);
      const entries = await auditOf(database, me);
      expect(entries.map(({ action }) => action)).toEqual(
        expect.arrayContaining([
          'user.created',
          'grant.given',
          'access-token.created',
          'invitation-key.minted',
        ]),
      );
      expect(JSON.stringify(entries)).not.toMatch(/lk(pat|inv)_[0-9A-Z]{32}|quiet lamp/);
    },
  );
});

describeOnEachEngine('a command', (engine) => {
  test('lists people and their tokens without a secret, and takes both out of use', async () => {
    const { house, databaseUrl } = await startTestApp({ engine });
    const latchkey = commandsOf(house);
    await latchkey('user create --email kim@example.org --name "Kim Keller" --profile technician');
    const { id } = (
      await latchkey('token create --user kim@example.org --name ci --scopes tickets:read --json')
    ).json() as {
      id: string;
    };

    const people = await latchkey('user list --search kim --json');
    const tokens = await latchkey('token list --user kim@example.org --json');
    const revoked = await latchkey(`token revoke ${id} --json`);
    const disabled = await latchkey('user disable kim@example.org --json');
    const promoted = await latchkey('user promote kim@example.org --profile supervisor --json');

    expect(people.json()).toEqual([expect.objectContaining({ email: 'kim@example.org', status: 'active' })]);
    expect(tokens.json()).toEqual([
      expect.objectContaining({ id, name: 'ci', scopes: 'tickets:read', usedAt: null, revokedAt: null }),
    ]);
    expect(tokens.out).not.toMatch(/lkpat_[0-9A-Z]{5}/);
    expect(revoked.json()).toEqual({ id, revoked: true });
    expect(disabled.json()).toMatchObject({ email: 'kim@example.org', status: 'disabled' });
    expect(promoted.json()).toMatchObject({ email: 'kim@example.org', profile: 'supervisor' });
    expect((await auditOf({ url: databaseUrl }, me)).map(({ action }) => action)).toEqual(
      expect.arrayContaining(['access-token.revoked', 'user.disabled', 'grant.given']),
    );
  });

  test('sets a password, which ends every session, and writes down who did it', async () => {
    const { house, databaseUrl } = await startTestApp({ engine });
    const latchkey = commandsOf(house);

    const reset = await latchkey(`user reset-password ${OWNER.email} --password-stdin --json`, {
      stdin: 'another long and quiet evening',
    });
    const weak = await latchkey(`user reset-password ${OWNER.email} --password-stdin`, { stdin: 'short' });

    expect(reset.json()).toMatchObject({ email: OWNER.email });
    expect(weak.code).toBe(64);
    expect(weak.err).toMatch(/password/);
    expect((await auditOf({ url: databaseUrl }, me)).map(({ action }) => action)).toEqual([
      'user.password-set',
    ]);
  });

  test('looks after an invitation: list, show, pause, resume, rotate, reveal, draw and revoke', async () => {
    const { house, databaseUrl } = await startTestApp({ engine });
    const latchkey = commandsOf(house);
    const made = (await latchkey('invite create --label Fair --max-uses 3 --expires 2d --json')).json() as {
      id: string;
      key: string;
    };

    const listed = await latchkey('invite list --json');
    const paused = await latchkey(`invite pause ${made.id} --json`);
    const resumed = await latchkey(`invite resume ${made.id} --json`);
    const rotated = await latchkey(`invite rotate ${made.id} --json`);
    const revealed = await latchkey(`invite reveal ${made.id} --json`);
    const drawn = await latchkey(`invite qr ${made.id}`);
    const revoked = await latchkey(`invite revoke ${made.id} --json`);
    const shown = await latchkey(`invite show ${made.id} --json`);

    expect(listed.json()).toEqual([
      expect.objectContaining({ id: made.id, label: 'Fair', status: 'active', maxUses: 3 }),
    ]);
    expect(paused.json()).toMatchObject({ status: 'paused' });
    expect(resumed.json()).toMatchObject({ status: 'active' });
    expect((rotated.json() as { key: string }).key).not.toBe(made.key);
    expect(revealed.json()).toEqual(rotated.json());
    expect(drawn.out).toMatch(/[█▀▄]/);
    expect(revoked.json()).toMatchObject({ status: 'revoked' });
    expect(shown.out).not.toContain((rotated.json() as { key: string }).key);
    const actions = (await auditOf({ url: databaseUrl }, me)).map(({ action }) =>
      action.replace('invitation-key.', ''),
    );
    expect(actions).toEqual(['minted', 'paused', 'resumed', 'rotated', 'revealed', 'revealed', 'revoked']);
  });

  test('enables and disables plugins, and says what became of them', async () => {
    const { house, databaseUrl } = await startTestApp({ engine });
    const latchkey = commandsOf(house);

    const disabled = await latchkey('plugin disable registration-key --json');
    const without = await latchkey('invite list');
    const enabled = await latchkey('plugin enable registration-key --json');
    const listed = await latchkey('plugin list --json');

    expect(disabled.json()).toMatchObject({ id: 'registration-key', desired: 'disabled', state: 'disabled' });
    expect(without.code).toBe(64);
    expect(enabled.json()).toMatchObject({ desired: 'enabled', state: 'enabled' });
    expect(listed.json()).toContainEqual(
      expect.objectContaining({ id: 'registration-key', state: 'enabled' }),
    );
    expect((await auditOf({ url: databaseUrl }, me)).map(({ action }) => action)).toEqual([
      'plugin.disabled',
      'plugin.enabled',
    ]);
  });

  test('ends with an exit code that says what kind of thing went wrong', async () => {
    const latchkey = commandsOf((await startTestApp({ engine })).house);

    const codes = {
      help: await latchkey('--help'),
      unknown: await latchkey('frobnicate'),
      option: await latchkey('user list --frobnicate'),
      missing: await latchkey('user disable'),
      nobody: await latchkey('user disable nobody@example.org'),
      profile: await latchkey('user create --email x@example.org --name X --profile wizard'),
      page: await latchkey('user list --page none'),
      duration: await latchkey(`token create --user ${OWNER.email} --name x --expires soon`),
      taken: await latchkey(`user create --email ${OWNER.email} --name Again`),
      noMail: await latchkey('mail test --to x@example.org'),
      noPlugin: await latchkey('plugin enable no-such-plugin'),
    };

    const found = Object.fromEntries(Object.entries(codes).map(([name, { code }]) => [name, code]));
    expect(found).toEqual({
      help: 0,
      unknown: 64,
      option: 64,
      missing: 64,
      nobody: 66,
      profile: 64,
      page: 64,
      duration: 64,
      taken: 1,
      noMail: 1,
      noPlugin: 66,
    });
    for (const [name, { err }] of Object.entries(codes)) {
      if (name !== 'help') expect(err, name).toMatch(/\S/);
      expect(err, name).not.toMatch(/\n\s+at |errors\.|undefined/);
    }
  });

  test('says refusals as JSON to those who asked for JSON', async () => {
    const latchkey = commandsOf((await startTestApp({ engine })).house);

    const refused = await latchkey('user create --email nonsense --name "" --json');

    expect(refused.code).toBe(64);
    expect(JSON.parse(refused.err)).toMatchObject({
      code: 'input.invalid',
      fields: [{ field: 'email' }, { field: 'name' }],
    });
  });
});

describe('without a database to work on', () => {
  test('it says so and ends with 69', { timeout: 60_000 }, async () => {
    const { latchkey } = await openShell({ LATCHKEY_DATABASE_URL: 'mysql://root@127.0.0.1:9/latchkey' });

    const listed = await latchkey('user list');

    expect(listed.code).toBe(69);
    expect(listed.err).toMatch(/ECONNREFUSED|refused/);
    expect(listed.err).not.toMatch(/\n\s+at /);
  });

  test(
    'a database that needs another master key ends it with 69 and the id of that key',
    { timeout: 60_000 },
    async () => {
      const { latchkey } = await shellOn(await freshDatabase('sqlite'), { LATCHKEY_KEY: 'b'.repeat(64) });

      const listed = await latchkey('user list');

      expect(listed.code).toBe(69);
      expect(listed.err).toMatch(/key/i);
      expect(listed.err).not.toMatch(/keys\.locked|\n\s+at /);
    },
  );
});

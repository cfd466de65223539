import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../support/databases.ts';
import { furnish, GOOD_PASSWORD, here } from './support.ts';

describeOnEachEngine('signing in', (engine) => {
  test('with the right password starts a session, whatever the case of the address', async () => {
    const { person, signIn, sessions } = await furnish(engine);
    const jo = await person({ email: 'Jo@Acme.test' });

    const done = await signIn.signIn({ email: ' jo@ACME.test ', password: GOOD_PASSWORD }, here, '/');

    expect(done.kind).toBe('session');
    const known = await sessions.bySession(done.cookie.value);
    expect(known?.actor).toMatchObject({ userId: jo.id, name: 'Jo Martin' });
  });

  test('says the same of a wrong password, an unknown address and a closed account', async () => {
    const { person, signIn, users, db } = await furnish(engine);
    const { system } = await import('../../src/shared/actor.ts');
    await person({ email: 'jo@acme.test' });
    const gone = await person({ email: 'gone@acme.test' });
    await db.transaction((tx) => users.disable(tx, system, gone.id));

    for (const [email, password] of [
      ['jo@acme.test', 'not this one'],
      ['nobody@acme.test', GOOD_PASSWORD],
      ['gone@acme.test', GOOD_PASSWORD],
      ['no address', GOOD_PASSWORD],
    ] as const) {
      await expect(signIn.signIn({ email, password }, here, '/')).rejects.toMatchObject({
        code: 'sign-in.wrong',
      });
    }
  });

  test('is slowed down after five wrong passwords, from there only, and not for ever', async () => {
    const { person, signIn, clock } = await furnish(engine);
    await person({ email: 'jo@acme.test' });
    const wrong = { email: 'jo@acme.test', password: 'not this one' };
    for (let tried = 0; tried < 5; tried += 1) {
      await expect(signIn.signIn(wrong, here, '/')).rejects.toMatchObject({ code: 'sign-in.wrong' });
    }

    await expect(signIn.signIn(wrong, here, '/')).rejects.toMatchObject({
      code: 'sign-in.slow-down',
      retryAfter: 1,
    });
    const elsewhere = { ...here, ip: '198.51.100.1' };
    const right = { email: 'jo@acme.test', password: GOOD_PASSWORD };
    expect((await signIn.signIn(right, elsewhere, '/')).kind).toBe('session');

    clock.advance(1_001);
    expect((await signIn.signIn(right, here, '/')).kind).toBe('session');
  });
});

import { expect, test } from 'vitest';
import { minutes } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

const PASSWORD = 'seven quiet otters';
const NEW_PASSWORD = 'eight loud badgers';
const pathOf = (link: string | undefined): string => new URL(link ?? 'http://none.invalid/').pathname;

describeOnEachEngine('somebody who forgot their password', (engine) => {
  test('gets a link by mail, chooses another, and every older session is over', async () => {
    const { guest, given, as, mailbox } = await startTestApp({ engine, mail: true });
    const jo = await given.user({ email: 'jo@acme.test', password: PASSWORD });
    const phone = as(jo);
    await phone.get('/account');

    const asked = await guest().submit('/forgot', { email: 'Jo@acme.test' }, { action: '/forgot' });
    expect(asked.text).toContain('Look into your mailbox');
    const letter = await mailbox.next('jo@acme.test');
    const link = pathOf(letter.links.find((one) => one.includes('/reset/')));
    const browser = guest();
    const shown = await browser.submit(link, { password: NEW_PASSWORD }, { action: link });

    expect(shown.url).toContain('/login');
    expect((await phone.get('/account')).url).toContain('/login');
    const signedIn = await browser.submitShown(
      shown,
      { email: 'jo@acme.test', password: NEW_PASSWORD },
      { action: '/login' },
    );
    expect(signedIn.url).not.toContain('/login');
    expect((await mailbox.next('jo@acme.test')).subject).toContain('password was changed');
  });

  test('learns nothing about who has an account here', async () => {
    const { guest, given, house, mailbox } = await startTestApp({ engine, mail: true });
    await given.user({ email: 'jo@acme.test', password: PASSWORD });

    const answers = [];
    for (const email of ['jo@acme.test', 'nobody@acme.test', 'no address']) {
      const { status, text } = await guest().submit('/forgot', { email }, { action: '/forgot' });
      answers.push([status, text.replace(/nonce="[^"]*"|value="[^"]*"/g, '')]);
    }
    await house.domains.resets.settled();

    expect(new Set(answers.map(String)).size).toBe(1);
    await mailbox.next('jo@acme.test');
    expect(mailbox.letters).toHaveLength(1);
  });

  test('uses a link once, for half an hour, and only the newest', async () => {
    const { guest, given, house, clock } = await startTestApp({ engine });
    const jo = await given.user({ email: 'jo@acme.test', password: PASSWORD });
    const owner = await house.domains.directory.actorById((await given.owner()).id);
    if (!owner) throw new Error('The owner is gone');
    const { resets } = house.domains;
    const linkFor = async () => pathOf((await resets.sendFor(owner, jo.id)).link ?? undefined);

    const [older, newest] = [await linkFor(), await linkFor()];
    expect((await guest().get(older)).status).toBe(410);
    const ten = await Promise.allSettled(
      Array.from({ length: 10 }, () => resets.reset(newest.slice('/reset/'.length), NEW_PASSWORD)),
    );
    expect(ten.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await guest().get(newest)).status).toBe(410);

    const late = await linkFor();
    clock.advance(minutes(24 * 60 + 1));
    expect((await guest().get(late)).status).toBe(410);
  });

  test('may open the link as often as they like: reading it spends nothing', async () => {
    const { guest, given, house } = await startTestApp({ engine });
    const jo = await given.user({ email: 'jo@acme.test' });
    const owner = await house.domains.directory.actorById((await given.owner()).id);
    if (!owner) throw new Error('The owner is gone');
    const { link } = await house.domains.resets.sendFor(owner, jo.id);

    for (let opened = 0; opened < 3; opened += 1)
      expect((await guest().get(pathOf(link ?? ''))).status).toBe(200);
    const weak = await guest().submit(pathOf(link ?? ''), { password: 'short' }, { action: '/reset/' });
    expect([weak.status, weak.text]).toEqual([422, expect.stringContaining('Use at least 12 characters.')]);
    const done = await guest().submit(pathOf(link ?? ''), { password: NEW_PASSWORD }, { action: '/reset/' });
    expect(done.url).toContain('/login');
  });

  test('is given a link by an administrator where there is no mail; the database keeps only its digest', async () => {
    const { as, given, db } = await startTestApp({ engine });
    const jo = await given.user({ email: 'jo@acme.test' });
    const { number } = (await db.knex('users').first('number').where({ id: jo.id })) as { number: number };
    const owner = as(await given.owner());

    const shown = await owner.submit(
      `/admin/users/${String(number)}`,
      {},
      { action: `/admin/users/${String(number)}/reset` },
    );

    const token = /lkrst_[0-9A-Z]{32}/.exec(shown.text)?.[0];
    expect(token).toBeDefined();
    expect(JSON.stringify(await db.knex('user_secrets'))).not.toContain(token);
    expect(JSON.stringify(await db.knex('audit_entries'))).not.toContain(token);
  });
});

describeOnEachEngine('an e-mail address', (engine) => {
  test('changes once its owner has typed the code that was sent there, and the old one is told', async () => {
    const { as, given, mailbox } = await startTestApp({ engine, mail: true });
    const browser = as(await given.user({ email: 'jo@acme.test' }));

    const asked = await browser.submit('/account', { email: 'jo@new.test' }, { action: '/account/email' });
    expect(asked.text).toContain('jo@acme.test');
    const { subject } = await mailbox.next('jo@new.test');
    const code = /^(\d{3} \d{3})/.exec(subject)?.[1] ?? '';
    const shown = await browser.submit('/account', { code }, { action: '/account/email/code' });

    expect(shown.text).toContain('Your address is confirmed.');
    expect(shown.text).toContain('jo@new.test');
    expect((await mailbox.next('jo@acme.test')).text).toContain('jo@new.test');
  });

  test('is confirmed by the link as well, in any browser, by a button and not by looking', async () => {
    const { as, guest, given, mailbox, db } = await startTestApp({ engine, mail: true });
    const jo = await given.user({ email: 'jo@acme.test' });
    await as(jo).submit('/account', { email: 'jo@new.test' }, { action: '/account/email' });
    const letter = await mailbox.next('jo@new.test');
    const link = pathOf(letter.links.find((one) => one.includes('/confirm-email/')));
    const emailOf = async () =>
      ((await db.knex('users').first('email').where({ id: jo.id })) as { email: string }).email;

    await guest().get(link);
    expect(await emailOf()).toBe('jo@acme.test');
    await guest().submit(link, {}, { action: link });
    expect(await emailOf()).toBe('jo@new.test');
  });

  test('takes five wrong codes and then no right one', async () => {
    const { as, given, mailbox } = await startTestApp({ engine, mail: true });
    const browser = as(await given.user({ email: 'jo@acme.test' }));
    await browser.submit('/account', { email: 'jo@new.test' }, { action: '/account/email' });
    const { subject } = await mailbox.next('jo@new.test');
    const page = await browser.get('/account');
    const wrong = subject.startsWith('000 000') ? '111111' : '000000';
    for (let tried = 0; tried < 5; tried += 1)
      await browser.submitShown(page, { code: wrong }, { action: '/account/email/code' });

    const code = /^(\d{3} \d{3})/.exec(subject)?.[1] ?? '';
    const late = await browser.submitShown(page, { code }, { action: '/account/email/code' });

    expect(late.status).toBe(410);
  });

  test('that somebody else has is refused only to whoever reads that mailbox', async () => {
    const { as, given, mailbox } = await startTestApp({ engine, mail: true });
    await given.user({ email: 'ann@acme.test' });
    const browser = as(await given.user({ email: 'jo@acme.test' }));

    const asked = await browser.submit('/account', { email: 'ann@acme.test' }, { action: '/account/email' });
    expect([asked.status, asked.text]).toEqual([
      200,
      expect.stringContaining('We sent a code to ann@acme.test'),
    ]);
    const code = /^(\d{3} \d{3})/.exec((await mailbox.next('ann@acme.test')).subject)?.[1] ?? '';
    const refused = await browser.submit('/account', { code }, { action: '/account/email/code' });

    expect(refused.status).toBe(409);
  });
});

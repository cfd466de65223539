import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

describeOnEachEngine('the page about mail', (engine) => {
  test('shows administrators what the mail server said, and sends a test', async () => {
    const { given, as, mailbox } = await startTestApp({ engine, mail: true });
    const browser = as(await given.administrator());
    expect((await browser.get('/admin/mail')).text).toContain('No mail yet');

    const taken = await browser.submit(
      '/admin/mail',
      { to: 'admin@example.org' },
      { action: '/admin/mail/test' },
    );
    expect(taken.text).toContain('The mail server took the message');
    expect((await mailbox.next('admin@example.org')).subject).toBe('Mail from Example works');

    mailbox.refuse(true);
    const refused = await browser.submit(
      '/admin/mail',
      { to: 'admin@example.org' },
      { action: '/admin/mail/test' },
    );
    expect(refused.text).toContain('did not take the message');
    expect(refused.text).toContain('452');
  });

  test('keeps what was typed when it is no address', async () => {
    const { given, as } = await startTestApp({ engine, mail: true });
    const browser = as(await given.administrator());
    const answer = await browser.submit('/admin/mail', { to: 'nobody' }, { action: '/admin/mail/test' });

    expect(answer.status).toBe(422);
    expect(answer.text).toContain('value="nobody"');
  });

  test('lists what failed, to be sent again', async () => {
    const { given, as, house, db, settle, mailbox } = await startTestApp({ engine, mail: true, work: false });
    mailbox.refuse(true);
    const draft = {
      to: { email: 'jo@example.org' },
      template: 'mail/test',
      model: { sender: 'Marie' },
      locale: 'en',
      kind: 'test',
    };
    await db.transaction((tx) => house.domains.mail.queue(tx, draft));
    await settle();
    const browser = as(await given.administrator());
    const page = await browser.get('/admin/mail?state=failed');
    expect(page.text).toContain('Will be tried again');

    mailbox.refuse(false);
    const path = /\/admin\/mail\/\w{26}\/retry/.exec(page.text)?.[0] ?? '';
    expect((await browser.submitShown(page, {}, { action: path })).text).toContain('queued again');
    await settle();

    expect((await browser.get('/admin/mail')).text).toContain('Handed over');
    expect(mailbox.letters).toHaveLength(1);
  });

  test('says how to turn mail on while it is off', async () => {
    const { given, as } = await startTestApp({ engine });

    expect((await as(await given.administrator()).get('/admin/mail')).text).toContain('LATCHKEY_SMTP_URL');
  });

  test('is not for everybody', async () => {
    const { given, as } = await startTestApp({ engine });

    expect((await as(await given.user()).get('/admin/mail')).status).toBe(403);
  });
});

import { expect, test } from 'vitest';
import { system } from '../../src/shared/actor.ts';
import { freePort } from '../support/ports.ts';
import { minutes } from '../support/clock.ts';
import { describeOnEachEngine, openDatabase, openFreshDatabase } from '../support/databases.ts';
import { startMailbox } from '../support/mailbox.ts';
import { postOffice, secret } from './mail-support.ts';

const someText = async (db: Awaited<ReturnType<typeof openFreshDatabase>>['db']): Promise<string> => {
  const rows = await db.knex<Record<string, unknown>>('mail');
  const values = rows.flatMap((row) => Object.values(row));
  return values
    .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)))
    .join('\n');
};

describeOnEachEngine('a mail', (engine) => {
  test('reaches the mail server once, from the organisation, and then nothing of it is kept', async () => {
    const { db } = await openFreshDatabase(engine);
    const mailbox = await startMailbox();
    const { mail, courier, post } = await postOffice(db, mailbox.url);
    const id = await post({ replyTo: 'marie@example.org' });
    expect(await someText(db)).not.toContain(secret);

    await courier().drain();
    await courier().drain();

    const letter = await mailbox.next('jo@example.org');
    expect(mailbox.letters).toHaveLength(1);
    expect(letter).toMatchObject({ from: 'desk@example.org', subject: 'About mail/reset' });
    expect(letter.text).toContain(secret);
    expect(letter.headers.get('from')).toContain('=?UTF-8?');
    expect(letter.headers.get('auto-submitted')).toBe('auto-generated');
    expect(letter.headers.get('reply-to')).toBe('marie@example.org');
    expect(letter.headers.get('message-id')).toBe(`<${id.toLowerCase()}@example.org>`);
    expect(await mail.find(id)).toMatchObject({ state: 'handed-over', attempts: 1, canRetry: false });
    expect((await mail.delivery('user:1'))?.reply).toMatch(/^250 /);
    expect(await db.knex('mail').first()).toMatchObject({ ciphertext: null, nonce: null, key_id: null });
  });

  test('of a transaction that was rolled back does not leave', async () => {
    const { db } = await openFreshDatabase(engine);
    const mailbox = await startMailbox();
    const { mail, courier } = await postOffice(db, mailbox.url);

    const lost = db.transaction(async (tx) => {
      await mail.queue(tx, {
        to: { email: 'jo@example.org' },
        template: 'x',
        model: {},
        locale: 'en',
        kind: 'x',
      });
      throw new Error('changed my mind');
    });

    await expect(lost).rejects.toThrow();
    await courier().drain();
    expect(mailbox.letters).toHaveLength(0);
  });

  test('waits while the mail server is down, and comes when it is back', async () => {
    const { db } = await openFreshDatabase(engine);
    const port = await freePort();
    const down = await postOffice(db, `smtp://127.0.0.1:${String(port)}`);
    const id = await down.post();
    await down.courier().drain();
    expect(await down.mail.find(id)).toMatchObject({ state: 'failed', attempts: 1, canRetry: true });
    expect((await down.mail.find(id))?.problem).toContain('ECONNREFUSED');

    const mailbox = await startMailbox();
    const up = await postOffice(db, mailbox.url);
    await up.courier().drain();
    expect(mailbox.letters).toHaveLength(0);
    up.clock.advance(minutes(1));
    await up.courier().drain();

    expect((await mailbox.next('jo@example.org')).text).toContain(secret);
    expect(await up.mail.find(id)).toMatchObject({ state: 'handed-over', attempts: 2, problem: null });
  });

  test('that the server refuses for now is tried for about a day, and then given up until a person asks', async () => {
    const { db } = await openFreshDatabase(engine);
    const mailbox = await startMailbox();
    const { mail, courier, clock, post } = await postOffice(db, mailbox.url);
    const postman = courier();
    const id = await post();
    const startedAt = clock.now();
    mailbox.refuse(true);

    for (let time = 0; time < 40 && (await mail.find(id))?.state !== 'dead'; time += 1) {
      await postman.drain();
      clock.set(Math.max(clock.now(), (await mail.find(id))?.dueAt ?? 0));
    }

    expect(await mail.find(id)).toMatchObject({ state: 'dead', attempts: 15, canRetry: true });
    expect((await mail.find(id))?.reply).toContain('452');
    expect(clock.now() - startedAt).toBeGreaterThan(minutes(60 * 18));
    expect(await mail.stats()).toMatchObject({ waiting: 0, dead: 1 });

    mailbox.refuse(false);
    await mail.retry(system, id);
    await postman.drain();
    expect(mailbox.letters).toHaveLength(1);
    await expect(mail.retry(system, id)).rejects.toMatchObject({ code: 'mail.not-retryable' });
  });

  test('is sent once though two couriers look for it', async () => {
    const { db, url } = await openFreshDatabase(engine);
    const mailbox = await startMailbox();
    const { courier, post } = await postOffice(db, mailbox.url);
    for (let n = 0; n < 20; n += 1) await post({ to: { email: `jo${String(n)}@example.org` } });

    await Promise.all([courier().drain(), courier(openDatabase(url)).drain()]);

    expect(new Set(mailbox.letters.flatMap(({ to }) => to)).size).toBe(20);
    expect(mailbox.letters).toHaveLength(20);
  });

  test('leaves by itself, soon after the commit', async () => {
    const { db } = await openFreshDatabase(engine);
    const mailbox = await startMailbox();
    const { courier, post } = await postOffice(db, mailbox.url);
    const postman = courier();
    postman.start();

    await post();

    expect((await mailbox.next('jo@example.org')).text).toContain(secret);
    await postman.stop();
  });

  test('is only noted while mail is off, and nothing fails', async () => {
    const { db } = await openFreshDatabase(engine);
    const { mail, post } = await postOffice(db, null);

    const id = await post();

    expect(mail.isOn).toBe(false);
    expect(await mail.find(id)).toMatchObject({ state: 'off', canRetry: false });
    expect(await someText(db)).not.toContain(secret);
    await expect(mail.test(system, 'jo@example.org')).rejects.toMatchObject({ code: 'mail.off' });
  });

  test('for a test goes at once, and says what the server answered', async () => {
    const { db } = await openFreshDatabase(engine);
    const mailbox = await startMailbox();
    const { mail } = await postOffice(db, mailbox.url);

    expect(await mail.test(system, 'jo@example.org')).toMatchObject({ isTaken: true });
    expect((await mail.test(system, 'jo@example.org')).answer).toMatch(/^250 /);
    mailbox.refuse(true);
    expect(await mail.test(system, 'jo@example.org')).toMatchObject({ isTaken: false });
    expect(mailbox.letters).toHaveLength(2);
  });

  test('to what is not one address is refused before it is written', async () => {
    const { db } = await openFreshDatabase(engine);
    const { post } = await postOffice(db, 'smtp://127.0.0.1:1');

    for (const email of [
      'jo@example.org\nBcc: eve@example.org',
      'jo@example.org, eve@example.org',
      'jo',
      '',
    ]) {
      await expect(post({ to: { email } })).rejects.toMatchObject({ code: 'mail.bad-address' });
    }
  });
});

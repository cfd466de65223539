import { expect, test } from 'vitest';
import { smtpTransport } from '../../src/mail/index.ts';
import { startMailbox } from '../../src/plugin-test/mailbox.ts';
import { afterwards } from '../support/cleanup.ts';

test('a test asks for the letter it means, whatever else was written to that person', async () => {
  const mailbox = await startMailbox();
  const transport = smtpTransport(mailbox.url);
  afterwards(() => {
    transport.close();
  });
  const from = { name: 'Helpdesk', address: 'helpdesk@example.org' };
  for (const subject of ['Ada opened ticket 1', 'Your loan is due', 'Ada opened ticket 2'])
    await transport.send({
      messageId: `<${String(subject.length)}@example.org>`,
      from,
      to: { email: 'tess@example.org' },
      subject,
      text: subject,
      html: subject,
    });

  const due = await mailbox.next('tess@example.org', { subject: 'is due' });
  const oldest = await mailbox.next('tess@example.org');
  const matching = await mailbox.next('tess@example.org', { subject: /ticket \d$/ });

  expect([due.subject, oldest.subject, matching.subject]).toEqual([
    'Your loan is due',
    'Ada opened ticket 1',
    'Ada opened ticket 2',
  ]);
});

import { createTestHost } from 'latchkey/plugin-test';
import { expect, test } from 'vitest';

const plugin = new URL('..', import.meta.url);

test('a ticket with a password in it is refused, and it is said why', async () => {
  const { api, given } = await createTestHost({ plugin });
  const requester = api(await given.user());
  const draft = { title: 'I cannot get in', description: 'My password: swordfish' };

  const answer = await requester.call('POST', '/api/v1/tickets', draft);

  expect(answer.status).toBe(409);
  expect(answer.json()).toMatchObject({ code: '__id__.secret' });
});

test('beside a ticket stands what must not be written', async () => {
  const { as, given } = await createTestHost({ plugin });
  const { ticket } = await given.ticket();

  const page = await as(await given.technician()).get(`/tickets/${String(ticket.number)}`);

  expect(page.text).toContain('No secrets here');
});

test('nothing of it is left when it is disabled', async () => {
  const { expectCleanUnload } = await createTestHost({ plugin });

  await expectCleanUnload();
});

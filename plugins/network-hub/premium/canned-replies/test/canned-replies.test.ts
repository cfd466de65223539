import { createTestHost } from 'latchkey/plugin-test';
import { expect, test } from 'vitest';

const plugin = new URL('..', import.meta.url);

test('a short name in a reply becomes the whole text', async () => {
  const { as, given } = await createTestHost({ plugin });
  const supervisor = as(await given.user({ profile: 'supervisor' }));
  const technician = as(await given.technician());
  const { ticket } = await given.ticket();
  const path = `/tickets/${String(ticket.number)}`;

  await supervisor.submit(
    '/p/canned-replies',
    { slug: 'thanks', body: 'Thank you for your patience.' },
    { action: '/p/canned-replies' },
  );
  await technician.submit(path, { body: 'Hello //thanks and //nobody' }, { action: `${path}/follow-ups` });
  const page = (await technician.get(path)).text;

  expect(page).toContain('Hello Thank you for your patience. and //nobody');
  expect((await technician.get('/p/canned-replies')).status).toBe(403);
});

import { createTestHost } from 'latchkey/plugin-test';
import { expect, test } from 'vitest';

const plugin = new URL('..', import.meta.url);

test('a short name in a new ticket becomes the whole template', async () => {
  const { api, as, given } = await createTestHost({ plugin });
  const supervisor = as(await given.user({ profile: 'supervisor' }));
  const person = await given.technician();

  await supervisor.submit(
    '/p/ticket-templates',
    { slug: 'laptop', body: 'Which model, and from when?' },
    { action: '/p/ticket-templates' },
  );
  const { text } = await api(person).call('POST', '/api/v1/tickets', {
    title: 'A laptop',
    description: 'Please: ##laptop',
  });

  expect(text).toContain('Please: Which model, and from when?');
  expect((await as(person).get('/p/ticket-templates')).status).toBe(403);
});

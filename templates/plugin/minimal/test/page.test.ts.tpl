import { createTestHost } from 'latchkey/plugin-test';
import { expect, test } from 'vitest';

test('whoever is signed in is greeted by name', async () => {
  const { as, given } = await createTestHost({ plugin: new URL('..', import.meta.url) });
  const ada = await given.user({ name: 'Ada' });

  const page = await as(ada).get('/p/__id__');

  expect(page.text).toContain('Hello, Ada.');
});

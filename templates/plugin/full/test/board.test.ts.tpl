import { createTestHost, days } from 'latchkey/plugin-test';
import { expect, test } from 'vitest';

const plugin = new URL('..', import.meta.url);

test('a technician leaves a note, and a requester is not let in', async () => {
  const { as, given } = await createTestHost({ plugin });
  const technician = as(await given.technician());
  const requester = as(await given.user());

  const page = await technician.submit('/p/__id__', { said: 'The lift is stuck again.' }, { action: '/p/__id__' });

  expect(page.text).toContain('The lift is stuck again.');
  expect(page.text).toContain('Thank you.');
  expect((await requester.get('/p/__id__')).status).toBe(403);
});

test('a new ticket is noted, and forgotten after the days that were set', async () => {
  const { as, given, settle, clock, runJob } = await createTestHost({ plugin });
  const technician = as(await given.technician());

  await given.setting('keepDays', 2);
  await given.ticket({ title: 'No coffee' });
  await settle();
  const before = await technician.get('/p/__id__');
  clock.advance(days(3));
  await runJob('forget');
  const after = await as(await given.technician()).get('/p/__id__');

  expect(before.text).toContain('No coffee');
  expect(after.text).not.toContain('No coffee');
});

test('nothing of it is left when it is disabled', async () => {
  const { expectCleanUnload } = await createTestHost({ plugin });

  await expectCleanUnload();
});

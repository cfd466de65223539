import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';
import { mainOf } from './ticket-support.ts';

describeOnEachEngine('a ticket', (engine) => {
  test('is opened in a browser by whoever needs help, and answered by a technician', async () => {
    const { as, given } = await startTestApp({ engine });
    const [requester, technician] = [await given.user(), await given.technician()];

    const opened = await as(requester).submit(
      '/tickets/new',
      { title: 'The printer jams', description: 'Since **this morning**.' },
      { action: '/tickets' },
    );
    await as(technician).submit(
      '/tickets/1',
      { body: 'Which printer?' },
      { action: '/tickets/1/follow-ups' },
    );

    expect(opened.url).toMatch(/\/tickets\/1$/);
    expect(opened.text).toContain('<strong>this morning</strong>');
    const seen = await as(requester).get('/tickets/1');
    expect(seen.text).toContain('Which printer?');
    expect(seen.text).toContain('Open');
  });

  test('shows on the front pages and in the lists of both', async () => {
    const { as, given } = await startTestApp({ engine });
    const { requester } = await given.ticket({ title: 'The scanner hums' });
    const technician = await given.technician();

    for (const person of [requester, technician]) {
      for (const page of ['/', '/tickets']) {
        const shown = await as(person).get(page);
        expect(shown.status, page).toBe(200);
        expect(shown.text, page).toContain('The scanner hums');
        expect(mainOf(shown.text), page).not.toMatch(/⟦/);
      }
    }
  });
});

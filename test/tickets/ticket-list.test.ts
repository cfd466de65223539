import { expect, test } from 'vitest';
import { days } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { mainOf, ticketAs } from './ticket-support.ts';

type Found = { items: { title: string; number: number }[]; total: number };

async function titles(
  app: TestApp,
  person: { id: string; email: string; name: string },
  query: string,
): Promise<string[]> {
  const answer = await app.api(person).call('GET', `/api/v1/tickets?${query}`);
  if (answer.status !== 200) throw new Error(answer.text);
  return (answer.json() as Found).items.map(({ title }) => title);
}

describeOnEachEngine('whoever searches', (engine) => {
  test('finds by the beginnings of words in titles, descriptions and replies, whatever the accents', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    await app.given.ticket({ title: 'Écran cassé', description: 'À la Défense' });
    const { ticket } = await app.given.ticket({ title: 'Keyboard', description: 'Ünknown keys' });
    await app
      .api(technician)
      .call('POST', `/api/v1/tickets/${String(ticket.number)}/follow-ups`, { body: 'Spilled coffee?' });

    expect(await titles(app, technician, 'q=ecran')).toEqual(['Écran cassé']);
    expect(await titles(app, technician, `q=${encodeURIComponent('DÉFEN cass')}`)).toEqual(['Écran cassé']);
    expect(await titles(app, technician, 'q=unkn')).toEqual(['Keyboard']);
    expect(await titles(app, technician, 'q=coff')).toEqual(['Keyboard']);
    expect(await titles(app, technician, 'q=coff%20ecran')).toEqual([]);
    expect(await titles(app, technician, `q=%23${String(ticket.number)}`)).toEqual(['Keyboard']);
  });

  test('is never hurt by what they type', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    await app.given.ticket({ title: 'Printer' });

    for (const typed of [
      '"',
      "'",
      '*',
      'a OR b',
      '+-><()~*"@',
      'NEAR(',
      'printer"* OR 1',
      'NOT printer',
      '%',
      '\\',
      '日本語',
      '😀',
      'x'.repeat(200),
    ]) {
      const shown = await app.as(technician).get(`/tickets?q=${encodeURIComponent(typed)}`);
      expect(shown.status, typed).toBe(200);
    }
  });

  test('finds a new title as soon as it is written', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket } = await app.given.ticket({ title: 'Old words' });

    await app
      .api(technician)
      .call('PATCH', `/api/v1/tickets/${String(ticket.number)}`, { version: 1, title: 'Freshly chosen' });

    expect(await titles(app, technician, 'q=freshly')).toEqual(['Freshly chosen']);
  });
});

describeOnEachEngine('the list', (engine) => {
  test('narrows by status, assignee, priority, requester and day, and sorts', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { requester } = await app.given.ticket({ title: 'First', urgency: 1 });
    app.clock.advance(days(2));
    await app.given.ticket({ title: 'Second', urgency: 5 });
    const { ticket } = await app.given.ticket({ title: 'Third' });
    await app.api(technician).call('PATCH', `/api/v1/tickets/${String(ticket.number)}`, {
      version: 1,
      status: 'pending',
      assignees: { users: [technician.id], groups: [] },
    });

    expect(await titles(app, technician, 'sort=created')).toEqual(['First', 'Second', 'Third']);
    expect(await titles(app, technician, 'sort=attention')).toEqual(['Second', 'Third', 'First']);
    expect(await titles(app, technician, 'sort=-status')).toMatchObject([
      'Third',
      expect.anything(),
      expect.anything(),
    ]);
    expect(await titles(app, technician, 'status=pending')).toEqual(['Third']);
    expect(await titles(app, technician, 'assignee=me')).toEqual(['Third']);
    expect(await titles(app, technician, 'assignee=nobody&sort=title')).toEqual(['First', 'Second']);
    expect(await titles(app, technician, `assignee=${technician.id}`)).toEqual(['Third']);
    expect(await titles(app, technician, 'assignee=my-groups')).toEqual([]);
    expect(await titles(app, technician, 'priority=4')).toEqual(['Second']);
    expect(await titles(app, technician, `requester=${requester.id}`)).toEqual(['First']);
    expect(await titles(app, technician, 'to=2026-03-02')).toEqual(['First']);
    expect(await titles(app, technician, 'from=2026-03-03&sort=title')).toEqual(['Second', 'Third']);
  });

  test('comes in pages', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const requester = await app.given.user();
    for (let at = 1; at <= 5; at += 1) await app.given.ticket({ requester, title: `T${String(at)}` });

    const page = await app.api(technician).call('GET', '/api/v1/tickets?sort=number&perPage=2&page=3');

    expect(page.json()).toMatchObject({ items: [{ title: 'T5' }], total: 5, page: 3, perPage: 2 });
  });

  test('changes many at once, and says which could not be', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const [one, two] = [(await app.given.ticket()).ticket, (await app.given.ticket()).ticket];
    await app
      .api(technician)
      .call('PATCH', `/api/v1/tickets/${String(two.number)}`, { version: 1, status: 'closed' });

    const shown = await app.as(technician).submit(
      '/tickets?status=all',
      {
        numbers: [String(one.number), String(two.number)],
        urgency: 5,
        assignee: `user:${technician.id}`,
        back: '/tickets?status=all',
      },
      { action: '/tickets/bulk' },
    );

    expect(shown.text).toContain('1 changed, 1 left as they were.');
    expect(shown.url).toContain('status=all');
    expect(await ticketAs(app, technician, one.number)).toMatchObject({
      urgency: 5,
      status: 'open',
      assignees: { users: [technician.id] },
    });
  });

  test('does not lead away from the house after a change', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket } = await app.given.ticket();
    const browser = app.as(technician);
    const shown = await browser.get('/tickets');
    const csrf = /name="_csrf" value="([^"]+)"/.exec(shown.text)?.[1] ?? '';

    for (const back of ['https://evil.example', '//evil.example', '/\\evil.example']) {
      const answer = await browser.post('/tickets/bulk', {
        _csrf: csrf,
        numbers: [String(ticket.number)],
        urgency: 4,
        back,
      });
      expect(answer.headers['location']).toBe('/tickets');
    }
  });

  test('keeps views for oneself, or for everybody of an entity', async () => {
    const app = await startTestApp({ engine });
    const [technician, supervisor] = [
      await app.given.technician(),
      await app.given.user({ profile: 'supervisor' }),
    ];
    await app.given.ticket();
    const { id } = (await app.api(supervisor).call('GET', '/api/v1/tickets')).json() as { id: string };
    expect(id).toBeUndefined();
    const [entity] = await app.house.domains.memberships.entities();

    await app
      .as(technician)
      .submit('/tickets?priority=5', { name: 'My fires' }, { action: '/tickets/views' });
    await app
      .as(supervisor)
      .submit(
        '/tickets?assignee=nobody',
        { name: 'Nobody’s', sharedIn: entity?.id },
        { action: '/tickets/views' },
      );

    const [seenByTechnician, seenBySupervisor] = [
      await app.as(technician).get('/tickets'),
      await app.as(supervisor).get('/tickets'),
    ];
    expect(seenByTechnician.text).toContain('My fires');
    expect(seenByTechnician.text).toContain('Nobody’s');
    expect(seenBySupervisor.text).not.toContain('My fires');
    const removed = await app.as(technician).submit('/tickets?priority=5', {}, { action: '/tickets/views/' });
    expect(removed.text).toContain('The view is gone.');
    expect(removed.text).not.toContain('My fires');
  });

  test('greets whoever has asked for nothing yet', async () => {
    const app = await startTestApp({ engine });
    const requester = await app.given.user();

    expect(mainOf((await app.as(requester).get('/tickets')).text)).toContain('No requests yet');
    expect(mainOf((await app.as(requester).get('/')).text)).toContain('No requests yet');
    expect(mainOf((await app.as(requester).get('/tickets?q=nothing')).text)).toContain(
      'Nothing found for “nothing”',
    );
  });
});

import { expect, test } from 'vitest';
import {
  followUpAdded,
  followUpDraft,
  ticketCreated,
  ticketDraft,
  ticketMaySolve,
  ticketReopened,
  ticketSolved,
} from '../../src/tickets/index.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';
import { mainOf, ticketAs } from './ticket-support.ts';

describeOnEachEngine('news of a ticket', (engine) => {
  test('reaches those it concerns by mail and bell, and not whoever made it', async () => {
    const app = await startTestApp({ engine, mail: true });
    const [technician, requester] = [await app.given.technician(), await app.given.user({ locale: 'fr' })];
    const { ticket } = await app.given.ticket({ requester, title: 'Écran noir' });
    const page = `/tickets/${String(ticket.number)}`;

    expect((await app.mailbox.next(technician.email)).subject).toContain('opened ticket');
    await app.api(technician).call('POST', `/api/v1${page}/follow-ups`, { body: 'Is it **plugged** in?' });
    const reply = await app.mailbox.next(requester.email);
    await app.api(requester).call('POST', `/api/v1${page}/follow-ups`, { body: 'Yes.' });

    expect(reply.subject).toBe(
      `${technician.name} a répondu au ticket ${String(ticket.number)} : Écran noir`,
    );
    expect(reply.html).toContain('<strong>plugged</strong>');
    expect(reply.links.some((link) => link.endsWith(page))).toBe(true);
    expect(mainOf((await app.as(requester).get('/notifications')).text)).toContain('a répondu au ticket');
    expect(mainOf((await app.as(technician).get('/notifications')).text)).toContain('opened ticket');
    expect(app.mailbox.letters.filter(({ to }) => to.includes(requester.email))).toHaveLength(1);
  });

  test('rings no more once the ticket was read', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket, requester } = await app.given.ticket();
    const page = `/tickets/${String(ticket.number)}`;
    const unread = async (): Promise<number> =>
      ((await app.api(requester).call('GET', '/api/v1/notifications')).json() as { unread: number }).unread;
    await app.api(technician).call('POST', `/api/v1${page}/follow-ups`, { body: 'Hello' });
    expect(await unread()).toBe(1);

    await app.as(requester).get(page);

    expect(await unread()).toBe(0);
  });

  test('that is private never reaches the requester', async () => {
    const app = await startTestApp({ engine, mail: true });
    const [technician, colleague] = [await app.given.technician(), await app.given.technician()];
    const { ticket, requester } = await app.given.ticket();
    const path = `/api/v1/tickets/${String(ticket.number)}`;
    await app
      .api(technician)
      .call('PATCH', path, { version: 1, assignees: { users: [colleague.id], groups: [] } });

    await app
      .api(technician)
      .call('POST', `${path}/follow-ups`, { body: 'Fishy zebra.', visibility: 'private' });
    await app.settle();

    expect(mainOf((await app.as(colleague).get('/notifications')).text)).toContain('left a note');
    expect(mainOf((await app.as(requester).get('/notifications')).text)).not.toContain('note');
    expect(app.mailbox.letters.filter(({ to }) => to.includes(requester.email))).toEqual([]);
    expect(app.mailbox.letters.some(({ text }) => text.includes('zebra'))).toBe(false);
  });

  test('is told to listeners in order, once the change is durable', async () => {
    const app = await startTestApp({ engine });
    const told: string[] = [];
    const { hooks } = app.house.ground;
    for (const token of [ticketCreated, ticketSolved, ticketReopened, followUpAdded]) {
      hooks.onEvent('test', token, ({ ticket }) => void told.push(`${token.name} ${ticket.status}`));
    }
    const technician = await app.given.technician();

    const { ticket, requester } = await app.given.ticket();
    const path = `/api/v1/tickets/${String(ticket.number)}`;
    await app.api(technician).call('POST', `${path}/solutions`, { body: 'Done' });
    await app.api(requester).call('POST', `${path}/solutions/verdict`, { verdict: 'refused', reason: 'No.' });
    await app.settle();

    expect(told).toEqual([
      'ticket.created new',
      'follow-up.added solved',
      'ticket.solved solved',
      'follow-up.added open',
      'ticket.reopened open',
    ]);
  });
});

describeOnEachEngine('a plugin', (engine) => {
  test('may change what is opened and what is said', async () => {
    const app = await startTestApp({ engine });
    const { hooks } = app.house.ground;
    hooks.onFilter('tag', ticketDraft, (draft) => ({
      ...draft,
      title: `[IT] ${draft.title}`,
      urgency: 5 as const,
    }));
    hooks.onFilter('tag', followUpDraft, (draft) => ({ ...draft, body: `${draft.body} (sent)` }));
    const technician = await app.given.technician();

    const { ticket } = await app.given.ticket({ title: 'Printer' });
    const path = `/api/v1/tickets/${String(ticket.number)}`;
    await app.api(technician).call('POST', `${path}/follow-ups`, { body: 'Hello' });

    expect(await ticketAs(app, technician, ticket.number)).toMatchObject({
      title: '[IT] Printer',
      urgency: 5,
    });
    expect((await app.api(technician).call('GET', `${path}/timeline`)).text).toContain('Hello (sent)');
  });

  test('that refuses a solution keeps the ticket open, and the page keeps the words', async () => {
    const app = await startTestApp({ engine });
    app.house.ground.hooks.onVeto('checklist', ticketMaySolve, () => ({ code: 'ticket.closed' }));
    const technician = await app.given.technician();
    const { ticket } = await app.given.ticket();
    const page = `/tickets/${String(ticket.number)}`;
    const browser = app.as(technician);
    const shown = await browser.get(page);
    const csrf = /name="_csrf" value="([^"]+)"/.exec(mainOf(shown.text))?.[1] ?? '';

    const refused = await browser.post(`${page}/solutions`, {
      _csrf: csrf,
      version: 1,
      body: 'All done, I think.',
    });

    expect(refused.status).toBe(409);
    expect(refused.text).toContain('All done, I think.</textarea>');
    expect(await ticketAs(app, technician, ticket.number)).toMatchObject({ status: 'new' });
  });
});

describeOnEachEngine('the audit log', (engine) => {
  test('says who changed what, before and after', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket } = await app.given.ticket();

    await app
      .api(technician)
      .call('PATCH', `/api/v1/tickets/${String(ticket.number)}`, { version: 1, urgency: 5 });

    const [latest] = await app.house.ground.audit.history({ type: 'ticket', id: ticket.id });
    expect(latest).toMatchObject({
      action: 'ticket.updated',
      actorId: technician.id,
      before: { urgency: 3, priority: 3 },
      after: { urgency: 5, priority: 4 },
    });
  });
});

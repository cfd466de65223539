import { expect, test } from 'vitest';
import { autoCloseDays } from '../../src/tickets/index.ts';
import { days } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';
import { ticketAs } from './ticket-support.ts';

describeOnEachEngine('a solved ticket', (engine) => {
  test('is open again when the requester writes', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket, requester } = await app.given.ticket();
    const page = `/tickets/${String(ticket.number)}`;
    await app.as(technician).submit(page, { body: 'Turn it on.' }, { action: `${page}/follow-ups` });
    await app.api(technician).call('POST', `/api/v1${page}/solutions`, { body: 'Turned on.' });
    expect(await ticketAs(app, technician, ticket.number)).toMatchObject({ status: 'solved' });

    await app.as(requester).submit(page, { body: 'It came back.' }, { action: `${page}/follow-ups` });

    expect(await ticketAs(app, technician, ticket.number)).toMatchObject({ status: 'open', solvedAt: null });
  });

  test('is closed when the requester accepts the solution', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket, requester } = await app.given.ticket();
    const page = `/tickets/${String(ticket.number)}`;
    await app.api(technician).call('POST', `/api/v1${page}/solutions`, { body: 'Turned on.' });

    const shown = await app.as(requester).submit(page, {}, { action: `${page}/solution/accept` });

    expect(shown.text).toContain('Solution, accepted');
    expect(await ticketAs(app, technician, ticket.number)).toMatchObject({ status: 'closed' });
  });

  test('is open again with a reason when the requester refuses the solution', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket, requester } = await app.given.ticket();
    const page = `/tickets/${String(ticket.number)}`;
    await app.api(technician).call('POST', `/api/v1${page}/solutions`, { body: 'Turned on.' });

    const empty = await app
      .as(requester)
      .submit(page, { reason: ' ' }, { action: `${page}/solution/refuse` });
    const shown = await app
      .as(requester)
      .submit(page, { reason: 'Still dark.' }, { action: `${page}/solution/refuse` });

    expect(empty.status).toBe(422);
    expect(empty.text).toContain('Say what is still wrong.');
    expect(shown.text).toContain('Still dark.');
    expect(shown.text).toContain('Solution, did not help');
    expect(await ticketAs(app, technician, ticket.number)).toMatchObject({ status: 'open' });
  });

  test('is judged by nobody but its requester', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket } = await app.given.ticket();
    const path = `/api/v1/tickets/${String(ticket.number)}/solutions`;
    await app.api(technician).call('POST', path, { body: 'Turned on.' });

    const answer = await app.api(technician).call('POST', `${path}/verdict`, { verdict: 'accepted' });

    expect(answer.status).toBe(403);
  });

  test('closes by itself after the days that the house has set', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket } = await app.given.ticket();
    await app.given.setting(autoCloseDays, 3);
    await app
      .api(technician)
      .call('POST', `/api/v1/tickets/${String(ticket.number)}/solutions`, { body: 'Done.' });
    const { solutions } = app.house.domains.tickets;

    app.clock.advance(days(2));
    expect(await solutions.closeLongSolved({ days: 3 })).toBe(0);
    app.clock.advance(days(2));
    expect(await solutions.closeLongSolved({ days: 3 })).toBe(1);

    expect(await ticketAs(app, technician, ticket.number)).toMatchObject({ status: 'closed' });
  });
});

describeOnEachEngine('a closed ticket', (engine) => {
  test('is gone on with in another one, that both sides find from either', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket, requester } = await app.given.ticket();
    const page = `/tickets/${String(ticket.number)}`;
    await app.api(technician).call('POST', `/api/v1${page}/solutions`, { body: 'Done.' });
    await app.api(requester).call('POST', `/api/v1${page}/solutions/verdict`, { verdict: 'accepted' });

    const shown = await app.as(requester).submit(page, { body: 'Again.' }, { action: `${page}/follow-ups` });

    expect(shown.url).not.toMatch(new RegExp(`${page}$`));
    const next = Number(/\/tickets\/(\d+)$/.exec(shown.url)?.[1]);
    expect(await ticketAs(app, technician, next)).toMatchObject({ followsId: ticket.id, status: 'new' });
    expect(shown.text).toContain(`href="${page}"`);
    expect((await app.as(requester).get(page)).text).toContain(`href="/tickets/${String(next)}"`);
    expect(await ticketAs(app, technician, ticket.number)).toMatchObject({ status: 'closed' });
  });

  test('takes nothing more from helpers', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket } = await app.given.ticket();
    const path = `/api/v1/tickets/${String(ticket.number)}`;
    const closed = await app.api(technician).call('PATCH', path, { version: 1, status: 'closed' });
    const version = (closed.json() as { version: number }).version;

    const answers = [
      await app.api(technician).call('PATCH', path, { version, status: 'open' }),
      await app.api(technician).call('PATCH', path, { version, title: 'Other' }),
      await app.api(technician).call('POST', `${path}/follow-ups`, { body: 'One more thing' }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([409, 409, 409]);
  });
});

describeOnEachEngine('an assigned ticket', (engine) => {
  test('is no longer new, and its technician finds it among theirs', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket } = await app.given.ticket({ title: 'Door squeaks' });
    const page = `/tickets/${String(ticket.number)}`;

    const shown = await app.as(technician).submit(page, {}, { action: `${page}/take` });

    expect(shown.text).toContain(technician.name);
    expect(await ticketAs(app, technician, ticket.number)).toMatchObject({
      status: 'open',
      assignees: { users: [technician.id] },
    });
    expect((await app.as(technician).get('/tickets?assignee=me')).text).toContain('Door squeaks');
    expect((await app.as(technician).get('/tickets?assignee=nobody')).text).not.toContain('Door squeaks');
  });
});

import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';
import { mainOf, ticketAs } from './ticket-support.ts';

describeOnEachEngine('two people on one ticket', (engine) => {
  test('who change its facts: the second keeps what they entered and sees what the first did', async () => {
    const app = await startTestApp({ engine });
    const [first, second] = [
      await app.given.technician({ name: 'Marie Dupont' }),
      await app.given.technician(),
    ];
    const { ticket } = await app.given.ticket({ title: 'Slow laptop' });
    const page = `/tickets/${String(ticket.number)}`;
    const browser = app.as(second);
    const open = await browser.get(page);
    await app.api(first).call('PATCH', `/api/v1${page}`, { version: 1, urgency: 5 });

    const refused = await browser.submitShown(
      open,
      { title: 'Very slow laptop' },
      { action: `${page}/facts` },
    );
    const accepted = await browser.submitShown(refused, {}, { action: `${page}/facts` });

    expect(refused.status).toBe(409);
    expect(refused.text).toContain('Somebody else was here meanwhile');
    expect(mainOf(refused.text)).toMatch(/Marie Dupont.*Urgency: Medium\s+→ Very high/s);
    expect(refused.text).toContain('value="Very slow laptop"');
    expect(accepted.status).toBe(200);
    expect(await ticketAs(app, second, ticket.number)).toMatchObject({
      title: 'Very slow laptop',
      urgency: 5,
    });
  });

  test('who answer at once: the second reads first what the first one said', async () => {
    const app = await startTestApp({ engine });
    const [first, second] = [
      await app.given.technician({ name: 'Marie Dupont' }),
      await app.given.technician(),
    ];
    const { ticket } = await app.given.ticket();
    const page = `/tickets/${String(ticket.number)}`;
    const browser = app.as(second);
    const open = await browser.get(page);
    await app.as(first).submit(page, { body: 'On my way.' }, { action: `${page}/follow-ups` });

    const refused = await browser.submitShown(
      open,
      { body: 'I am coming too.' },
      { action: `${page}/follow-ups` },
    );
    const sent = await browser.submitShown(refused, {}, { action: `${page}/follow-ups` });

    expect(refused.status).toBe(409);
    expect(refused.text).toContain('On my way.');
    expect(refused.text).toMatch(/<textarea[^>]*name="body"[^>]*>I am coming too\.<\/textarea>/);
    expect(sent.text).toContain('I am coming too.');
    expect(sent.status).toBe(200);
  });

  test('are not stopped by what neither of them said', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket, requester } = await app.given.ticket();
    const page = `/tickets/${String(ticket.number)}`;
    const browser = app.as(requester);
    const open = await browser.get(page);
    await app.api(technician).call('PATCH', `/api/v1${page}`, { version: 1, urgency: 5 });
    await app
      .api(technician)
      .call('POST', `/api/v1${page}/follow-ups`, { body: 'Hm.', visibility: 'private' });

    const sent = await browser.submitShown(open, { body: 'It smokes!' }, { action: `${page}/follow-ups` });

    expect(sent.status).toBe(200);
    expect(sent.text).toContain('It smokes!');
  });
});

describeOnEachEngine('ten people on one ticket', (engine) => {
  test('who change the same version: one of them does', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket } = await app.given.ticket();
    const path = `/api/v1/tickets/${String(ticket.number)}`;
    const program = app.api(technician);

    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        program.call('PATCH', path, { version: 1, title: `Title ${String(at)}` }),
      ),
    );

    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(9).fill(409)]);
    const winner = answers.find(({ status }) => status === 200)?.json() as { title: string };
    expect(await ticketAs(app, technician, ticket.number)).toMatchObject({ version: 2, title: winner.title });
  });

  test('who write at once are all heard, each once', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket } = await app.given.ticket();
    const path = `/api/v1/tickets/${String(ticket.number)}`;
    const program = app.api(technician);

    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        program.call('POST', `${path}/follow-ups`, { body: `Word ${String(at)}.` }),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual(Array<number>(10).fill(201));
    const { items } = (await program.call('GET', `${path}/timeline`)).json() as { items: { body: string }[] };
    const words = items.map(({ body }) => body).filter((body) => body.startsWith('Word'));
    expect(words.toSorted()).toEqual(Array.from({ length: 10 }, (_, at) => `Word ${String(at)}.`));
    expect(await ticketAs(app, technician, ticket.number)).toMatchObject({ version: 11 });
  });
});

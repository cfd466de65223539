import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { attachmentsOn, givenEntity, mainOf, submitWithFiles } from './ticket-support.ts';

const paths = (number: number): string[] => {
  const page = `/tickets/${String(number)}`;
  return [
    `${page}/follow-ups`,
    `${page}/solutions`,
    `${page}/solution/accept`,
    `${page}/solution/refuse`,
    `${page}/facts`,
    `${page}/take`,
  ];
};

const forms: Record<string, string | number> = {
  body: 'Hello',
  reason: 'Because',
  version: 1,
  type: 'request',
  title: 'Mine now',
  status: 'closed',
  categoryId: '',
  urgency: 1,
  impact: 1,
};

async function assertUnknownTo(
  { as, api }: TestApp,
  person: { id: string; email: string; name: string },
  number: number,
): Promise<void> {
  const [browser, program] = [as(person), api(person)];
  const home = await browser.get('/tickets');
  const csrf = /name="_csrf" value="([^"]+)"/.exec(home.text)?.[1] ?? '';
  expect((await browser.get(`/tickets/${String(number)}`)).status).toBe(404);
  for (const path of paths(number)) {
    expect((await browser.post(path, { ...forms, _csrf: csrf })).status, path).toBe(404);
  }
  const path = `/api/v1/tickets/${String(number)}`;
  for (const one of [path, `${path}/timeline`, `${path}/attachments`]) {
    expect((await program.call('GET', one)).status, one).toBe(404);
  }
  expect((await program.call('PATCH', path, { version: 1, title: 'Mine now' })).status).toBe(404);
  for (const [name, body] of [
    ['follow-ups', { body: 'Hello' }],
    ['solutions', { body: 'Hello' }],
    ['solutions/verdict', { verdict: 'accepted' }],
  ] as const) {
    expect((await program.call('POST', `${path}/${name}`, body)).status, name).toBe(404);
  }
  expect((await program.call('GET', '/api/v1/tickets')).json()).toMatchObject({ items: [], total: 0 });
}

describeOnEachEngine('a ticket', (engine) => {
  test('does not exist for a stranger, wherever they look', async () => {
    const app = await startTestApp({ engine });
    const { ticket } = await app.given.ticket();
    const stranger = await app.given.user();

    await assertUnknownTo(app, stranger, ticket.number);
  });

  test('does not exist for a technician of another entity', async () => {
    const app = await startTestApp({ engine });
    const [paris, rome] = [await givenEntity(app, 'Paris'), await givenEntity(app, 'Rome')];
    const requester = await app.given.user({ entityId: paris });
    const { ticket } = await app.given.ticket({ requester, entityId: paris });

    await assertUnknownTo(app, await app.given.technician({ entityId: rome }), ticket.number);
  });

  test('is open to an observer, who may write and change nothing else', async () => {
    const { as, api, given } = await startTestApp({ engine });
    const [observer, technician] = [await given.user(), await given.technician()];
    const { ticket } = await given.ticket();
    const path = `/api/v1/tickets/${String(ticket.number)}`;
    await api(technician).call('PATCH', path, { version: 1, observers: [observer.id] });

    expect((await as(observer).get(`/tickets/${String(ticket.number)}`)).status).toBe(200);
    expect((await api(observer).call('POST', `${path}/follow-ups`, { body: 'Me too' })).status).toBe(201);
    expect((await api(observer).call('PATCH', path, { version: 3, title: 'Mine' })).status).toBe(403);
    expect((await api(observer).call('POST', `${path}/solutions`, { body: 'Done' })).status).toBe(403);
    expect((await as(observer).get('/tickets')).text).toContain(ticket['title']);
  });

  test('keeps its private notes and their files from the requester, on every way', async () => {
    const { as, api, given } = await startTestApp({ engine });
    const technician = await given.technician();
    const { ticket, requester } = await given.ticket();
    const page = `/tickets/${String(ticket.number)}`;
    await submitWithFiles(as(technician), page, {
      action: `${page}/follow-ups`,
      values: { body: 'Looks fishy, zebra.', visibility: 'private' },
      files: [{ name: 'secret.txt', content: 'for helpers only' }],
    });
    const seenByHelper = await as(technician).get(page);
    const [path = ''] = attachmentsOn(seenByHelper.text);
    expect(seenByHelper.text).toContain('Looks fishy');
    expect((await as(technician).get(path)).text).toBe('for helpers only');

    expect((await as(requester).get(page)).text).not.toContain('fishy');
    expect((await as(requester).get(page)).text).not.toContain('secret.txt');
    expect((await as(requester).get(path)).status).toBe(404);
    const program = api(requester);
    expect((await program.call('GET', `/api/v1${path}`)).status).toBe(404);
    expect((await program.call('GET', `/api/v1${page}/timeline`)).text).not.toContain('fishy');
    expect((await program.call('GET', `/api/v1${page}/attachments`)).json()).toEqual({ items: [] });
    expect((await program.call('GET', '/api/v1/tickets?q=zebra')).json()).toMatchObject({ items: [] });
    expect(
      (await program.call('POST', `/api/v1${page}/follow-ups`, { body: 'x', visibility: 'private' })).status,
    ).toBe(403);
  });

  test('on hold is open to the requester, on the page and in the API', async () => {
    const { as, api, given } = await startTestApp({ engine });
    const technician = await given.technician();
    const { ticket, requester } = await given.ticket();
    const path = `/tickets/${String(ticket.number)}`;
    await api(technician).call('POST', `/api/v1${path}/follow-ups`, {
      body: 'Asked the maker.',
      status: 'on-hold',
    });

    expect((await api(technician).call('GET', `/api/v1${path}`)).json()).toMatchObject({ status: 'on-hold' });
    expect((await api(requester).call('GET', `/api/v1${path}`)).json()).toMatchObject({ status: 'open' });
    expect(mainOf((await as(requester).get(path)).text)).not.toContain('On hold');
    expect((await api(requester).call('GET', `/api/v1${path}/timeline`)).text).not.toContain('on-hold');
  });

  test('can only be opened for others by those who may', async () => {
    const { api, given } = await startTestApp({ engine });
    const [requester, technician] = [await given.user(), await given.technician()];
    const draft = { title: 'For Ada', requesterId: technician.id };

    expect((await api(requester).call('POST', '/api/v1/tickets', draft)).status).toBe(403);
    const opened = await api(technician).call('POST', '/api/v1/tickets', {
      ...draft,
      requesterId: requester.id,
    });
    expect(opened.json()).toMatchObject({ requesterId: requester.id });
  });

  test('takes from a requester only what is theirs to say', async () => {
    const { api, given } = await startTestApp({ engine });
    const [requester, technician] = [await given.user(), await given.technician()];

    const opened = await api(requester).call('POST', '/api/v1/tickets', {
      title: 'Mine first',
      urgency: 5,
      impact: 5,
      assignees: { users: [technician.id], groups: [] },
    });

    expect(opened.json()).toMatchObject({ impact: 3, priority: 4, status: 'new', assignees: { users: [] } });
  });

  test('is exported only by those who may, and only theirs', async () => {
    const { as, given } = await startTestApp({ engine });
    const [technician, supervisor] = [await given.technician(), await given.user({ profile: 'supervisor' })];
    await given.ticket({ title: '=cmd|calc' });

    expect((await as(technician).get('/tickets/export.csv')).status).toBe(403);
    const exported = await as(supervisor).get('/tickets/export.csv');
    expect(exported.headers['content-type']).toContain('text/csv');
    expect(exported.text).toContain(",'=cmd|calc,New,");
  });

  test('are exported in the language of whoever asks', async () => {
    const { as, given } = await startTestApp({ engine });
    const supervisor = await given.user({ profile: 'supervisor', locale: 'fr' });
    await given.ticket({ title: 'The printer is on fire' });

    const [head, row] = (await as(supervisor).get('/tickets/export.csv')).text.split('\r\n');

    expect(head).toMatch(/^N°,Titre,Statut,Priorité,Type,Demandeur,/);
    expect(row).toContain(',The printer is on fire,Nouveau,');
  });
});

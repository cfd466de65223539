import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { attachmentMayKeep } from '../../src/tickets/index.ts';
import { system, type Actor } from '../../src/shared/actor.ts';
import { minutes } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startDoor } from '../support/door.ts';
import type { TestApp } from '../support/test-app.ts';
import { keyFor, lookAgain, startDesk, startHub } from '../support/two-houses.ts';
import { submitWithFiles } from '../tickets/ticket-support.ts';

const PATH = '/admin/network/support';
const question = { title: 'Branding forgets its colour', body: 'Since **yesterday**.' };

/** Time passes, and the desk looks at what is due. */
async function carry(desk: TestApp): Promise<void> {
  desk.clock.advance(minutes(16));
  await desk.house.domains.jobs.runNow('network.support');
}

async function ask(desk: TestApp, draft: Partial<Parameters<TestApp['house']['support']['open']>[1]> = {}) {
  const request = { ...question, plugin: null, ticket: null, diagnostics: '', ...draft };
  const { id } = await desk.house.support.open(system, request);
  await desk.house.supportCourier.run();
  return id;
}

async function actorOf({ house }: TestApp, id: string): Promise<Actor> {
  const actor = await house.domains.directory.actorById(id);
  if (!actor) throw new Error('There is nobody of that id');
  return actor;
}

async function command(desk: TestApp, name: string, args: string[] = [], stdin = ''): Promise<unknown> {
  const { coreCommands } = await import('../../src/compose-commands.ts');
  const found = coreCommands(desk.house, { onProblem: () => undefined }).find((one) => one.name === name);
  let printed: unknown;
  await found?.run({
    actor: system,
    args,
    options: {},
    print: (value) => void (printed = value),
    readStdin: () => Promise.resolve(stdin),
    readFile: () => Promise.reject(new Error('Nothing is read')),
  });
  return printed;
}

const thread = (desk: TestApp, id: string) => desk.house.support.thread(system, id);
const states = async (desk: TestApp, id: string) =>
  (await thread(desk, id)).messages.map(({ kind, state }) => `${kind} ${state}`);

describeOnEachEngine('a support request', (engine) => {
  test('becomes a ticket at the vendor and comes back answered, solved and closed, with files both ways', async () => {
    const hub = await startHub(engine);
    const desk = await startDesk(hub, await keyFor(hub), engine);
    const technician = await desk.given.technician({ name: 'Tina Technician' });
    const browser = desk.as(technician);
    const page = await browser.get(`${PATH}/new?plugin=branding`);
    expect(page.text).toContain('- branding ');
    expect(page.text).not.toContain('lknet_');

    const sent = await submitWithFiles(browser, `${PATH}/new?plugin=branding`, {
      action: PATH,
      values: question,
      files: [{ name: 'log.txt', content: 'it was blue' }],
    });
    await desk.house.supportCourier.run();
    const at = String(sent.headers['location']);
    const id = at.split('/').at(-1) ?? '';

    const vendor = hub.as(await hub.given.owner());
    const ticket = (await vendor.get('/tickets/1')).text;
    expect(ticket).toContain('Branding forgets its colour');
    expect(ticket).toContain('- branding ');
    expect(ticket).toContain('log.txt');
    expect(ticket).toContain('Example Hospital');
    await vendor.submit(
      '/tickets/1',
      { body: 'They only guess.', visibility: 'private' },
      { action: '/tickets/1/f' },
    );
    await submitWithFiles(vendor, '/tickets/1', {
      action: '/tickets/1/follow-ups',
      values: { body: 'Try this file.', visibility: 'public' },
      files: [{ name: 'colours.json', content: '{}' }],
    });
    await carry(desk);

    const answered = (await browser.get(at)).text;
    expect(answered).toContain('Try this file.');
    expect(answered).not.toContain('They only guess.');
    const file = /href="([^"]*\/files\/[^"]+)" download="colours.json"/.exec(answered)?.[1] ?? '';
    expect((await browser.get(file)).text).toBe('{}');

    await browser.submit(at, { body: 'That helped.' }, { action: `${at}/messages` });
    await desk.house.supportCourier.run();
    expect((await vendor.get('/tickets/1')).text).toContain('Tina Technician (Example Hospital)');
    await hub.house.domains.tickets.solutions.propose(system, 1, { body: 'It was the file.' });
    await carry(desk);
    expect((await browser.get(at)).text).toContain('It was the file.');
    await browser.submit(at, {}, { action: `${at}/accept` });
    await carry(desk);

    expect((await thread(desk, id)).request.status).toBe('closed');
    expect((await hub.house.domains.tickets.tickets.find(system, 1)).status).toBe('closed');
    expect(await states(desk, id)).toEqual([
      'open arrived',
      'follow-up received',
      'reply arrived',
      'solution received',
      'accept arrived',
    ]);
    const told = await desk.db.knex('notification').where({ kind: 'network.support' });
    expect(new Set(told.map((row: { user_id: string }) => row.user_id))).toEqual(new Set([technician.id]));
  });

  test('is kept while the hub is off, goes when it is on again, and comes once though its answer was lost', async () => {
    const hub = await startHub(engine);
    const door = await startDoor(hub.origin);
    const desk = await startDesk(door, await keyFor(hub), engine);
    await door.set('shut');
    const id = await ask(desk);
    await desk.house.support.reply(system, id, 'And today too.');
    await carry(desk);
    expect(await states(desk, id)).toEqual(['open waiting', 'reply waiting']);

    await door.set('one-way');
    await carry(desk);
    expect(await states(desk, id)).toEqual(['open sent', 'reply waiting']);
    await carry(desk);
    await door.set('open');
    await carry(desk);

    expect(await states(desk, id)).toEqual(['open arrived', 'reply arrived']);
    expect(await hub.db.knex('tickets')).toHaveLength(1);
    expect(await hub.db.knex('timeline_entries').where({ kind: 'follow-up' })).toHaveLength(1);
  });

  test('that comes in ten times at once is one ticket, and strangers get nothing', async () => {
    const hub = await startHub(engine);
    const key = await keyFor(hub);
    const id = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
    const post = (path: string, body: object, as = { key, uid: 'a1B2'.repeat(10) }) =>
      fetch(`${hub.origin}/api/network/v1/support/${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-registration-key': as.key,
          'x-glpi-network-uid': as.uid,
        },
        body: JSON.stringify(body),
      });
    const opening = { ...question, id, author: 'Tina' };

    const answers = await Promise.all(Array.from({ length: 10 }, () => post('requests', opening)));
    const bodies = await Promise.all(
      answers.map((answer) => answer.json() as Promise<{ reference: string }>),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    // A number that was drawn in a transaction that had to begin again is left out.
    const [reference = ''] = new Set(bodies.map((body) => body.reference));
    expect(bodies.map((body) => body.reference)).toEqual(bodies.map(() => reference));
    expect(await hub.db.knex('tickets')).toHaveLength(1);

    const reply = { id: '01ARZ3NDEKTSV4RRFFQ69G5FAW', body: 'Mine', author: 'Eve' };
    const other = { key: await keyFor(hub), uid: 'z9Y8'.repeat(10) };
    const known = { known: [{ id, reference, version: 0 }] };
    expect((await post(`requests/${id}/messages`, reply, other)).status).toBe(404);
    expect((await post(`requests/${id}/messages`, reply, { key, uid: 'z9Y8'.repeat(10) })).status).toBe(404);
    expect(await (await post('news', known, other)).json()).toEqual({ items: [{ id, isKnown: false }] });
    expect((await post('requests', opening, { key: '', uid: other.uid })).status).toBe(403);
    const free = { key: await keyFor(hub, 'virtual'), uid: other.uid };
    const refused = await post('requests', { ...opening, id: '01ARZ3NDEKTSV4RRFFQ69G5FAX' }, free);
    expect(await refused.json()).toMatchObject({ status: 403, code: 'hub.support-not-included' });
    expect(await hub.db.knex('tickets')).toHaveLength(1);
  });

  test('that was closed goes on where the customer answers it at the vendor, and forgets who is forgotten', async () => {
    const hub = await startHub(engine);
    const desk = await startDesk(hub, await keyFor(hub), engine);
    const technician = await desk.given.technician({ name: 'Tina Technician' });
    const asking = await actorOf(desk, technician.id);
    const { id } = await desk.house.support.open(asking, {
      ...question,
      plugin: null,
      ticket: null,
      diagnostics: '',
    });
    await desk.house.supportCourier.run();
    await hub.house.domains.tickets.solutions.propose(system, 1, { body: 'It was the file.' });
    await carry(desk);
    await desk.house.support.accept(asking, id);
    await carry(desk);
    const [row] = await hub.db.knex<{ user_id: string }>('hub_support');
    const customer = await actorOf(hub, row?.user_id ?? '');

    const again = { body: 'It is back.', visibility: 'public' as const };
    await hub.house.domains.tickets.followUps.add(customer, 1, again);
    await hub.house.domains.dispatcher.drain();
    await desk.house.support.lookSoon(asking, id);
    await desk.house.supportCourier.run();

    const { request, messages } = await thread(desk, id);
    expect(request).toMatchObject({ reference: '2', status: 'new' });
    expect(messages.at(-1)).toMatchObject({
      state: 'received',
      body: 'It is back.',
      authorName: customer.name,
    });
    await desk.house.domains.userAdmin.anonymise(system, technician.id);
    await desk.house.domains.dispatcher.drain();
    expect(JSON.stringify(await thread(desk, id))).not.toContain('Tina Technician');
  });

  test('that the hub refuses keeps what was typed, says why, and goes once it may', async () => {
    const hub = await startHub(engine);
    const desk = await startDesk(hub, await keyFor(hub), engine);
    await hub.db.transaction((tx) =>
      tx.knex('hub_offer').where({ reference: 'network-basic' }).update({ features: '[]' }),
    );
    const id = await ask(desk);
    const browser = desk.as(await desk.given.owner());
    const shown = (await browser.get(`${PATH}/${id}`)).text;
    expect(shown).toContain('The offer of this registration key does not include support.');
    expect(shown).toContain('Since <strong>yesterday</strong>.');

    await hub.db.transaction((tx) =>
      tx.knex('hub_offer').where({ reference: 'network-basic' }).update({ features: '["support"]' }),
    );
    await browser.submit(`${PATH}/${id}`, {}, { action: `${PATH}/${id}/look` });
    await desk.house.supportCourier.run();
    expect(await states(desk, id)).toEqual(['open arrived']);
  });
});

describe('somebody at a helpdesk', () => {
  test('asks only where the offer includes it, and is told so where it does not', async () => {
    const hub = await startHub();
    const desk = await startDesk(hub, await keyFor(hub, 'virtual'));
    const browser = desk.as(await desk.given.technician());

    expect((await browser.get(`${PATH}/new`)).text).toContain('Your offer does not include support.');
    await expect(ask(desk)).rejects.toMatchObject({ code: 'support.not-included' });
    await desk.house.domains.network.setKey(system, await keyFor(hub, 'network-advanced'));
    await lookAgain(desk);
    expect((await browser.get(`${PATH}/new`)).text).toContain('name="diagnostics"');
  });

  test('without the right finds neither pages nor files, and no form of another site is taken', async () => {
    const hub = await startHub();
    const desk = await startDesk(hub, await keyFor(hub));
    const id = await ask(desk);
    const stranger = desk.as(await desk.given.user());
    const _csrf = /name="_csrf" value="([^"]+)"/.exec((await stranger.get('/account')).text)?.[1] ?? '';

    for (const path of ['', '/new', `/${id}`, `/files/${id}`])
      expect((await stranger.get(`${PATH}${path}`)).status).toBe(403);
    for (const path of ['', `/${id}/messages`, `/${id}/accept`, `/${id}/look`])
      expect((await stranger.post(`${PATH}${path}`, { _csrf, ...question })).status).toBe(403);
    const technician = desk.as(await desk.given.technician());
    expect((await technician.post(`${PATH}/${id}/messages`, { body: 'No token' })).status).toBe(403);
    expect((await thread(desk, id)).messages).toHaveLength(1);
  });

  test('asks about a ticket of their own house, in its words, and finds the answer beside it', async () => {
    const hub = await startHub();
    const desk = await startDesk(hub, await keyFor(hub));
    const { ticket } = await desk.given.ticket({
      title: 'Colours are wrong',
      description: 'Pink everywhere.',
    });
    const at = `/tickets/${String(ticket.number)}`;
    const browser = desk.as(await desk.given.technician());
    const form = `${PATH}/new?ticket=${String(ticket.number)}`;

    expect((await browser.get(at)).text).toContain(form);
    await browser.submit(form, {}, { action: PATH });
    await desk.house.supportCourier.run();

    expect((await hub.as(await hub.given.owner()).get('/tickets/1')).text).toContain('Pink everywhere.');
    expect((await browser.get(at)).text).toMatch(/admin\/network\/support\/[0-9A-Z]{26}">Colours are wrong/);
    const stranger = desk.as(await desk.given.user());
    expect((await stranger.get(`${PATH}/new?ticket=${String(ticket.number)}`)).status).toBe(403);
  });

  test('asks, reads and replies at the command line too', async () => {
    const hub = await startHub();
    const desk = await startDesk(hub, await keyFor(hub));
    const opened = (await command(desk, 'network support open', ['No colour'], 'Why?')) as { id: string };
    await command(desk, 'network support reply', [opened.id], 'Please.');
    await hub.house.domains.tickets.solutions.propose(system, 1, { body: 'Because.' });

    expect(await command(desk, 'network support show', [opened.id])).toMatchObject({
      ticket: '1',
      facts: expect.stringContaining('Latchkey ') as string,
      messages: [
        { state: 'arrived' },
        { state: 'arrived', body: 'Please.' },
        { kind: 'solution', body: 'Because.' },
      ],
    });
    expect(await command(desk, 'network support list')).toMatchObject([{ id: opened.id, status: 'solved' }]);
  });

  test('chooses a file once, though the form is refused at first', async () => {
    const hub = await startHub();
    const desk = await startDesk(hub, await keyFor(hub));
    const browser = desk.as(await desk.given.technician());
    const form = { action: PATH, files: [{ name: 'log.txt', content: 'it was blue' }] };

    const refused = await submitWithFiles(browser, `${PATH}/new`, {
      ...form,
      values: { ...question, title: ' ' },
    });
    const attachments = /name="attachments" value="([^"]+)" checked/.exec(refused.text)?.[1] ?? '';
    await browser.submit(`${PATH}/new`, { ...question, attachments }, { action: PATH });
    await desk.house.supportCourier.run();

    expect(refused.status).toBe(422);
    expect((await hub.as(await hub.given.owner()).get('/tickets/1')).text).toContain('log.txt');
    const other = desk.as(await desk.given.technician());
    await other.submit(`${PATH}/new`, { ...question, attachments }, { action: PATH });
    expect(await desk.db.knex('support_file')).toHaveLength(1);
  });

  test('is sent no file that is too much or that a check refuses', async () => {
    const hub = await startHub();
    const desk = await startDesk(hub, await keyFor(hub));
    const browser = desk.as(await desk.given.technician());
    const big = { name: 'big.bin', content: randomBytes(11 * 1024 * 1024) };
    const refused = await submitWithFiles(browser, `${PATH}/new`, {
      action: PATH,
      values: question,
      files: [big],
    });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain('Since **yesterday**.');

    const id = await ask(desk);
    desk.house.ground.hooks.onVeto('scanner', attachmentMayKeep, () => ({ code: 'scanner.virus' }));
    const vendor = hub.as(await hub.given.owner());
    await submitWithFiles(vendor, '/tickets/1', {
      action: '/tickets/1/follow-ups',
      values: { body: 'Run this.', visibility: 'public' },
      files: [{ name: 'run.exe', content: 'MZ' }],
    });
    await carry(desk);

    expect((await browser.get(`${PATH}/${id}`)).text).toContain('refused by a check of this helpdesk');
  });
});

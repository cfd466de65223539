import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../support/databases.ts';
import { unescapeHtml } from '../support/http-client.ts';
import { startTestApp } from '../support/test-app.ts';
import { mainOf } from './ticket-support.ts';

const attacks = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '[click](javascript:alert(1))',
  '[click](data:text/html;base64,PHNjcmlwdD4=)',
  '![x](https://evil.example/pixel.png)',
  '<a href="javascript:alert(1)">x</a>',
  '`</code><script>alert(1)</script>`',
  '{{{csrf}}} {{constructor.constructor}}',
  '"><svg onload=alert(1)>',
].join('\n\n');

/** Tags, attributes outside quotes, and addresses that would run. */
const dangerous =
  /<script|<[a-z]+(\s[a-z-]+(="[^"]*")?)*\s+on[a-z]+\s*=|<[a-z]+\s[^<>]*(href="(javascript|data):|src="https?:)/i;

describeOnEachEngine('what people write', (engine) => {
  test('never runs in anybody’s browser', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician({ name: '<b onmouseover=alert(1)>Eve</b>' });
    const { ticket, requester } = await app.given.ticket({
      title: attacks.slice(0, 180),
      description: attacks,
    });
    const page = `/tickets/${String(ticket.number)}`;
    await app.api(technician).call('POST', `/api/v1${page}/follow-ups`, { body: attacks });
    await app.api(technician).call('PATCH', `/api/v1${page}`, { version: 2, title: attacks.slice(20, 200) });

    for (const person of [requester, technician]) {
      for (const path of [page, '/tickets', '/', '/notifications']) {
        const main = mainOf((await app.as(person).get(path)).text);
        const strange = main
          .replace(/<script type="module" src="[^"]*" nonce="[^"]*"><\/script>/g, '')
          .match(dangerous);
        expect(strange, path).toBeNull();
      }
    }
  });
});

describeOnEachEngine('every page about tickets', (engine) => {
  test('has all its words, in both languages', async () => {
    const app = await startTestApp({ engine });
    const { given } = app;
    for (const locale of ['en', 'fr'] as const) {
      const owner = await given.user({ profile: 'super-admin', locale });
      const requester = await given.user({ locale });
      const { ticket } = await given.ticket({ requester, type: 'incident' });
      const page = `/tickets/${String(ticket.number)}`;
      const owners = app.api(owner);
      await owners.call('POST', '/api/v1/categories', {
        name: `Network ${locale}`,
        entityId: (await app.house.domains.memberships.entities())[0]?.id,
      });
      await owners.call('PATCH', `/api/v1${page}`, {
        version: 1,
        urgency: 5,
        description: 'More.',
        observers: [owner.id],
        assignees: { users: [owner.id], groups: [] },
      });
      await owners.call('POST', `/api/v1${page}/follow-ups`, { body: 'A note', visibility: 'private' });
      await owners.call('POST', `/api/v1${page}/solutions`, { body: 'Done' });
      const pages = [
        page,
        '/tickets',
        '/tickets?q=none',
        '/tickets?priority=5',
        '/tickets/new',
        '/tickets/new?welcome=1&example=2',
        '/',
      ];

      for (const path of [...pages, '/admin/categories']) {
        const shown = await app.as(owner).get(path);
        expect(shown.status, path).toBe(200);
        expect(mainOf(shown.text), path).not.toMatch(/⟦|\[object|undefined/);
      }
      for (const path of pages) {
        const shown = await app.as(requester).get(path);
        expect(shown.status, path).toBe(200);
        expect(mainOf(shown.text), path).not.toMatch(/⟦|\[object|undefined/);
        expect(shown.text).toContain(`<html lang="${locale}"`);
      }
    }
  });

  test('has the same words in both languages’ files', async () => {
    const texts = async (locale: string): Promise<Record<string, string>> =>
      JSON.parse(
        await readFile(new URL(`../../locales/${locale}/tickets.json`, import.meta.url), 'utf8'),
      ) as Record<string, string>;
    const [english, french] = [await texts('en'), await texts('fr')];
    const holes = (text = ''): string[] => (text.match(/\{\{\w+\}\}/g) ?? []).toSorted();

    expect(Object.keys(french).toSorted()).toEqual(Object.keys(english).toSorted());
    for (const [key, text] of Object.entries(english)) expect(holes(french[key]), key).toEqual(holes(text));
  });
});

describeOnEachEngine('an address that leads nowhere', (engine) => {
  test('is not found, whatever stands in it', async () => {
    const app = await startTestApp({ engine });
    const owner = await app.given.owner();

    for (const path of [
      '/tickets/abc',
      '/tickets/0',
      '/tickets/-1',
      '/tickets/1e400',
      '/tickets/99',
      '/attachments/x',
    ]) {
      expect((await app.as(owner).get(path)).status, path).toBe(404);
    }
    expect((await app.as(owner).get(`/attachments/${encodeURIComponent('😀 ')}`)).status).toBe(404);
    for (const query of [
      'category=😀',
      "entity=' OR 1=1",
      'assignee=%00',
      'page=-1',
      'page=x',
      'q[]=1',
      'sort=x',
    ]) {
      expect((await app.as(owner).get(`/tickets?${query}`)).status, query).toBe(200);
    }
    expect((await app.api(owner).call('GET', '/api/v1/tickets/abc')).status).toBe(404);
  });
});

describeOnEachEngine('the settings', (engine) => {
  test('say after how many days solved tickets close', async () => {
    const app = await startTestApp({ engine });
    const owner = app.as(await app.given.owner());

    const shown = await owner.get('/admin/settings');

    expect(shown.text).toContain('Close solved tickets after');
  });
});

describeOnEachEngine('a newcomer', (engine) => {
  test('is shown three examples, and one of them fills the form', async () => {
    const app = await startTestApp({ engine });
    const newcomer = await app.given.user();

    const welcome = await app.as(newcomer).get('/tickets/new?welcome=1');
    const filled = await app.as(newcomer).get('/tickets/new?welcome=1&example=1');

    expect(welcome.text).toContain('Welcome. What do you need help with?');
    expect([...unescapeHtml(welcome.text).matchAll(/welcome=1&example=\d/g)]).toHaveLength(3);
    expect(filled.text).toContain('value="I cannot print"');
  });
});

describeOnEachEngine('the front page', (engine) => {
  test('counts what the helper may see, and nothing else', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const { ticket } = await app.given.ticket({ title: 'Solved one' });
    await app.given.ticket({ title: 'Open one' });
    app.clock.advance(30 * 60_000);
    const path = `/api/v1/tickets/${String(ticket.number)}`;
    await app.api(technician).call('POST', `${path}/follow-ups`, { body: 'Hello' });
    await app.api(technician).call('POST', `${path}/solutions`, { body: 'Done' });

    const numbers = await app.house.domains.tickets.dashboard.today(
      (await app.house.domains.users.actorOf(technician.id)) ?? expect.fail('no actor'),
    );
    expect(Object.fromEntries(numbers.byStatus)).toMatchObject({ new: 1, open: 0, solved: 0 });
    expect(numbers.days.at(-1)).toMatchObject({ created: 2, solved: 1 });
    expect(numbers.days).toHaveLength(30);
    expect(numbers.averageFirstReplyMs).toBe(30 * 60_000);
    expect(numbers.unassigned).toBe(1);
    const shown = mainOf((await app.as(technician).get('/')).text);
    expect(shown).toContain('30 min');
    expect(shown).toContain('Open one');
    expect(shown).not.toContain('Solved one');
  });
});

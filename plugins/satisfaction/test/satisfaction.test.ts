import { createTestHost, days, hours, type Person, type TestHost } from 'latchkey/plugin-test';
import { expect, test } from 'vitest';
import { describeOnEachEngine, freshDatabase } from '../../../test/support/databases.ts';
import { averageOf } from '../src/survey.ts';

const plugin = new URL('..', import.meta.url);

test('the average is of all answers, and there is none while nobody has answered', () => {
  expect(averageOf({ 1: 1, 2: 0, 3: 0, 4: 0, 5: 3 })).toBe(4);
  expect(averageOf({ 1: 0, 2: 0, 3: 0, 4: 0, 5: 0 })).toBeNull();
});

describeOnEachEngine('somebody whose ticket was solved', (engine) => {
  const start = async (): Promise<TestHost> =>
    createTestHost({ plugin, mail: true, databaseUrl: (await freshDatabase(engine)).url });

  /** A ticket of a new requester that a technician has solved. */
  async function solved(
    host: TestHost,
    title = 'The printer jams',
  ): Promise<{ number: number; requester: Person }> {
    const { ticket, requester } = await host.given.ticket({ title });
    await solve(host, ticket.number);
    return { number: ticket.number, requester };
  }

  async function solve(host: TestHost, number: number): Promise<void> {
    const path = `/tickets/${String(number)}`;
    const technician = host.as(await host.given.technician());
    await technician.post(`${path}/solutions`, {
      body: 'New rollers.',
      _csrf: /name="_csrf" value="([^"]+)"/.exec((await technician.get(path)).text)?.[1] ?? '',
    });
    await host.settle();
  }

  async function asked(host: TestHost, { email }: Person): Promise<string[]> {
    host.clock.advance(hours(25));
    await host.runJob('ask');
    await host.settle();
    for (;;) {
      const { links } = await host.mailbox.next(email);
      const own = links.filter((link) => link.includes('/p/satisfaction/'));
      if (own.length > 0) return own;
    }
  }

  test('is asked once, after a day, and answers with one click and one button', async () => {
    const host = await start();
    const { number, requester } = await solved(host);
    await host.runJob('ask');
    await host.settle();
    expect(host.mailbox.letters.filter(({ text }) => text.includes('/p/satisfaction/'))).toEqual([]);

    const links = await asked(host, requester);
    const phone = host.guest();
    const page = await phone.get(links[1] ?? '');
    const again = await phone.get(links[0] ?? '');
    const thanks = await phone.submitShown(page, { rating: '4', comment: 'Quick and **kind**.' });

    expect(links).toHaveLength(5);
    expect(page.text).toMatch(/value="4" required checked/);
    expect(again.text).toMatch(/value="5" required checked/);
    expect(thanks.text).toContain('Thank you.');
    const seen = await host.as(requester).get(`/tickets/${String(number)}`);
    expect(seen.text).toContain('rated the help: Good (4 of 5)');
    expect(seen.text).toContain('<strong>kind</strong>');
    await solve(host, number);
    host.clock.advance(days(3));
    await host.runJob('ask');
    await host.settle();
    expect(host.mailbox.letters.filter(({ text }) => text.includes('/p/satisfaction/'))).toHaveLength(1);
  });

  test('answers once; a second form, a late one and a made-up link change nothing', async () => {
    const host = await start();
    const [link = ''] = await asked(host, (await solved(host)).requester);
    const [late = ''] = await asked(host, (await solved(host, 'No coffee')).requester);
    const phone = host.guest();
    const page = await phone.get(link);
    const latePage = await phone.get(late);

    await phone.submitShown(page, { rating: '5' });
    const second = await phone.submitShown(page, { rating: '1', comment: 'No!' });
    host.clock.advance(days(31));
    const tooLate = await phone.submitShown(latePage, { rating: '1' });
    const madeUp = await phone.get('/p/satisfaction/answer/lkmail_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN');
    const summary = await host
      .api(await host.given.owner())
      .call('GET', '/api/p/satisfaction/summary?days=60');

    expect(second.text).toContain('Thank you.');
    expect(tooLate.status).toBe(410);
    expect(tooLate.text).toContain('The time to answer is over');
    expect(madeUp.status).toBe(404);
    expect(summary.json()).toMatchObject({ asked: 2, answers: 1, average: 5 });
  });

  test('is not asked when the ticket is open again, and is told to choose when they did not', async () => {
    const host = await start();
    const { ticket, requester } = await host.given.ticket();
    const path = `/tickets/${String(ticket.number)}`;
    await solve(host, ticket.number);
    await host
      .as(requester)
      .submit(path, { reason: 'It jams again.' }, { action: `${path}/solution/refuse` });
    await host.settle();
    host.clock.advance(days(2));
    await host.runJob('ask');
    await host.settle();
    expect(host.mailbox.letters.filter(({ text }) => text.includes('/p/satisfaction/'))).toEqual([]);

    await solve(host, ticket.number);
    const [link = ''] = await asked(host, requester);
    const phone = host.guest();
    const page = await phone.get(link.replace(/\?.*/, ''));
    const refused = await phone.submitShown(page, { comment: 'What was the question?' });

    expect(refused.status).toBe(422);
    expect(refused.text).toContain('Please choose one of the five.');
    expect(refused.text).toContain('What was the question?');
  });

  test('is heard by those who may read it, each in their own entities, and a low rating rings their bell', async () => {
    const host = await start();
    const { number, requester } = await solved(host);
    const reader = await host.given.user({ profile: 'supervisor' });
    const { entityAdmin } = host.house.domains;
    const { system } = await import('../../../src/shared/actor.ts');
    const root = (await host.house.domains.memberships.entities())[0];
    const south = await entityAdmin.create(system, { name: 'South', parentId: root?.id ?? '' });
    const southerner = await host.given.user({ profile: 'supervisor', entityId: south.id });
    const [link = ''] = await asked(host, requester);
    const phone = host.guest();
    await phone.submitShown(await phone.get(link), { rating: '1', comment: 'Nobody came.' });
    await host.settle();

    const results = await host.as(reader).get('/p/satisfaction');
    const foreign = await host.as(southerner).get('/p/satisfaction');
    const home = await host.as(reader).get('/');
    const bell = await host.as(reader).get('/notifications');
    const found = await host.as(reader).get('/tickets?q=rating:1');
    const list = await host.api(reader).call('GET', '/api/p/satisfaction/answers?rating=1');

    expect(results.text).toContain('Nobody came.');
    expect(results.text).not.toContain('NaN');
    expect(results.text).not.toContain('Nothing yet');
    expect(foreign.text).not.toContain('Nobody came.');
    expect(foreign.text).toContain('Nobody has answered yet');
    expect(home.text).toContain('1.0 of 5');
    expect(bell.text).toContain(`1 of 5 for #${String(number)}`);
    expect(found.text).toContain('The printer jams');
    expect(list.json()).toMatchObject({ total: 1, items: [{ rating: 1, comment: 'Nobody came.' }] });
    const technician = await host.given.technician();
    expect((await host.as(technician).get('/p/satisfaction')).status).toBe(403);
    expect((await host.as(technician).get('/')).text).not.toContain('1.0 of 5');
    expect((await host.api(requester).call('GET', '/api/p/satisfaction/answers')).status).toBe(403);
    expect((await host.guest().get('/p/satisfaction')).text).not.toContain('Nobody came.');
  });

  test('leaves nothing behind when the plugin is disabled', async () => {
    const { expectCleanUnload } = await start();

    await expectCleanUnload();
  });
});

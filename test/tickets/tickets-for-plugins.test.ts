import { expect, test } from 'vitest';
import { system, type Actor } from '../../src/shared/actor.ts';
import { TicketsForPlugins } from '../../src/tickets/index.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import type { Person } from '../support/given.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const ten = <T>(act: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 10 }, act));

async function actorOf(app: TestApp, person: Person): Promise<Actor> {
  const actor = await app.house.domains.directory.actorById(person.id);
  if (!actor) throw new Error('Nobody there');
  return actor;
}

const forPlugin = (app: TestApp, plugin: string): TicketsForPlugins =>
  new TicketsForPlugins(app.house.domains.tickets, { db: app.db, plugin });

describeOnEachEngine('a plugin', (engine) => {
  test('that calls ten times at once under one name has opened one ticket, said one thing, and closed it once', async () => {
    const app = await startTestApp({ engine });
    const marie = await actorOf(app, await app.given.user({ name: 'Marie' }));
    const tickets = forPlugin(app, 'parcel');
    const draft = { title: 'No coffee', description: 'None at all.' };

    const opened = await ten(() => tickets.create(marie, draft, { once: 'first' }));
    const number = opened[0]?.number ?? 0;
    await ten(() => tickets.reply(marie, number, { body: 'Still none.' }, { once: 'second' }));
    await app.house.domains.tickets.solutions.propose(system, number, { body: 'There is.' });
    const closed = await ten(() => tickets.accept(marie, number, { once: 'third' }));
    const further = await ten(() =>
      tickets.reply(marie, number, { body: 'None again.' }, { once: 'fourth' }),
    );

    expect(new Set(opened.map((ticket) => ticket.number)).size).toBe(1);
    expect(new Set(closed.map(({ status }) => status))).toEqual(new Set(['closed']));
    expect(new Set(further.map((ticket) => ticket.number)).size).toBe(1);
    expect(further[0]?.number).not.toBe(number);
    expect(await app.db.knex('tickets')).toHaveLength(2);
    const { said } = await tickets.conversation(marie, number);
    expect(said.map(({ body, once }) => [body, once])).toEqual([
      ['Still none.', 'second'],
      ['There is.', null],
    ]);
    await forPlugin(app, 'other').create(marie, draft, { once: 'first' });
    expect(await app.db.knex('tickets')).toHaveLength(3);
  });

  test('reads and writes what the person may for whom it does so', async () => {
    const app = await startTestApp({ engine });
    const { ticket, requester } = await app.given.ticket({ title: 'No tea' });
    const helper = await actorOf(app, await app.given.technician());
    await app.house.domains.tickets.followUps.add(helper, ticket.number, {
      body: 'Odd.',
      visibility: 'private',
    });
    await app.house.domains.tickets.followUps.add(helper, ticket.number, {
      body: 'Soon.',
      visibility: 'public',
    });
    const stranger = await actorOf(app, await app.given.user());
    const tickets = forPlugin(app, 'parcel');

    const heard = async (actor: Actor): Promise<string[]> =>
      (await tickets.conversation(actor, ticket.number)).said.map(({ body }) => body);
    expect(await heard(await actorOf(app, requester))).toEqual(['Soon.']);
    expect(await heard(helper)).toEqual(['Odd.', 'Soon.']);
    await expect(heard(stranger)).rejects.toMatchObject({ code: 'ticket.unknown' });
    await expect(tickets.reply(stranger, ticket.number, { body: 'Me too.' })).rejects.toMatchObject({
      code: 'ticket.unknown',
    });
    await expect(
      tickets.create(stranger, { title: 'x', description: '', requesterId: requester.id }),
    ).rejects.toMatchObject({ code: 'ticket.may-not-create-for-others' });
    await expect(tickets.create(system, { title: 'x', description: '' })).rejects.toMatchObject({
      code: 'ticket.needs-requester',
    });
  });
});

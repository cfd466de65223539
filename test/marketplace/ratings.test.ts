import { describe, expect, test } from 'vitest';
import { system } from '../../src/shared/actor.ts';
import { minutes } from '../support/clock.ts';
import { describeOnEachEngine, type Engine } from '../support/databases.ts';
import { startDoor } from '../support/door.ts';
import type { TestApp } from '../support/test-app.ts';
import { keyFor, lookAgain, publish, startDesk, startHub } from '../support/two-houses.ts';

const PATH = '/admin/marketplace/plugins/tag';
const rate = async (desk: TestApp, values: { stars: number; sentence?: string }) =>
  desk.as(await desk.given.owner()).submit(PATH, values, { action: `${PATH}/rating` });

/** A hub with two plugins, and a helpdesk that has one of them. */
async function startHouses(engine: Engine = 'sqlite') {
  const hub = await startHub(engine);
  await publish(hub, 'tag', { version: '0.1.0' });
  await publish(hub, 'other');
  const door = await startDoor(hub.origin);
  const desk = await startDesk(door, await keyFor(hub), engine);
  await desk.house.plugins.enable(system, 'tag');
  return { hub, door, desk };
}

describeOnEachEngine('a customer', (engine) => {
  test('rates what they use, thinks otherwise later, and counts once; others see average, sentence and order', async () => {
    const { hub, desk } = await startHouses(engine);
    await rate(desk, { stars: 2, sentence: 'Too few colours.' });
    await rate(desk, { stars: 5, sentence: 'All the colours!' });
    await desk.house.ratings.tell();
    const other = await startDesk(hub, await keyFor(hub), engine);
    await other.house.plugins.enable(system, 'tag');
    await rate(other, { stars: 4 });
    await other.house.ratings.tell();
    await lookAgain(desk);

    const page = (await desk.as(await desk.given.owner()).get(PATH)).text;
    expect(page).toContain('4.5 of 5, 2 people');
    expect(page).toContain('All the colours!');
    expect(page).not.toContain('Too few colours.');
    const { items } = await desk.house.marketplace.discover(
      system,
      { words: '', tag: '', only: '', sort: 'stars' },
      1,
    );
    expect(items.map(({ item }) => item.id)).toEqual(['tag', 'other']);
  });
});

describe('a rating', () => {
  test('is kept while the hub is off and told when it is on again', async () => {
    const { hub, door, desk } = await startHouses();
    await door.set('shut');
    const page = await rate(desk, { stars: 3 });
    await desk.house.ratings.tell();
    expect(page.text).toContain('The hub is told as soon as it can be reached.');

    await door.set('open');
    desk.clock.advance(minutes(5));
    await desk.house.domains.jobs.runNow('marketplace.ratings');

    expect(await hub.db.knex('hub_rating')).toMatchObject([{ stars: 3 }]);
    expect(await desk.house.ratings.of('tag')).toMatchObject({ isTold: true });
  });

  test('is given by who manages plugins, of a plugin that is there, with a form of this house', async () => {
    const { hub, desk } = await startHouses();
    const technician = desk.as(await desk.given.technician());
    const _csrf = /name="_csrf" value="([^"]+)"/.exec((await technician.get('/account')).text)?.[1] ?? '';
    const owner = desk.as(await desk.given.owner());
    const answer = await fetch(`${hub.origin}/api/network/v1/plugins/tag/rating`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ stars: 1 }),
    });

    expect((await technician.post(`${PATH}/rating`, { _csrf, stars: 1 })).status).toBe(403);
    expect((await owner.post(`${PATH}/rating`, { stars: 1 })).status).toBe(403);
    await expect(desk.house.ratings.rate(system, 'other', { stars: 1, sentence: '' })).rejects.toMatchObject({
      code: 'marketplace.rate-what-you-use',
    });
    expect(answer.status).toBe(403);
    expect(await hub.db.knex('hub_rating')).toHaveLength(0);
  });
});

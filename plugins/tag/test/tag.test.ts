import { createTestHost, type TestHost } from 'latchkey/plugin-test';
import { expect, test } from 'vitest';
import { describeOnEachEngine, freshDatabase } from '../../../test/support/databases.ts';
import { slugOf, tagsIn } from '../src/tag.ts';

const plugin = new URL('..', import.meta.url);

test('a name becomes what can be typed in the search', () => {
  expect(slugOf('Étage 2 (est)')).toBe('etage-2-est');
  expect(slugOf('!?')).toBe('');
  expect(tagsIn('printer tag:Second-Floor  jams tag:vip')).toEqual(['second-floor', 'vip']);
});

describeOnEachEngine('tags', (engine) => {
  const start = async (): Promise<TestHost> =>
    createTestHost({ plugin, databaseUrl: (await freshDatabase(engine)).url });

  test('are made by who manages them, and put on a ticket by who may change it', async () => {
    const { as, given } = await start();
    const supervisor = as(await given.user({ profile: 'supervisor' }));
    const technician = as(await given.technician());
    const { ticket } = await given.ticket({ title: 'The printer jams' });
    await given.ticket({ title: 'No coffee' });
    const path = `/tickets/${String(ticket.number)}`;

    await supervisor.submit('/p/tag', { name: 'Second floor', tone: 'info' }, { action: '/p/tag/tags' });
    const again = await supervisor.submit('/p/tag', { name: 'second FLOOR' }, { action: '/p/tag/tags' });
    const id = /name="tags" value="(\w+)"/.exec((await technician.get(path)).text)?.[1] ?? '';
    const tagged = await technician.submit(path, { tags: id }, { action: '/p/tag/tickets' });
    const found = await technician.get('/tickets?q=tag:second-floor');
    const foundWithWords = await technician.get('/tickets?q=tag:second-floor+coffee');
    const untagged = await technician.submit(path, { tags: undefined }, { action: '/p/tag/tickets' });

    expect(again.text).toContain('There is a tag of this name already.');
    expect(again.text).toContain('value="second FLOOR"');
    expect(tagged.text).toContain('The tags were saved.');
    expect(tagged.text).toMatch(
      /class="pill pill--info" href="\/tickets\?q&#x3D;tag%3Asecond-floor">Second floor/,
    );
    expect(found.text).toContain('The printer jams');
    expect(found.text).not.toContain('No coffee');
    expect(foundWithWords.text).not.toContain('The printer jams');
    expect(untagged.text).not.toContain('pill--info" href');
  });

  test('are nobody else’s business', async () => {
    const { as, given, api } = await start();
    const { ticket, requester } = await given.ticket();
    const stranger = await given.user();
    const owner = await given.owner();
    const made = await api(owner).call('POST', '/api/p/tag/tags', { name: 'VIP', tone: 'warning' });
    const { id } = made.json();
    const path = `/api/p/tag/tickets/${String(ticket.number)}`;
    await api(owner).call('PUT', path, { tags: [id, 'no-such-tag'] });

    expect((await api(requester).call('GET', path)).json()).toEqual({
      items: [{ id, name: 'VIP', slug: 'vip', tone: 'warning' }],
    });
    expect((await api(requester).call('PUT', path, { tags: [] })).status).toBe(403);
    expect((await api(stranger).call('GET', path)).status).toBe(404);
    expect((await api(stranger).call('PUT', path, { tags: [] })).status).toBe(404);
    expect((await api(stranger).call('POST', '/api/p/tag/tags', { name: 'Mine' })).status).toBe(403);
    expect((await api(stranger).call('DELETE', `/api/p/tag/tags/${String(id)}`)).status).toBe(403);
    expect((await as(stranger).get('/p/tag')).status).toBe(403);
    expect((await api(owner).call('DELETE', `/api/p/tag/tags/${String(id)}`)).status).toBe(204);
    expect((await api(requester).call('GET', path)).json()).toEqual({ items: [] });
  });

  test('leave nothing behind when the plugin is disabled', async () => {
    const { expectCleanUnload } = await start();

    await expectCleanUnload();
  });
});

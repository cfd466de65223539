import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';
import { givenEntity, mainOf } from './ticket-support.ts';

describeOnEachEngine('a category', (engine) => {
  test('is added, renamed and taken out of use on its page', async () => {
    const app = await startTestApp({ engine });
    const supervisor = app.as(await app.given.user({ profile: 'supervisor' }));
    const [entity] = await app.house.domains.memberships.entities();
    const add = (name: string) =>
      supervisor.submit('/admin/categories', { name, entityId: entity?.id }, { action: '/admin/categories' });

    const added = await add('Printing');
    const twin = await add('Printing');
    const renamed = await supervisor.submit(
      '/admin/categories',
      { name: 'Print and scan' },
      { action: '/admin/categories/' },
    );

    expect(mainOf(added.text)).toContain('value="Printing"');
    expect(twin.status).toBe(409);
    expect(twin.text).toContain('There is a category of this name already.');
    expect(mainOf(renamed.text)).toContain('value="Print and scan"');
  });

  test('is offered in its entity and below, until it is out of use', async () => {
    const app = await startTestApp({ engine });
    const [paris, rome] = [await givenEntity(app, 'Paris'), await givenEntity(app, 'Rome')];
    const owner = app.api(await app.given.owner());
    const top = (await app.house.domains.memberships.entities()).find(({ parentId }) => parentId === null);
    const add = async (name: string, entityId = ''): Promise<{ id: string; version: number }> =>
      (await owner.call('POST', '/api/v1/categories', { name, entityId })).json() as {
        id: string;
        version: number;
      };
    const [everywhere, onlyParis] = [await add('Badges', top?.id), await add('Metro passes', paris)];
    const roman = await app.given.user({ entityId: rome });
    const open = (categoryId: string) =>
      app.api(roman).call('POST', '/api/v1/tickets', { title: 'Please', categoryId });

    expect((await open(everywhere.id)).status).toBe(201);
    expect((await open(onlyParis.id)).status).toBe(422);
    expect(mainOf((await app.as(roman).get('/tickets/new')).text)).not.toContain('Metro passes');
    await owner.call('PATCH', `/api/v1/categories/${everywhere.id}`, { version: 1, archived: true });
    expect((await open(everywhere.id)).status).toBe(422);
    expect(
      (await owner.call('PATCH', `/api/v1/categories/${everywhere.id}`, { version: 1, name: 'X' })).status,
    ).toBe(409);
  });

  test('is nobody’s to manage without the right', async () => {
    const app = await startTestApp({ engine });
    const technician = await app.given.technician();
    const [entity] = await app.house.domains.memberships.entities();

    expect((await app.as(technician).get('/admin/categories')).status).toBe(403);
    const answer = await app
      .api(technician)
      .call('POST', '/api/v1/categories', { name: 'Mine', entityId: entity?.id });
    expect(answer.status).toBe(403);
  });
});

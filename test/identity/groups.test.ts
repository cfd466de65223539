import { expect, test } from 'vitest';
import { ROOT_ENTITY_ID } from '../../src/identity/index.ts';
import { system } from '../../src/shared/actor.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

describeOnEachEngine('a group', (engine) => {
  test('is made by a supervisor, and looked after by its own manager', async () => {
    const { as, given, house } = await startTestApp({ engine });
    const supervisor = as(await given.user({ profile: 'supervisor' }));
    const tom = await given.technician({ email: 'tom@acme.test' });
    await given.technician({ email: 'tina@acme.test', name: 'Tina Turner' });

    const made = await supervisor.submit('/admin/groups', { name: 'Printers' }, { action: '/admin/groups' });
    const path = new URL(made.url).pathname;
    await supervisor.submit(path, { email: 'tom@acme.test' }, { action: `${path}/members` });
    await supervisor.submit(path, {}, { action: `${path}/members/${tom.id}/manager` });

    const toms = as(tom);
    const csrf = /name="_csrf" value="([^"]+)"/.exec((await toms.get(path)).text)?.[1] ?? '';
    await toms.post(`${path}/members`, { _csrf: csrf, email: 'tina@acme.test' });
    const shown = await toms.get(path);
    expect(shown.text).toContain('Tina Turner');
    expect(await house.domains.memberships.groupsOf(tom.id)).toMatchObject([
      { name: 'Printers', isManager: true },
    ]);
    expect(shown.text).not.toContain(`${path}/remove`);
  });

  test('takes nobody in at the word of an ordinary member', async () => {
    const { as, given, house } = await startTestApp({ engine });
    const { groupAdmin } = house.domains;
    const group = await groupAdmin.create(system, { name: 'Printers', entityId: ROOT_ENTITY_ID });
    const member = await given.user({ email: 'jo@acme.test' });
    await groupAdmin.addMember(system, group.id, member.id);
    const stranger = await given.user({ email: 'ann@acme.test' });
    const browser = as(member);

    expect((await browser.get(`/admin/groups/${group.id}`)).text).not.toContain('/members"');
    const csrf = /name="_csrf" value="([^"]+)"/.exec((await browser.get('/account')).text)?.[1] ?? '';
    const answer = await browser.post(`/admin/groups/${group.id}/members`, {
      _csrf: csrf,
      email: 'ann@acme.test',
    });

    expect(answer.status).toBe(403);
    expect((await as(stranger).get(`/admin/groups/${group.id}`)).status).toBe(404);
  });

  test('has a name of its own within its entity, and is not deleted under a ticket', async () => {
    const { given, house, api } = await startTestApp({ engine });
    const { groupAdmin } = house.domains;
    const group = await groupAdmin.create(system, { name: 'Printers', entityId: ROOT_ENTITY_ID });
    await expect(
      groupAdmin.create(system, { name: 'Printers', entityId: ROOT_ENTITY_ID }),
    ).rejects.toMatchObject({
      fields: [{ field: 'name', code: 'group.name-taken' }],
    });
    const { ticket } = await given.ticket();
    const path = `/api/v1/tickets/${String(ticket.number)}`;
    const change = { version: ticket['version'], assignees: { users: [], groups: [group.id] } };
    expect((await api(await given.technician()).call('PATCH', path, change)).status).toBe(200);

    await expect(groupAdmin.remove(system, group.id)).rejects.toMatchObject({ code: 'group.in-use' });
  });
});

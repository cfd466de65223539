import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../../../../test/support/databases.ts';
import { days } from '../../../../test/support/clock.ts';
import { startTestApp, type TestApp } from '../../../../test/support/test-app.ts';
import type { Answer } from '../../../../test/support/http-client.ts';
import { joinByApi, keyOf, redemptionsOf, somebody, statusesOf } from '../desk.ts';
import { KEYS } from './minters.ts';
import { audited, codeOf, ownerApi } from './place.ts';

const UNKNOWN = '01J00000000000000000000000';

async function edit(app: TestApp, id: string, changes: object, version?: number): Promise<Answer> {
  const read = version ?? (await keyOf(app, id))['version'];
  return (await ownerApi(app)).call('PATCH', `${KEYS}/${id}`, { version: read, ...changes });
}

const inDays = (app: TestApp, count: number): string => new Date(app.clock.now() + days(count)).toISOString();

describeOnEachEngine('editing a key', (engine) => {
  test('E01 of one field leaves the other alone', async () => {
    const app = await startTestApp({ engine });
    const { id } = await app.given.invitationKey({ maxUses: 4, expiresAt: inDays(app, 9) });
    const before = await keyOf(app, id);

    await edit(app, id, { maxUses: 8 });
    const more = await keyOf(app, id);
    await edit(app, id, { expiresAt: inDays(app, 20) });
    const longer = await keyOf(app, id);

    expect(more).toMatchObject({ maxUses: 8, expiresAt: before['expiresAt'] });
    expect(longer).toMatchObject({ maxUses: 8, expiresAt: inDays(app, 20) });
  });

  test('E02 of nothing changes nothing', async () => {
    const app = await startTestApp({ engine });
    const { id } = await app.given.invitationKey();
    const before = await keyOf(app, id);

    const answer = await edit(app, id, {});

    expect(answer.status).toBe(200);
    expect({ ...answer.json(), version: 0 }).toEqual({ ...before, version: 0 });
  });

  test('E03 to as many people as joined fills it; to fewer is refused with the number', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ maxUses: 10 });
    for (let one = 0; one < 3; one += 1) await joinByApi(app, key, somebody());

    const fewer = await edit(app, id, { maxUses: 2 });
    const same = await edit(app, id, { maxUses: 3 });

    expect(fewer.status).toBe(400);
    expect(fewer.text).toContain('Already used 3 times');
    expect(same.json()).toMatchObject({ maxUses: 3, status: 'used-up' });
  });

  test('E04 of a full key to one place more lets exactly one more in', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ maxUses: 1 });
    await joinByApi(app, key, somebody());

    await edit(app, id, { maxUses: 2 });
    const answers = await Promise.all([1, 2, 3].map(() => joinByApi(app, key, somebody())));

    expect(statusesOf(answers)).toEqual({ 201: 1, 410: 2 });
  });

  test('E05 of an expired key to a later end opens it again', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    app.clock.advance(days(20));

    const expired = await joinByApi(app, key, somebody());
    await edit(app, id, { expiresAt: inDays(app, 1) });
    const open = await joinByApi(app, key, somebody());

    expect([expired.status, open.status]).toEqual([410, 201]);
  });

  test('E06 that does not exist is not found, whatever is asked', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);

    const answers = [
      await owner.call('GET', `${KEYS}/${UNKNOWN}`),
      await owner.call('PATCH', `${KEYS}/${UNKNOWN}`, { version: 1 }),
      await owner.call('POST', `${KEYS}/${UNKNOWN}/revoke`),
      await owner.call('POST', `${KEYS}/${UNKNOWN}/restore`),
      await owner.call('POST', `${KEYS}/${UNKNOWN}/agree`, { version: 1 }),
      await owner.call('DELETE', `${KEYS}/${UNKNOWN}`),
    ];

    expect(statusesOf(answers)).toEqual({ 404: 6 });
  });

  test('E07 that is revoked on one node lets nobody in on any, from the answer on', async () => {
    const app = await startTestApp({ engine });
    const other = await startTestApp({ engine, databaseUrl: app.databaseUrl, clock: app.clock });
    const { id, key } = await app.given.invitationKey({ maxUses: 1000 });
    expect((await joinByApi(other, key, somebody())).status).toBe(201);
    const storm = Array.from({ length: 6 }, () => joinByApi(other, key, somebody()));

    const revoked = await (await ownerApi(app)).call('POST', `${KEYS}/${id}/revoke`);
    const late = await Promise.all([app, other, app, other].map((node) => joinByApi(node, key, somebody())));
    await Promise.all(storm);

    expect(revoked.status).toBe(200);
    expect(late.map(codeOf)).toEqual(Array(4).fill('invitation.revoked'));
  });

  test('E08 that is revoked already is a conflict, and the first moment stays', async () => {
    const app = await startTestApp({ engine });
    const { id } = await app.given.invitationKey();
    const owner = await ownerApi(app);
    const first = await owner.call('POST', `${KEYS}/${id}/revoke`);
    app.clock.advance(days(1));

    const again = await (await ownerApi(app)).call('POST', `${KEYS}/${id}/revoke`);

    expect([again.status, codeOf(again)]).toEqual([409, 'invitation.already_revoked']);
    expect((await keyOf(app, id))['revokedAt']).toBe(first.json().revokedAt);
  });

  test('E09 that was revoked can be restored, and the log has both', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    const owner = await ownerApi(app);

    await owner.call('POST', `${KEYS}/${id}/revoke`);
    const closed = await joinByApi(app, key, somebody());
    const restored = await owner.call('POST', `${KEYS}/${id}/restore`);
    const open = await joinByApi(app, key, somebody());
    const twice = await owner.call('POST', `${KEYS}/${id}/restore`);

    expect([closed.status, restored.status, open.status, twice.status]).toEqual([410, 200, 201, 409]);
    expect(await audited(app, 'invitation-key.revoked')).toHaveLength(1);
    expect(await audited(app, 'invitation-key.restored')).toHaveLength(1);
  });

  test('E12 that was used is only deleted with its history kept: accounts and seats stay, the text is dead', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);
    const { id, key } = await app.given.invitationKey({ label: 'Spring' });
    const jo = somebody();
    await joinByApi(app, key, jo);

    const refused = await owner.call('DELETE', `${KEYS}/${id}`);
    const gone = await owner.call('DELETE', `${KEYS}/${id}?keepHistory=true`);
    const list = await owner.call('GET', KEYS);
    const late = await joinByApi(app, key, somebody());

    expect([refused.status, gone.status, late.status]).toEqual([409, 204, 404]);
    expect(list.json().total).toBe(0);
    expect((await redemptionsOf(app, id)).items).toMatchObject([{ name: jo.name, status: 'active' }]);
    expect(await keyOf(app, id)).toMatchObject({ status: 'deleted', label: 'Spring' });
    expect((await owner.call('POST', `${KEYS}/${id}/restore`)).status).toBe(409);
    expect((await owner.call('POST', `${KEYS}/${id}/reveal`)).status).toBe(410);
  });

  test('E14 by two people at once: the second is told, and nothing is overwritten', async () => {
    const app = await startTestApp({ engine });
    const { id } = await app.given.invitationKey({ label: 'first' });
    const version = Number((await keyOf(app, id))['version']);

    const answers = await Promise.all([
      edit(app, id, { label: 'mine' }, version),
      edit(app, id, { label: 'yours' }, version),
    ]);

    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const winner = answers.find(({ status }) => status === 200);
    expect((await keyOf(app, id))['label']).toBe(winner?.json().label);
  });

  test('E15 purging the expired takes only them: unused ones go, used ones keep their history', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);
    const unused = await app.given.invitationKey({ label: 'unused', expiresAt: inDays(app, 1) });
    const used = await app.given.invitationKey({ label: 'used', expiresAt: inDays(app, 1) });
    const live = await app.given.invitationKey({ label: 'live', expiresAt: inDays(app, 30) });
    const revoked = await app.given.invitationKey({ label: 'revoked' });
    await joinByApi(app, used.key, somebody());
    await owner.call('POST', `${KEYS}/${revoked.id}/revoke`);
    app.clock.advance(days(2));

    const later = await ownerApi(app);
    const purged = await later.call('POST', `${KEYS}/purge`, { what: ['expired'] });
    const left = (await later.call('GET', KEYS)).json() as { items: { label: string }[] };

    expect(purged.json()).toEqual({ done: 2, skipped: [], left: false });
    expect(left.items.map(({ label }) => label).sort()).toEqual(['live', 'revoked']);
    expect((await later.call('GET', `${KEYS}/${unused.id}`)).status).toBe(404);
    expect((await redemptionsOf(app, used.id)).total).toBe(1);
    expect((await joinByApi(app, live.key, somebody())).status).toBe(201);
  });
});

import { expect, test } from 'vitest';
import { BUILT_IN_PROFILES, ROOT_ENTITY_ID } from '../../src/identity/index.ts';
import { system } from '../../src/shared/actor.ts';
import { describeOnEachEngine, type Engine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

/** Acme › France › Paris, and Acme › Spain. */
async function houseWithCountries(engine: Engine) {
  const app = await startTestApp({ engine });
  const { house, db, given, as, api, databaseUrl } = app;
  const { entityAdmin, directory, memberships } = house.domains;
  const france = await entityAdmin.create(system, { name: 'France', parentId: ROOT_ENTITY_ID });
  const paris = await entityAdmin.create(system, { name: 'Paris', parentId: france.id });
  const spain = await entityAdmin.create(system, { name: 'Spain', parentId: ROOT_ENTITY_ID });
  const actorOf = async ({ id }: { id: string }) => {
    const actor = await directory.actorById(id);
    if (!actor) throw new Error('Nobody is there');
    return actor;
  };
  const give = (
    giver: Parameters<typeof memberships.grant>[2]['actor'],
    grant: Parameters<typeof memberships.grant>[1],
  ) => db.transaction((tx) => memberships.grant(tx, grant, { actor: giver }));
  return { house, db, given, as, api, databaseUrl, france, paris, spain, actorOf, give };
}

describeOnEachEngine('a right', (engine) => {
  test('given recursively holds below and not beside; given plainly it holds there alone', async () => {
    const { given, france, paris, spain, actorOf } = await houseWithCountries(engine);
    const below = await actorOf(await given.technician({ entityId: france.id }));
    const there = await actorOf(await given.technician({ entityId: france.id, recursive: false }));

    expect([france, paris, spain].map(({ id }) => below.can('user.read', id))).toEqual([true, true, false]);
    expect([france, paris, spain].map(({ id }) => there.can('user.read', id))).toEqual([true, false, false]);
    expect(below.can('user.read')).toBe(true);
    expect(below.can('user.read', 'nowhere')).toBe(false);
    expect(new Set(below.entitiesWith('user.read'))).toEqual(new Set([france.id, paris.id]));
    expect(there.entitiesWith('user.read')).toEqual([france.id]);
    expect(below.entitiesWith('user.manage')).toEqual([]);
  });

  test('follows the tree when an entity moves, on the other node too', async () => {
    const { house, given, france, paris, spain, databaseUrl } = await houseWithCountries(engine);
    const tom = await given.technician({ entityId: spain.id });
    const other = await startTestApp({ engine, databaseUrl });
    const mayReadParis = async () =>
      (await other.house.domains.directory.actorById(tom.id))?.can('user.read', paris.id);
    expect(await mayReadParis()).toBe(false);

    await house.domains.entityAdmin.move(system, france.id, { parentId: spain.id, version: france.version });

    expect(await mayReadParis()).toBe(true);
  });

  test('that a plugin brings belongs to Super-Admin at once, and goes with the plugin', async () => {
    const { house, given, actorOf } = await houseWithCountries(engine);
    const { rights } = house.domains;
    const owner = await given.owner();
    const administrator = await given.administrator();

    const undo = rights.add({ id: 'tag.paint', group: 'tag', suggest: ['administrator'] });
    expect((await actorOf(administrator)).can('tag.paint')).toBe(true);
    expect((await actorOf(owner)).can('tag.paint')).toBe(true);

    undo();
    expect((await actorOf(administrator)).can('tag.paint')).toBe(false);
  });
});

describeOnEachEngine('a grant', (engine) => {
  test('never gives more than its giver has', async () => {
    const { given, france, paris, spain, actorOf, give } = await houseWithCountries(engine);
    const french = await actorOf(await given.administrator({ entityId: france.id }));
    const { id: userId } = await given.user({ entityId: paris.id });
    const profileId = BUILT_IN_PROFILES.technician;

    await give(french, { userId, profileId, entityId: paris.id, recursive: true });
    await expect(
      give(french, { userId, profileId, entityId: spain.id, recursive: false }),
    ).rejects.toMatchObject({
      code: 'grant.too-much',
    });
    await expect(
      give(french, { userId, profileId, entityId: ROOT_ENTITY_ID, recursive: true }),
    ).rejects.toMatchObject({
      code: 'grant.too-much',
    });
    const everything = BUILT_IN_PROFILES['super-admin'];
    await expect(
      give(french, { userId, profileId: everything, entityId: paris.id, recursive: false }),
    ).rejects.toMatchObject({ code: 'grant.too-much' });
  });

  test('that is not recursive cannot be given on recursively', async () => {
    const { given, france, actorOf, give } = await houseWithCountries(engine);
    const here = await actorOf(await given.administrator({ entityId: france.id, recursive: false }));
    const { id: userId } = await given.user({ entityId: france.id });
    const profileId = BUILT_IN_PROFILES.technician;

    await give(here, { userId, profileId, entityId: france.id, recursive: false });
    await expect(
      give(here, { userId, profileId, entityId: france.id, recursive: true }),
    ).rejects.toMatchObject({
      code: 'grant.too-much',
    });
  });

  test('of a technician is none: they have no right to give', async () => {
    const { given, france, actorOf, give } = await houseWithCountries(engine);
    const technician = await actorOf(await given.technician({ entityId: france.id }));
    const { id: userId } = await given.user({ entityId: france.id });

    const selfService = {
      userId,
      profileId: BUILT_IN_PROFILES['self-service'],
      entityId: france.id,
      recursive: false,
    };
    await expect(give(technician, selfService)).rejects.toMatchObject({ code: 'grant.too-much' });
  });

  test('is taken back by whoever could give it, but never the last ownership', async () => {
    const { house, given, france, actorOf } = await houseWithCountries(engine);
    const { memberships } = house.domains;
    const owner = await given.owner();
    const french = await actorOf(await given.administrator({ entityId: france.id }));
    const tom = await given.technician({ entityId: france.id });
    const [toms] = await memberships.grantsOf(tom.id);
    const [owners] = await memberships.grantsOf(owner.id);

    await expect(memberships.revoke(french, owners?.id ?? '')).rejects.toMatchObject({
      code: 'grant.not-yours',
    });
    await memberships.revoke(french, toms?.id ?? '');
    expect(await memberships.grantsOf(tom.id)).toEqual([]);
    await expect(memberships.revoke(system, owners?.id ?? '')).rejects.toMatchObject({
      code: 'grant.last-owner',
    });
  });
});

describeOnEachEngine('a profile', (engine) => {
  test('of one’s own is made in the grid, and holds from the next page on', async () => {
    const { as, given, house, actorOf } = await houseWithCountries(engine);
    const owner = as(await given.owner());

    await owner.submit(
      '/admin/profiles/new',
      { name: 'Auditor', kind: 'staff', rights: ['audit.read'] },
      { action: '/admin/profiles' },
    );
    const auditor = (await house.domains.profileAdmin.list()).find(({ name }) => name === 'Auditor');
    const ann = await given.user({ profile: auditor?.id ?? '' });
    expect((await as(ann).get('/admin/audit')).status).toBe(200);

    const path = `/admin/profiles/${auditor?.id ?? ''}`;
    await owner.submit(path, { name: 'Auditor', kind: 'staff', rights: [] }, { action: path });
    expect((await actorOf(ann)).can('audit.read')).toBe(false);
    expect((await as(ann).get('/admin/audit')).status).toBe(403);
  });

  test('gets no right that its maker lacks, and none that does not exist', async () => {
    const { house, given, france, actorOf } = await houseWithCountries(engine);
    const { profileAdmin } = house.domains;
    const draft = { name: 'Mine', kind: 'staff', rights: ['user.read'] } as const;
    const french = await actorOf(await given.administrator({ entityId: france.id }));
    const everywhere = await actorOf(await given.administrator());

    await expect(profileAdmin.create(french, draft)).rejects.toMatchObject({ code: 'profile.too-much' });
    await expect(profileAdmin.create(everywhere, { ...draft, rights: ['*'] })).rejects.toMatchObject({
      code: 'profile.too-much',
    });
    await expect(profileAdmin.create(system, { ...draft, rights: ['no.such'] })).rejects.toMatchObject({
      code: 'input.invalid',
    });
  });

  test('that is built in stays, and one that somebody has is not deleted', async () => {
    const { house, given } = await houseWithCountries(engine);
    const { profileAdmin } = house.domains;
    const mine = await profileAdmin.create(system, { name: 'Mine', kind: 'portal', rights: [] });
    await given.user({ profile: mine.id });

    await expect(profileAdmin.remove(system, BUILT_IN_PROFILES.technician)).rejects.toMatchObject({
      code: 'profile.built-in',
    });
    await expect(profileAdmin.remove(system, mine.id)).rejects.toMatchObject({ code: 'profile.in-use' });
  });
});

describeOnEachEngine('an entity', (engine) => {
  test('cannot be moved below itself, nor by an edit that is out of date', async () => {
    const { house, france, paris, spain } = await houseWithCountries(engine);
    const { entityAdmin } = house.domains;

    await expect(
      entityAdmin.move(system, france.id, { parentId: paris.id, version: 1 }),
    ).rejects.toMatchObject({
      code: 'entity.into-itself',
    });
    await entityAdmin.rename(system, spain.id, { name: 'España', version: 1 });
    await expect(entityAdmin.rename(system, spain.id, { name: 'Spanien', version: 1 })).rejects.toMatchObject(
      {
        code: 'entity.changed',
      },
    );
  });

  test('is deleted only when nothing is in it', async () => {
    const { house, given, france, paris, spain } = await houseWithCountries(engine);
    const { entityAdmin } = house.domains;
    await given.user({ entityId: paris.id });

    for (const full of [france, paris])
      await expect(entityAdmin.remove(system, full.id)).rejects.toMatchObject({ code: 'entity.in-use' });
    await entityAdmin.remove(system, spain.id);
    expect((await entityAdmin.tree()).has(spain.id)).toBe(false);
  });

  test('stays in a tree when two are moved into each other at the same moment', async () => {
    const { house, france, spain } = await houseWithCountries(engine);
    const { entityAdmin } = house.domains;

    const both = await Promise.allSettled([
      entityAdmin.move(system, france.id, { parentId: spain.id, version: 1 }),
      entityAdmin.move(system, spain.id, { parentId: france.id, version: 1 }),
    ]);

    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const tree = await entityAdmin.tree();
    expect(tree.within(ROOT_ENTITY_ID)).toHaveLength(4);
  });
});

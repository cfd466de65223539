import { expect, test } from 'vitest';
import { migration } from '../../migrations/0003-audit.ts';
import { migration as withNode } from '../../migrations/0010-audit-node.ts';
import { AuditService } from '../../src/audit/index.ts';
import type { Tx } from '../../src/db/database.ts';
import { CORE, migrate } from '../../src/db/migrations.ts';
import { ROOT_ENTITY_ID } from '../../src/identity/index.ts';
import { system } from '../../src/shared/actor.ts';
import { testClock } from '../support/clock.ts';
import { describeOnEachEngine, openFreshDatabase } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

const thing = { type: 'thing', id: '1', label: 'A thing' };

describeOnEachEngine('the audit log', (engine) => {
  test('says who changed what, from what to what', async () => {
    const { as, given, house, db } = await startTestApp({ engine });
    const jo = await given.user({ name: 'Jo Martin' });
    const { number } = (await db.knex('users').first('number').where({ id: jo.id })) as { number: number };
    const path = `/admin/users/${String(number)}`;

    await as(await given.owner()).submit(path, { name: 'Jo Dupont' }, { action: path });

    const [latest] = await house.ground.audit.history({ type: 'user', id: jo.id });
    expect(latest).toMatchObject({
      action: 'user.changed',
      actorName: 'Olive Owner',
      before: { name: 'Jo Martin' },
      after: { name: 'Jo Dupont' },
    });
  });

  test('is written with the act or not at all', async () => {
    const { db, house } = await startTestApp({ engine });
    const { audit } = house.ground;

    const act = db.transaction(async (tx) => {
      await audit.record(tx, system, { action: 'thing.done', subject: thing });
      throw new Error('it went wrong after all');
    });

    await expect(act).rejects.toThrow('it went wrong');
    expect(await audit.history(thing)).toEqual([]);
  });

  test('cannot be changed or cut, even by somebody who writes SQL', async () => {
    const { db } = await openFreshDatabase(engine, { empty: true });
    await migrate(db, CORE, [migration, withNode]);
    const audit = new AuditService({ db, clock: testClock(), node: 'test' });
    await db.transaction((tx) => audit.record(tx, system, { action: 'thing.done', subject: thing }));
    const inSql = (work: (tx: Tx) => Promise<unknown>): Promise<unknown> => db.transaction(work);

    const change = { actor_name: 'somebody else' };
    await expect(inSql((tx) => tx.knex('audit_entries').update(change))).rejects.toThrow('never changed');
    await expect(inSql((tx) => tx.knex('audit_entries').delete())).rejects.toThrow('never changed');
    expect(await audit.history(thing)).toMatchObject([{ actorName: 'system' }]);
  });

  test('keeps no secret, whatever somebody hands it', async () => {
    const { db, house } = await startTestApp({ engine });
    const { audit } = house.ground;
    const after = {
      password: 'seven quiet otters',
      note: 'try lkinv_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN',
      nested: { apiToken: 'abc', list: ['lkpat_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN'] },
      maxUses: 3,
    };

    await db.transaction((tx) => audit.record(tx, system, { action: 'thing.done', subject: thing, after }));

    const [entry] = await audit.history(thing);
    expect(JSON.stringify(entry)).not.toMatch(/otters|WR0Z|abc/);
    expect(entry?.after).toMatchObject({ maxUses: 3 });
  });

  test('is filtered by who, what and to what, and shows its pages', async () => {
    const { as, given } = await startTestApp({ engine });
    const owner = as(await given.owner());
    await given.user({ email: 'jo@acme.test' });
    const rows = async (query: string) =>
      ((await owner.get(`/admin/audit?${query}`)).text.match(/<tr>/g) ?? []).length - 1;

    expect(await rows('action=user.created&subject=jo@acme.test')).toBe(1);
    expect(await rows('actor=nobody')).toBeLessThanOrEqual(0);
    expect(await rows('action=%25')).toBeGreaterThan(0);
    expect(await rows('page=9999')).toBeLessThanOrEqual(0);
  });

  test('shows an administrator of one entity what happened there and nothing else', async () => {
    const { given, house } = await startTestApp({ engine });
    const { entityAdmin, directory } = house.domains;
    const { audit } = house.ground;
    const france = await entityAdmin.create(system, { name: 'France', parentId: ROOT_ENTITY_ID });
    await entityAdmin.create(system, { name: 'Spain', parentId: ROOT_ENTITY_ID });
    const french = await directory.actorById((await given.administrator({ entityId: france.id })).id);
    const technician = await directory.actorById((await given.technician()).id);
    if (!french || !technician) throw new Error('Nobody is there');

    const { items } = await audit.list(french, {}, { page: 1, perPage: 100 });

    expect(new Set(items.map(({ entityId }) => entityId))).toEqual(new Set([france.id]));
    await expect(audit.list(technician, {}, { page: 1, perPage: 10 })).rejects.toMatchObject({
      kind: 'forbidden',
    });
  });
});

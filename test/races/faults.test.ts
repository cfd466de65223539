import { expect, test } from 'vitest';
import { afterwards } from '../support/cleanup.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { OWNER } from '../support/house.ts';
import type { Answer } from '../support/http-client.ts';
import { mysqlFaults, sabotage, sqliteFaults } from '../support/statement-faults.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const newcomer = (key: string, name: string): Record<string, string> => ({
  key,
  redeemId: crypto.randomUUID(),
  email: `${name}@example.org`,
  name: 'Connie Tender',
  password: 'nine slow green tractors',
});

const join = (app: TestApp, form: object): Promise<Answer> => app.guest().call('POST', '/api/v1/join', form);

describeOnEachEngine('somebody who joins while the database gives way', (engine) => {
  test.each(Object.keys(engine === 'sqlite' ? sqliteFaults : mysqlFaults))(
    'P10 gets in whole or is asked to come back, whichever statement it answers with %s',
    async (name) => {
      const fault = { ...sqliteFaults, ...mysqlFaults }[name];
      if (!fault) throw new Error(`No such fault: ${name}`);
      const app = await startTestApp({ engine });
      const { id, key } = await app.given.invitationKey({ maxUses: 500 });
      const saboteur = await sabotage(app.db);
      afterwards(() => {
        saboteur.undo();
      });
      await join(app, newcomer(key, 'first'));
      saboteur.count();
      await join(app, newcomer(key, 'second'));
      const statements = saboteur.count();

      let expected = 2;
      const refused: number[] = [];
      for (let at = 1; at <= statements; at += 1) {
        const form = newcomer(key, `at${String(at)}`);
        saboteur.failAt(at, fault);
        const answer = await join(app, form);

        const isIn = answer.status === 201;
        if (!isIn) refused.push(at);
        expected += isIn ? 1 : 0;
        expect(isIn || answer.status === 503, `statement ${String(at)}: ${answer.text}`).toBe(true);
        if (!isIn) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
        expect(await traces(app, id), `statement ${String(at)}`).toEqual(allOf(expected));

        const again = await join(app, form);
        expected += isIn ? 0 : 1;
        expect([again.status, again.json().status], `statement ${String(at)}`).toEqual([201, 'active']);
        expect(await traces(app, id)).toEqual(allOf(expected));
      }

      expect(saboteur.happened).toBe(statements);
      expect(refused.length).toBeLessThan(statements);
    },
  );
});

/** What a newcomer leaves behind: an account, a seat, a profile, a line in the audit log and a count, all or nothing. */
interface Traces {
  accounts: number;
  seats: number;
  uses: number;
  profiles: number;
}

const allOf = (count: number): Traces => ({ accounts: count, seats: count, uses: count, profiles: count });

async function traces({ db: { knex } }: TestApp, keyId: string): Promise<Traces> {
  const seats = (await knex('invite_redemption').where({ key_id: keyId }).pluck('user_id')) as string[];
  const key = await knex('invite_key').where({ id: keyId }).first<{ uses: number }>('uses');
  const accounts = await knex('users').whereNot({ email_norm: OWNER.email }).select('id');
  const profiles = await knex('grants').whereIn('user_id', seats).select('user_id');
  return { accounts: accounts.length, seats: seats.length, uses: key.uses, profiles: profiles.length };
}

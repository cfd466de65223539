import { expect, test } from 'vitest';
import { tableNames } from '../../src/db/dump.ts';
import { cliActor } from '../../src/shared/actor.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

const operator = cliActor('root');

describeOnEachEngine('purging a plugin', (engine) => {
  test('is refused while it is enabled, and deletes nothing', async () => {
    const { house, db } = await startTestApp({ engine });

    await expect(house.plugins.purge(operator, 'registration-key')).rejects.toThrow('plugin.still-enabled');

    expect(await tableNames(db)).toContain('invite_key');
  });

  test('takes its tables, leaves everybody else’s, and enabling it again makes them anew', async () => {
    const { house, db } = await startTestApp({ engine });
    const before = await tableNames(db);
    await house.plugins.disable(operator, 'registration-key');

    await house.plugins.purge(operator, 'registration-key');

    const left = await tableNames(db);
    expect(left.filter((name) => name.startsWith('invite_'))).toEqual([]);
    expect(before.filter((name) => !name.startsWith('invite_'))).toEqual(left);

    expect(await house.plugins.enable(operator, 'registration-key')).toMatchObject({ state: 'enabled' });
    expect(await tableNames(db)).toEqual(before);
  });
});

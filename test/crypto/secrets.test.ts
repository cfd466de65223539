import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { secretDoctor } from '../../src/cli/key-commands.ts';
import { trySecrets } from '../../src/compose-commands.ts';
import { mint } from '../../src/crypto/mint.ts';
import { system } from '../../src/shared/actor.ts';
import { commandsOf } from '../cli/shell.ts';
import { temporaryFolder } from '../plugin-host/start-host.ts';
import { endOf, inHouse } from '../support/crashing.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

/** What `latchkey secret doctor` says of every value, and whether it calls it a problem. */
async function examined({ house }: TestApp): Promise<{ shut: Record<string, string[]>; isBad: boolean }> {
  const printed: { values: { table: string; tried: number; shut: string[] }[] }[] = [];
  let isBad = false;
  const doctor = secretDoctor(house.ground.keys, {
    onProblem: () => void (isBad = true),
    tryValues: () => trySecrets(house),
  });
  await doctor.run({
    actor: system,
    args: [],
    options: { json: true },
    print: (said) => void printed.push(said as (typeof printed)[number]),
    readStdin: () => Promise.resolve(''),
    readFile: () => Promise.reject(new Error('Nothing is read')),
  });
  const tried = (printed[0]?.values ?? []).filter((one) => one.tried > 0);
  return { shut: Object.fromEntries(tried.map(({ table, shut }) => [table, shut])), isBad };
}

describeOnEachEngine('the doctor of secrets', (engine) => {
  test('opens every sealed value of the house and its plugins, and names the row that does not open', async () => {
    const app = await startTestApp({ engine, config: { HUB_URL: 'http://127.0.0.1:9' } });
    await app.house.domains.network.setKey(system, mint('lknet_'));
    const key = await app.given.invitationKey();

    expect(await examined(app)).toEqual({ shut: { network_key: [], invite_key: [] }, isBad: false });

    const row = (await app.db.knex('invite_key').where({ id: key.id }).first()) as { copy_text: Buffer };
    const spoilt = Buffer.from(row.copy_text.map((byte, at) => (at === 0 ? byte ^ 1 : byte)));
    await app.db.transaction((tx) =>
      tx.knex('invite_key').where({ id: key.id }).update({ copy_text: spoilt }),
    );
    expect(await examined(app)).toEqual({ shut: { network_key: [], invite_key: [key.id] }, isBad: true });
  });
});

test('a rotation of the master key that is killed on its way opens everything, and goes on at the command line', async () => {
  const env = { LATCHKEY_DATA_DIR: await temporaryFolder(), LATCHKEY_HUB_URL: 'http://127.0.0.1:9' };
  const key = mint('lknet_');
  await inHouse(env, ({ domains }) => domains.network.setKey(system, key));
  const masters = async (): Promise<string[]> =>
    (await readFile(join(env.LATCHKEY_DATA_DIR, 'key'), 'utf8')).trim().split('\n');
  const [first] = await masters();

  for (const step of ['added', 'rewrapped']) {
    expect([step, await endOf('crashing-rotation.ts', [step], env)]).toEqual([step, 'SIGKILL']);
    expect(await masters()).toHaveLength(2);
    await inHouse(env, async ({ domains }) => {
      expect(await domains.network.credentials()).toMatchObject({ key });
    });
  }

  await inHouse(env, async (house) => {
    expect(await commandsOf(house)('secret rotate --json')).toMatchObject({ code: 0 });
    expect((await trySecrets(house)).flatMap(({ shut }) => shut)).toEqual([]);
  });
  expect(await masters()).toEqual([expect.not.stringContaining(first ?? '')]);
  await inHouse(env, async ({ domains }) => {
    expect(await domains.network.credentials()).toMatchObject({ key });
  });
});

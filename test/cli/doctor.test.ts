import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { localSignIn } from '../../src/identity/index.ts';
import { describeOnEachEngine, freshDatabase } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';
import { setupWith, temporaryFolder, writePlugin } from '../plugin-host/start-host.ts';
import { commandsOf, shellOn } from './shell.ts';

interface Outcome {
  check: string;
  result: 'ok' | 'warning' | 'problem';
  message: string;
}

const outcomesOf = (printed: unknown): Map<string, Outcome> =>
  new Map((printed as Outcome[]).map((outcome) => [outcome.check, outcome]));

const meterSays = (level: string): string =>
  `host.contribute(api.doctorChecks, () => ({ name: 'licence', level: '${level}', message: 'It ended yesterday.' }));`;

describe('the command `latchkey doctor`', () => {
  test('has no plugin code in its process, and hears what plugins look at all the same', async () => {
    const database = await freshDatabase('sqlite');
    const { latchkey, dataDir } = await shellOn(database);
    await writePlugin(join(dataDir, 'plugins'), 'meter', {
      manifest: { hooks: { uses: ['doctor.checks'] } },
      files: {
        'index.ts': setupWith(meterSays('warning')),
      },
    });
    await latchkey('plugin enable meter');

    const examined = await latchkey('doctor --json');

    expect(outcomesOf(examined.json()).get('meter: licence')).toMatchObject({ result: 'warning' });
  });
});

describeOnEachEngine('the doctor', (engine) => {
  test('finds a healthy house healthy, and says what would make it healthier', async () => {
    const { house } = await startTestApp({ engine });

    const examined = await commandsOf(house)('doctor --json');

    const outcomes = outcomesOf(examined.json());
    expect(examined.code).toBe(0);
    for (const check of ['node', 'database', 'keys', 'queue', 'plugins'])
      expect(outcomes.get(check), check).toMatchObject({ result: 'ok' });
    expect(outcomes.get('mail')).toMatchObject({ result: 'warning' });
    expect(outcomes.get('mail')?.message).toContain('LATCHKEY_SMTP_URL');
  });

  test('ends with 1 when a plugin does not run, and names it', async () => {
    const pluginDir = await temporaryFolder();
    await writePlugin(pluginDir, 'broken', {
      files: { 'index.ts': setupWith(`throw new Error('No luck');`) },
    });
    const { house } = await startTestApp({ engine, pluginDir });
    const latchkey = commandsOf(house);
    await latchkey('plugin enable broken');

    const examined = await latchkey('doctor --json');

    expect(examined.code).toBe(1);
    expect(outcomesOf(examined.json()).get('plugins')).toMatchObject({ result: 'problem' });
    expect(outcomesOf(examined.json()).get('plugins')?.message).toMatch(/broken.+No luck/);
  });

  test('asks the plugins what they look at, and names whoever does not answer', async () => {
    const pluginDir = await temporaryFolder();
    await writePlugin(pluginDir, 'meter', {
      manifest: { hooks: { uses: ['doctor.checks'] } },
      files: { 'index.ts': setupWith(meterSays('problem')) },
    });
    await writePlugin(pluginDir, 'mute', {
      manifest: { hooks: { uses: ['doctor.checks'] } },
      files: {
        'index.ts': setupWith(`host.contribute(api.doctorChecks, () => { throw new Error('No'); });`),
      },
    });
    const { house } = await startTestApp({ engine, pluginDir });
    const latchkey = commandsOf(house);
    for (const id of ['meter', 'mute']) await latchkey(`plugin enable ${id}`);

    const examined = await latchkey('doctor --json');

    expect(examined.code).toBe(1);
    expect(outcomesOf(examined.json()).get('meter: licence')).toMatchObject({
      result: 'problem',
      message: 'It ended yesterday.',
    });
    expect(outcomesOf(examined.json()).get('mute: checks')).toMatchObject({ result: 'problem' });
  });

  test('says when nobody could get in, and how to open the door', async () => {
    const app = await startTestApp({ engine });
    const open = await commandsOf(app.house)('doctor --json');
    await app.given.setting(localSignIn, false);

    const shut = await commandsOf(app.house)('doctor --json');

    expect(outcomesOf(open.json()).get('sign-in')).toMatchObject({ result: 'ok' });
    expect(shut.code).toBe(1);
    expect(outcomesOf(shut.json()).get('sign-in')).toMatchObject({ result: 'problem' });
    expect(outcomesOf(shut.json()).get('sign-in')?.message).toContain('latchkey sign-in local on');
  });

  test('sees what a restore left held', async () => {
    const { house, db } = await startTestApp({ engine });
    await db.transaction((tx) =>
      tx.knex('background_hold').insert({ name: 'restore', reason: 'restore', since: 1 }),
    );

    const examined = await commandsOf(house)('doctor --json');

    expect(outcomesOf(examined.json()).get('held')).toMatchObject({ result: 'warning' });
    expect(examined.out).toContain('latchkey release');
  });
});

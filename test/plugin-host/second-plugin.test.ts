import { expect, test } from 'vitest';
import { describeOnEachEngine, type Engine } from '../support/databases.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { temporaryFolder, useFixture } from './start-host.ts';

const PASSWORD = 'four quiet words here';

describeOnEachEngine('a second plugin', (engine) => {
  test('asks newcomers a question on the join form and notes their answers', async () => {
    const app = await houseWithDoorkeeper(engine);
    const { key } = await app.given.invitationKey({ emailProof: 'none' });
    const phone = app.guest();

    const form = await phone.get(`/join/${key}`);
    expect(form.text).toContain('Your team');
    const jo = {
      email: 'jo@acme.test',
      name: 'Jo Martin',
      password: PASSWORD,
      'answer-doorkeeper-team': 'Blue',
    };
    const welcome = await phone.submitShown(form, jo);
    await app.settle();

    expect(new URL(welcome.url).pathname).toBe('/tickets/new');
    expect(await app.db.knex('doorkeeper_arrival')).toMatchObject([{ team: 'Blue' }]);
  });

  test('keeps an address out, with its own words, and no seat is taken', async () => {
    const app = await houseWithDoorkeeper(engine);
    const { id, key } = await app.given.invitationKey({ emailProof: 'none' });
    const phone = app.guest();

    const form = await phone.get(`/join/${key}`);
    const mallory = { email: 'mallory@blocked.example', name: 'Mallory', password: PASSWORD };
    const refused = await phone.submitShown(form, mallory);

    expect(refused.text).toContain('Please ask at the front desk.');
    expect(refused.text).toContain('mallory@blocked.example');
    expect(await app.db.knex('invite_key').where({ id })).toMatchObject([{ uses: 0 }]);
    expect(await app.db.knex('doorkeeper_arrival')).toEqual([]);
  });

  test('that is disabled is forgotten by the join form at once, and by nobody missed', async () => {
    const app = await houseWithDoorkeeper(engine);
    const { key } = await app.given.invitationKey({ emailProof: 'none' });
    const owner = app.as(await app.given.owner());

    await owner.submit('/admin/plugins', {}, { action: '/admin/plugins/doorkeeper/disable' });
    const phone = app.guest();
    const form = await phone.get(`/join/${key}`);
    const welcome = await phone.submitShown(form, {
      email: 'm@blocked.example',
      name: 'Mallory',
      password: PASSWORD,
    });

    expect(form.text).not.toContain('Your team');
    expect(new URL(welcome.url).pathname).toBe('/tickets/new');
  });

  test('goes on when the plugin it listens to is disabled, and that comes back where it was', async () => {
    const app = await houseWithDoorkeeper(engine);
    const { key } = await app.given.invitationKey({ emailProof: 'none' });
    const owner = app.as(await app.given.owner());

    await owner.submit('/admin/plugins', {}, { action: '/admin/plugins/registration-key/disable' });
    expect((await app.guest().get(`/join/${key}`)).status).toBe(404);
    expect(await app.house.plugins.find('doorkeeper', 'en')).toMatchObject({ state: 'enabled' });

    await owner.submit('/admin/plugins', {}, { action: '/admin/plugins/registration-key/enable' });
    expect((await app.guest().get(`/join/${key}`)).text).toContain('Your team');
  });
});

/** Invitation keys and, enabled beside them, the fixture that knows only the names of their hooks. */
async function houseWithDoorkeeper(engine: Engine): Promise<TestApp> {
  const pluginDir = await temporaryFolder();
  await useFixture(pluginDir, 'doorkeeper');
  const app = await startTestApp({ engine, pluginDir });
  const owner = app.as(await app.given.owner());
  await owner.submit('/admin/plugins', {}, { action: '/admin/plugins/doorkeeper/enable' });
  expect(await app.house.plugins.find('doorkeeper', 'en')).toMatchObject({ state: 'enabled', error: null });
  return app;
}

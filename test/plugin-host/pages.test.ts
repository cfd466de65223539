import { expect, test } from 'vitest';
import { describeOnEachEngine } from '../support/databases.ts';
import { minutes } from '../support/clock.ts';
import { startTestApp } from '../support/test-app.ts';
import { setupWith, temporaryFolder, writePlugin } from './start-host.ts';

const enabling = { action: '/admin/plugins/hello/enable' };
const disabling = { action: '/admin/plugins/hello/disable' };
const page = `host.routes([api.route({ method: 'get', path: '/p/hello', access: 'public', handler: () => api.text('hello there') })]);`;

describeOnEachEngine('the page for plugins', (engine) => {
  test('puts a plugin in and out again, at once', async () => {
    const { as, guest, given } = await houseWithHello(engine);
    const owner = as(await given.owner());
    expect((await guest().get('/p/hello')).status).toBe(404);

    const enabled = await owner.submit('/admin/plugins', {}, enabling);
    expect(enabled.text).toContain('Hello is running.');
    expect((await guest().get('/p/hello')).text).toBe('hello there');

    const disabled = await owner.submit('/admin/plugins', {}, disabling);
    expect(disabled.text).toContain('Hello is disabled.');
    expect((await guest().get('/p/hello')).status).toBe(404);
  });

  test('says what a plugin may touch, and why it does not run', async () => {
    const { as, given } = await houseWithHello(engine, {
      manifest: { permissions: { users: ['create'], mail: true }, claims: ['/hello-there'] },
      setup: `throw new Error('The oven is cold');`,
    });
    const owner = as(await given.owner());

    const answer = await owner.submit('/admin/plugins', {}, enabling);

    for (const words of ['Create accounts', 'Send mail', '/hello-there', 'The oven is cold', 'Try again']) {
      expect(answer.text).toContain(words);
    }
  });

  test('asks for the password again before it changes which code runs', async () => {
    const { as, given, clock } = await houseWithHello(engine);
    const owner = as(await given.owner());
    await owner.get('/admin/plugins');
    clock.advance(minutes(20));

    const answer = await owner.submit('/admin/plugins', {}, enabling);

    expect(answer.url).toContain('/confirm-identity?next=%2Fadmin%2Fplugins%2Fhello');
    expect((await owner.get('/p/hello')).status).toBe(404);
  });

  test('is closed to a technician and to an administrator who may not manage plugins', async () => {
    const { as, given } = await houseWithHello(engine);

    for (const profile of ['technician', 'administrator']) {
      const person = as(await given.user({ profile }));
      expect((await person.get('/admin/plugins')).status).toBe(403);
      expect((await person.post('/admin/plugins/hello/enable', {})).status).toBe(403);
    }
  });
});

describeOnEachEngine('the page for settings', (engine) => {
  test('keeps what was said, and says what cannot be', async () => {
    const { as, given } = await startTestApp({ engine });
    const owner = as(await given.owner());
    const action = { action: '/admin/settings/site' };

    const saved = await owner.submit('/admin/settings', { 'site.organisation': 'Acme & Sons' }, action);
    expect(saved.text).toContain('Saved.');
    expect(saved.text).toContain('value="Acme &amp; Sons"');

    const refused = await owner.submit(
      '/admin/settings',
      { 'site.origin': 'nowhere', 'site.organisation': 'X' },
      action,
    );
    expect(refused.status).toBe(422);
    expect(refused.text).toContain('This value cannot be used here.');
    expect(refused.text).toContain('value="nowhere"');
    expect((await owner.get('/admin/settings')).text).toContain('value="Acme &amp; Sons"');
  });

  test('has a part for each plugin, and keeps its secrets to itself', async () => {
    const { as, given, house } = await houseWithHello(engine, {
      manifest: {
        settings: [
          { name: 'word', type: 'string', default: 'please', secret: true },
          { name: 'often', type: 'number', default: 3, min: 1 },
          { name: 'loud', type: 'boolean', default: true },
          { name: 'tone', type: 'choice', choices: ['kind', 'curt'], default: 'kind' },
        ],
      },
      setup: `globalThis.toldSettings = async () => Object.fromEntries(await Promise.all(
        ['word', 'often', 'loud', 'tone'].map(async (name) => [name, await host.settings.get(name)])));`,
    });
    const owner = as(await given.owner());
    await owner.submit('/admin/plugins', {}, enabling);
    const { toldSettings } = globalThis as unknown as { toldSettings: () => Promise<unknown> };
    const usual = { word: 'please', often: 3, loud: true, tone: 'kind' };
    expect(await toldSettings()).toEqual(usual);

    await owner.submit('/admin/settings', {}, { action: '/admin/settings/hello' });
    expect(await toldSettings()).toEqual(usual);
    const typed = {
      'hello.word': 'open sesame',
      'hello.often': '7',
      'hello.loud': undefined,
      'hello.tone': 'curt',
    };
    const saved = await owner.submit('/admin/settings', typed, { action: '/admin/settings/hello' });

    expect(saved.text).not.toContain('open sesame');
    expect(await toldSettings()).toEqual({ word: 'open sesame', often: 7, loud: false, tone: 'curt' });
    await owner.submit('/admin/settings', { 'hello.word': '' }, { action: '/admin/settings/hello' });
    expect(await toldSettings()).toMatchObject({ word: 'open sesame' });
    expect(JSON.stringify(await house.ground.db.knex('setting'))).not.toContain('sesame');
  });
});

interface Hello {
  manifest?: Record<string, unknown>;
  setup?: string;
}

async function houseWithHello(
  engine: 'sqlite' | 'mysql',
  { manifest = {}, setup = page }: Hello = {},
): ReturnType<typeof startTestApp> {
  const pluginDir = await temporaryFolder();
  await writePlugin(pluginDir, 'hello', {
    manifest: { name: 'Hello', ...manifest },
    files: { 'index.ts': setupWith(setup) },
  });
  return startTestApp({ engine, pluginDir });
}

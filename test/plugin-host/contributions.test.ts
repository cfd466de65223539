import { join } from 'node:path';
import { FormData } from 'undici';
import { expect, test } from 'vitest';
import { checkPlugin } from '../../src/cli/author/check-plugin.ts';
import { surface } from '../../src/compose-author.ts';
import { parseManifest } from '../../src/plugin-host/index.ts';
import { system } from '../../src/shared/actor.ts';
import { attachmentStore } from '../../src/tickets/index.ts';
import { describeOnEachEngine, type Engine } from '../support/databases.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { setupWith, temporaryFolder, writePlugin } from './start-host.ts';

describeOnEachEngine('what a plugin adds', (engine) => {
  test('stands on the first page as a card, and goes with the plugin', async () => {
    const { app, disable } = await houseWith(
      engine,
      `host.contribute(api.dashboardCards, ({ actor }) => actor.can('ticket.read') ? {
        title: 'Happiness', figure: { value: '4.6 of 5', note: '18 answers' },
        chart: { kind: 'bars', items: [{ label: 'Good', value: 17 }, { label: 'Bad', value: 1 }], what: 'Answer' },
        link: { path: '/p/extra', label: 'All answers' },
      } : null);`,
    );
    const technician = app.as(await app.given.technician());

    const home = await technician.get('/');
    const requesters = await app.as(await app.given.user()).get('/');
    await disable();
    const after = await technician.get('/');

    expect(home.text).toContain('4.6 of 5');
    expect(home.text).toMatch(/<th scope="row">Good<\/th><td>17<\/td>/);
    expect(home.text).toContain('<a href="/p/extra">All answers</a>');
    expect(requesters.text).not.toContain('4.6 of 5');
    expect(after.text).not.toContain('4.6 of 5');
  });

  test('is told between the lines of a ticket, in their order, the private ones to those who may read notes', async () => {
    const { app, disable } = await houseWith(
      engine,
      `host.contribute(api.ticketTimeline, ({ ticket }) => [
        { id: 'call', at: host.clock.now(), icon: 'phone', text: 'Somebody called about #' + ticket.number, body: 'They **waited**.', visibility: 'public' },
        { id: 'mood', at: host.clock.now(), icon: 'mood-sad', text: 'They were angry', visibility: 'private' },
      ]);`,
    );
    const { ticket, requester } = await app.given.ticket();
    const path = `/tickets/${String(ticket.number)}`;

    const helpers = await app.as(await app.given.technician()).get(path);
    const askers = await app.as(requester).get(path);
    const asPrograms = await app.api(requester).call('GET', `/api/v1${path}/timeline`);
    await disable();
    const after = await app.as(requester).get(path);

    const called = `Somebody called about #${String(ticket.number)}`;
    expect(asPrograms.json()).toMatchObject({
      items: [{ kind: 'contributed', plugin: 'extra', title: called, body: 'They **waited**.' }],
    });
    expect(helpers.text).toContain('id="note-extra-call"');
    expect(helpers.text).toContain('<strong>waited</strong>');
    expect(helpers.text.indexOf('The printer jams')).toBeLessThan(helpers.text.indexOf('Somebody called'));
    expect(helpers.text).toContain('They were angry');
    expect(askers.text).toContain('Somebody called');
    expect(askers.text).not.toContain('They were angry');
    expect(after.text).not.toContain('Somebody called');
  });

  test('is a field of the search, and never shows more than one may read', async () => {
    const { app, disable } = await houseWith(
      engine,
      `const found = new Map();
      host.on(api.ticketCreated, ({ ticket }) => void found.set(ticket.title.split(' ')[0].toLowerCase(), ticket.id));
      host.contribute(api.ticketSearchFields, ({ asked }) => ({
        name: 'first', example: 'first:printer',
        ...(asked.first ? { found: asked.first.flatMap((word) => found.get(word) ?? []) } : {}),
      }));`,
    );
    const { requester } = await app.given.ticket({ title: 'Printer on fire' });
    await app.given.ticket({ title: 'Coffee is out' });
    await app.settle();
    const technician = app.as(await app.given.technician());

    const found = await technician.get('/tickets?q=first:printer');
    const withWords = await technician.get('/tickets?q=first:printer+coffee');
    const foreign = await app.as(requester).get('/tickets?q=first:coffee');
    await disable();
    const after = await technician.get('/tickets?q=first:printer');

    expect(found.text).toContain('Printer on fire');
    expect(found.text).not.toContain('Coffee is out');
    expect(found.text).toContain('first:printer');
    expect(withWords.text).not.toContain('Printer on fire');
    expect(foreign.text).not.toContain('Coffee is out');
    expect(after.text).not.toContain('Printer on fire');
    expect(after.text).not.toContain('Also known here');
  });

  test('keeps attached files elsewhere, and finds them again when new ones go to the disk', async () => {
    const { app, disable, enable } = await houseWith(
      engine,
      `const { readFile } = await import('node:fs/promises');
      const { Readable } = await import('node:stream');
      const files = globalThis.filesOfTheTest ??= new Map();
      host.contribute(api.attachmentStores, () => ({
        keep: async (path) => { const key = api.newId(); files.set(key, await readFile(path)); return key; },
        read: async (key) => Readable.from([files.get(key)]),
        remove: async (key) => void files.delete(key),
      }));`,
    );
    await app.given.setting(attachmentStore, 'extra');
    const { ticket, requester } = await app.given.ticket();
    const upload = async (name: string): Promise<string> => {
      const form = new FormData();
      form.set('body', `See ${name}`);
      form.set('files', new Blob([`inside ${name}`], { type: 'text/plain' }), name);
      const browser = app.as(requester);
      const page = await browser.get(`/tickets/${String(ticket.number)}`);
      form.set('_csrf', /name="_csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '');
      const sent = await browser.send(`/tickets/${String(ticket.number)}/follow-ups`, {
        method: 'POST',
        headers: { origin: browser.origin, 'sec-fetch-site': 'same-origin' },
        body: form,
      });
      return String(sent.status);
    };
    const linkTo = async (name: string): Promise<string> => {
      const page = await app.as(requester).get(`/tickets/${String(ticket.number)}`);
      return new RegExp(`href="([^"]+)"[^>]*download="${name}"`).exec(page.text)?.[1] ?? '';
    };

    expect(await upload('one.txt')).toBe('303');
    const one = await linkTo('one.txt');
    expect((await app.as(requester).get(one)).text).toBe('inside one.txt');
    await disable();
    const away = await app.as(requester).get(one);
    const refused = await upload('two.txt');
    await app.given.setting(attachmentStore, '');
    const kept = await upload('three.txt');
    await enable();

    expect(away.status).toBe(503);
    expect(away.text).toContain('kept by the plugin extra');
    expect(refused).toBe('503');
    expect(kept).toBe('303');
    expect((await app.as(requester).get(one)).text).toBe('inside one.txt');
    expect((await app.as(requester).get(await linkTo('three.txt'))).text).toBe('inside three.txt');
  });
});

test('one plugin has another do something, by a name with a version, and is told when it cannot', async () => {
  const pluginDir = await temporaryFolder();
  const hours = `const hours = (version) => api.defineService('clock/hours@' + version);`;
  await writePlugin(pluginDir, 'clock', {
    files: {
      'index.ts': setupWith(`${hours} host.provide(hours(1), { isOpen: async (hour) => hour > 8 });`),
    },
  });
  await writePlugin(pluginDir, 'bell', {
    manifest: { dependencies: { optional: { clock: '*' } } },
    files: {
      'index.ts': setupWith(`${hours}
        const [one, two] = [host.use(hours(1)), host.use(hours(2))];
        const page = (path, answer) => api.route({ method: 'get', path: '/p/bell' + path, access: 'public', handler: async () => api.text(String(await answer())) });
        host.routes([page('/open', () => one.isOpen(9)), page('/later', () => two.isOpen(9)), page('/there', () => host.isOffered(hours(1)))]);`),
    },
  });
  await writePlugin(pluginDir, 'thief', {
    files: { 'index.ts': setupWith(`${hours} host.use(hours(1));`) },
  });
  const { house, guest } = await startTestApp({ pluginDir });
  for (const id of ['clock', 'bell']) await house.plugins.enable(system, id);

  expect((await guest().get('/p/bell/open')).text).toBe('true');
  expect((await guest().get('/p/bell/there')).text).toBe('true');
  expect((await guest().get('/p/bell/later')).text).toContain('offers it has clock/hours@1');
  expect(JSON.stringify(house.ground.hooks.costs())).toContain('clock/hours@1 isOpen');
  expect(await house.plugins.enable(system, 'thief')).toMatchObject({
    error: expect.stringContaining('"clock" does not stand under "dependencies"') as string,
  });

  await house.plugins.disable(system, 'clock');
  const away = await guest().get('/p/bell/open');
  await house.plugins.enable(system, 'clock');

  expect(away.status).toBe(503);
  expect(away.text).toContain('the plugin that offers it is not running');
  expect((await guest().get('/p/bell/open')).text).toBe('true');
});

test('a page that a plugin draws instead of ours is ours again once ours has changed, and that is said', async () => {
  const pluginDir = await temporaryFolder();
  const { templates } = await surface();
  const override = { template: 'dashboard/requester', file: 'views/mine.hbs' };
  const files = { 'views/mine.hbs': '{{#> layouts/app title="Mine"}}Drawn by a plugin{{/layouts/app}}' };
  const made = { ...override, replaces: templates.get('dashboard/requester') };
  const stale = { ...override, replaces: '0'.repeat(64) };
  await writePlugin(pluginDir, 'fits', { manifest: { overrides: [made] }, files });
  await writePlugin(pluginDir, 'stale', { manifest: { overrides: [stale] }, files });
  const { house, as, given } = await startTestApp({ pluginDir });
  const requester = as(await given.user());

  await house.plugins.enable(system, 'stale');
  const ours = await requester.get('/');
  const told = await as(await given.owner()).get('/admin/plugins/stale');
  await house.plugins.enable(system, 'fits');
  const theirs = await requester.get('/');
  await house.plugins.disable(system, 'fits');

  expect(ours.text).not.toContain('Drawn by a plugin');
  expect(told.text).toContain('has changed since the plugin was made from it');
  expect(theirs.text).toContain('Drawn by a plugin');
  expect((await requester.get('/')).text).not.toContain('Drawn by a plugin');
  const place = (id: string): string => join(pluginDir, id);
  const problems = await checkPlugin(place('stale'), await surface());
  expect(problems.map(({ message }) => message)).toContainEqual(
    `Our dashboard/requester has changed since, and is shown instead of yours. Take over what is new, then say "replaces": "${String(made.replaces)}".`,
  );
  const quiet = await checkPlugin(place('fits'), await surface());
  expect(quiet.map(({ message }) => message)).toEqual([]);
});

test('settings may be said as a JSON Schema', () => {
  const manifest = parseManifest({
    id: 'hello',
    name: 'Hello',
    version: '1.0.0',
    description: 'Hello.',
    publisher: 'you',
    license: 'MIT',
    engines: { latchkey: '*' },
    settings: {
      type: 'object',
      properties: {
        keepDays: { type: 'integer', minimum: 1, default: 30 },
        token: { type: 'string', 'x-secret': true },
        tone: { type: 'string', enum: ['warm', 'cool'] },
      },
    },
  });

  expect(manifest.settings).toMatchObject([
    { name: 'keepDays', type: 'number', min: 1, default: 30 },
    { name: 'token', type: 'string', secret: true, default: '' },
    { name: 'tone', type: 'choice', choices: ['warm', 'cool'], default: 'warm' },
  ]);
  expect(() =>
    parseManifest({ settings: { type: 'object', properties: { size: { type: 'integer' } } } }),
  ).toThrow('settings.properties.size.default');
});

async function houseWith(
  engine: Engine,
  setup: string,
): Promise<{ app: TestApp; disable: () => Promise<unknown>; enable: () => Promise<unknown> }> {
  const pluginDir = await temporaryFolder();
  await writePlugin(pluginDir, 'extra', { files: { 'index.ts': setupWith(setup) } });
  const app = await startTestApp({ engine, pluginDir });
  const { plugins } = app.house;
  const enable = (): Promise<unknown> => plugins.enable(system, 'extra');
  expect(await enable()).toMatchObject({ state: 'enabled', error: null });
  return { app, enable, disable: () => plugins.disable(system, 'extra') };
}

import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { newPlugin, pluginTemplates } from '../../src/cli/author/new-plugin.ts';
import { folders, version } from '../../src/compose-ground.ts';
import { startTestApp } from '../support/test-app.ts';
import { temporaryFolder } from './start-host.ts';

const run = promisify(execFile);
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

test('the plugin of the guide runs as it is printed', async () => {
  const pluginDir = await temporaryFolder();
  await writeExample(pluginDir);
  const { as, given, house } = await startTestApp({ pluginDir });
  const owner = await given.owner();

  await as(owner).submit('/admin/plugins', {}, { action: '/admin/plugins/hello/enable' });
  const technician = as(await given.technician());
  const page = await technician.submit('/p/hello', { said: 'The guide is right.' }, { action: '/p/hello' });

  expect(await house.plugins.find('hello', 'en')).toMatchObject({ state: 'enabled', error: null });
  expect(page.text).toContain('The guide is right.');
  expect(page.text).toContain('Thank you.');
});

test(
  'the plugin of the guide and those of the templates are right by their types',
  { timeout: 120_000 },
  async () => {
    const folder = await temporaryFolder();
    await writeExample(folder);
    for (const template of pluginTemplates)
      await newPlugin({ id: template, template, place: folder, templates: folders.templates, version });
    const config = { extends: './full/tsconfig.json', include: ['.'] };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));

    const problems = await run(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      folder,
    ]).then(
      () => '',
      (error: unknown) => String((error as { stdout?: string }).stdout),
    );

    expect(problems).toBe('');
  },
);

/** The files of the guide are the blocks below a comment with their name. */
async function writeExample(place: string): Promise<void> {
  const guide = await readFile(join(root, 'docs/plugins/README.md'), 'utf8');
  const blocks = [...guide.matchAll(/<!-- (hello\/\S+) -->\n```\w+\n([\s\S]*?)\n```/g)];
  expect(blocks.length).toBeGreaterThan(4);
  for (const [, name = '', content = ''] of blocks) {
    await mkdir(dirname(join(place, name)), { recursive: true });
    await writeFile(join(place, name), `${content}\n`);
  }
}

test(
  'the commands of the guide make a plugin, find nothing wrong with it, test it and pack it',
  { timeout: 120_000 },
  async () => {
    const folder = await temporaryFolder();
    const guide = await readFile(join(root, 'docs/plugins/README.md'), 'utf8');
    const commands = [...guide.matchAll(/^ {4}latchkey (plugin (\w+) hello)\b/gm)].filter(
      ([, , word]) => word !== 'dev',
    );
    expect(commands.map(([, , word]) => word)).toEqual(['new', 'check', 'test', 'pack']);

    const said: string[] = [];
    for (const [, words = ''] of commands) {
      const { stdout } = await run(process.execPath, [join(root, 'src/cli.ts'), ...words.split(' ')], {
        cwd: folder,
        env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1' },
      });
      said.push(stdout);
    }

    expect(said[1]).toContain('Nothing to say against it.');
    expect(said[2]).toMatch(/Tests\s+3 passed/);
    expect((await readFile(join(folder, 'hello-0.1.0.tgz'))).subarray(0, 2)).toEqual(
      Buffer.from([0x1f, 0x8b]),
    );
  },
);

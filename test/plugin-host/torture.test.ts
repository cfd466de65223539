import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { newPlugin } from '../../src/cli/author/new-plugin.ts';
import { folders, version } from '../../src/compose.ts';
import { temporaryFolder } from './start-host.ts';

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** What the torture says of a new plugin after this was made of its files. */
async function tortured(changes: Record<string, [from: string, to: string][]>): Promise<string> {
  const place = await temporaryFolder();
  await newPlugin({ template: 'full', id: 'notes', place, templates: folders.templates, version });
  const folder = join(place, 'notes');
  for (const [name, pairs] of Object.entries(changes))
    for (const [from, to] of pairs) {
      const text = await readFile(join(folder, name), 'utf8');
      expect(text).toContain(from);
      await writeFile(join(folder, name), text.replace(from, to));
    }
  const words = ['plugin', 'test', folder, '--torture', '--cycles', '4'];
  return run(process.execPath, [cli, ...words], { env: { NO_COLOR: '1' } }).then(
    ({ stdout }) => stripVTControlCharacters(stdout),
    (error: unknown) => stripVTControlCharacters(String((error as { stdout?: string }).stdout)),
  );
}

test(
  'torture names what a plugin leaks, does twice and forgets, and has nothing to say against the rest',
  { timeout: 180_000 },
  async () => {
    const said = await tortured({
      'src/index.ts': [
        ['const board = new Board(host);', 'const board = new Board(host); setInterval(() => {}, 60_000);'],
        ['ticketCreated, ({ ticket }, delivery) =>', 'ticketCreated, ({ ticket }) =>'],
        ['delivery.once((tx) =>', 'host.transaction((tx) =>'],
        ["host.job('forget', async () => {", "host.job('forget', async () => { throw new Error('No luck');"],
      ],
      'src/board.ts': [
        [
          'async newest()',
          'async never(): Promise<void> {\n    await this.newest();\n  }\n\n  async newest()',
        ],
      ],
      'migrations/0001-notes.ts': [["down: ['DROP TABLE IF EXISTS notes_note']", 'down: []']],
    });

    expect(said).toContain('notes leaves behind: 3 timers (stop them in host.onDispose)');
    expect(said).toContain('what is told twice is written twice to notes_note: use delivery.once');
    expect(said).toContain('the job forget failed: No luck');
    expect(said).toContain('its migrations do not take back (down) all that they make');
    expect(said).toMatch(/This reached [6-9]\d % of the code of notes \(\d+ of \d+ lines\)\./);
    expect(said).toMatch(/Not reached, and so not judged: .*src\/board\.ts:\d+/);
    expect(said).toMatch(/Tests\s+\d failed \| [67] passed/);
  },
);

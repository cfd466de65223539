import { createGzip } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import { pack, type Header } from 'tar-stream';
import { sha256Of } from '../../src/network/index.ts';
import { setupWith } from './start-host.ts';

interface Draft {
  manifest?: Record<string, unknown>;
  files?: Record<string, string>;
  /** What no honest tool would pack. */
  entries?: (Partial<Header> & { name: string })[];
  /** With the list of its files, which is what a publisher signs. */
  isListed?: boolean;
}

/** A package as `latchkey plugin pack` makes it. */
export function packageOf(
  id: string,
  version: string,
  { manifest = {}, files = {}, entries = [], isListed = false }: Draft = {},
): Promise<Buffer> {
  const usual = {
    id,
    name: id,
    version,
    description: 'A plugin of the tests.',
    publisher: 'test',
    license: 'MIT',
    engines: { latchkey: '*' },
  };
  const tar = pack();
  const content: Record<string, string> = {
    'plugin.json': JSON.stringify({ ...usual, ...manifest }),
    'index.ts': setupWith(''),
    ...files,
  };
  const all = isListed ? { ...content, 'files.json': listOf(id, version, content) } : content;
  for (const [name, content] of Object.entries(all)) tar.entry({ name, mtime: new Date(0) }, content);
  for (const entry of entries) tar.entry(entry, entry.type === 'file' ? 'x' : '');
  tar.finalize();
  return buffer(tar.pipe(createGzip()));
}

const listOf = (id: string, version: string, files: Record<string, string>): string =>
  JSON.stringify({
    id,
    version,
    files: Object.entries(files).map(([path, text]) => ({
      path,
      size: Buffer.byteLength(text),
      sha256: sha256Of(Buffer.from(text)),
    })),
  });

/** A page that says which version answers. */
export const sayingVersion = (version: string, { afterMs = 0 } = {}): Record<string, string> => ({
  'index.ts': setupWith(
    `const answer = () => api.text('version ${version}');
    const later = () => new Promise((resolve) => setTimeout(() => resolve(answer()), ${String(afterMs)}));
    host.routes([api.route({ method: 'get', path: '/p/parcel', access: 'public', handler: ${afterMs === 0 ? 'answer' : 'later'} })]);`,
  ),
});

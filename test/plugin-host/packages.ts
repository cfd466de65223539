import { createGzip } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import { pack, type Header } from 'tar-stream';
import { setupWith } from './start-host.ts';

interface Draft {
  manifest?: Record<string, unknown>;
  files?: Record<string, string>;
  /** What no honest tool would pack. */
  entries?: (Partial<Header> & { name: string })[];
}

/** A package as `latchkey plugin pack` makes it. */
export function packageOf(
  id: string,
  version: string,
  { manifest = {}, files = {}, entries = [] }: Draft = {},
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
  const all = {
    'plugin.json': JSON.stringify({ ...usual, ...manifest }),
    'index.ts': setupWith(''),
    ...files,
  };
  for (const [name, content] of Object.entries(all)) tar.entry({ name, mtime: new Date(0) }, content);
  for (const entry of entries) tar.entry(entry, entry.type === 'file' ? 'x' : '');
  tar.finalize();
  return buffer(tar.pipe(createGzip()));
}

/** A page that says which version answers. */
export const sayingVersion = (version: string): Record<string, string> => ({
  'index.ts': setupWith(
    `host.routes([api.route({ method: 'get', path: '/p/parcel', access: 'public', handler: () => api.text('version ${version}') })]);`,
  ),
});

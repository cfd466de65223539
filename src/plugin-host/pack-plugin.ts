import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { FILE_LIST, sha256Of } from '../network/index.ts';
import { readManifest } from './manifest.ts';
import { pluginFiles } from './plugin-files.ts';

export interface Package {
  id: string;
  version: string;
  bytes: Buffer;
  files: ListedFile[];
}

export interface ListedFile {
  path: string;
  size: number;
  sha256: string;
}

/** The same files make the same bytes, on any machine and on any day. */
export async function packPlugin(folder: string): Promise<Package> {
  const { id, version } = await readManifest(folder);
  const contents = await Promise.all(
    (await pluginFiles(folder)).map(async (path) => ({ path, content: await readFile(join(folder, path)) })),
  );
  const files = contents.map(({ path, content }) => ({
    path,
    size: content.length,
    sha256: sha256Of(content),
  }));
  const list = Buffer.from(`${JSON.stringify({ format: 1, id, version, files }, null, 2)}\n`);
  const tar = pack();
  for (const { path, content } of [{ path: FILE_LIST, content: list }, ...contents])
    tar.entry({ name: path, size: content.length, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }, content);
  tar.finalize();
  return { id, version, files, bytes: gzipped(await buffer(tar)) };
}

const GZIP_SYSTEM_AT = 9;
const UNKNOWN_SYSTEM = 255;

/** zlib notes the operating system it ran on; nobody needs to know. */
function gzipped(bytes: Buffer): Buffer {
  const packed = gzipSync(bytes, { level: 9 });
  packed[GZIP_SYSTEM_AT] = UNKNOWN_SYSTEM;
  return packed;
}

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { digestOfFile } from '../crypto/digest-of-file.ts';
import type { Undo } from '../hooks/tokens.ts';
import { eachOf } from '../shared/each-of.ts';

export type Encoding = 'br' | 'gzip';

export interface Asset {
  file: string;
  mediaType: string;
  size: number;
  /** Quoted, ready for the header. */
  etag: string;
  /** The address carries the content's version: it may be kept for a year. */
  immutable: boolean;
}

/** What one owner brings, under one version, so that files may name each other by relative addresses. */
export interface Collection {
  version: string;
  files: Map<string, Omit<Asset, 'immutable'>>;
}

const mediaTypes: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
};

const CORE = '';
const zip = { br: promisify(brotliCompress), gzip: promisify(gzip) };

/** Scripts, styles, fonts and pictures under `/assets/<version>/…`; a plugin's are `<plugin-id>/<name>`. */
export class AssetStore {
  readonly #collections = new Map<string, Collection>();
  readonly #packed = new Map<string, Promise<Buffer>>();

  constructor(directory: string) {
    const paths = [...filesIn(directory), ...filesOfPackages()];
    this.#collections.set(CORE, collected(paths.map(([name, file]) => seen(name, file, readFileSync(file)))));
  }

  /** The address to link to; an unknown name is a mistake in a template. */
  url(name: string): string {
    const [collection, file, owner] = this.#find(name);
    if (!collection?.files.has(file)) throw new Error(`There is no asset ${name}.`);
    return `/assets/${collection.version}/${owner ? `${owner}/` : ''}${file}`;
  }

  /** What lies at `/assets/…`, or null. An older version's address still finds the file, but is not kept long. */
  lookup(path: string): Asset | null {
    const [, version, name] = /^\/assets\/([0-9a-f]{16})\/([\w./@-]+)$/.exec(path) ?? [];
    if (version === undefined || name === undefined) return null;
    const [collection, file] = this.#find(name);
    const asset = collection?.files.get(file);
    return asset && collection ? { ...asset, immutable: collection.version === version } : null;
  }

  /** The same bytes packed, for text that is worth it; packed once and kept. */
  async packed(asset: Asset, encoding: Encoding): Promise<Buffer | null> {
    if (!/^(text|application|image\/svg)/.test(asset.mediaType) || asset.size < 1024) return null;
    const key = `${encoding} ${asset.etag}`;
    const known = this.#packed.get(key) ?? pack(asset.file, encoding);
    this.#packed.set(key, known);
    return known;
  }

  /** A plugin's files, as they were looked through. */
  add(owner: string, collection: Collection): Undo {
    this.#collections.set(owner, collection);
    return () => {
      if (this.#collections.get(owner) === collection) this.#collections.delete(owner);
    };
  }

  #find(name: string): [collection: Collection | undefined, file: string, owner: string] {
    const [owner = '', ...rest] = name.split('/');
    const plugins = this.#collections.get(owner);
    return plugins && rest.length > 0
      ? [plugins, rest.join('/'), owner]
      : [this.#collections.get(CORE), name, CORE];
  }
}

function pack(file: string, encoding: Encoding): Promise<Buffer> {
  const content = readFileSync(file);
  return encoding === 'br'
    ? zip.br(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } })
    : zip.gzip(content, { level: 7 });
}

/** Looks through a plugin's files in `directory`. They may be megabytes: nobody is kept waiting for them. */
export async function collect(directory: string): Promise<Collection> {
  const all: Seen[] = [];
  await eachOf([...filesIn(directory)], async ([name, file]) => {
    const { size, sha256: digest } = await digestOfFile(file);
    all.push({ name, file, size, digest });
  });
  return collected(all);
}

interface Seen {
  name: string;
  file: string;
  size: number;
  digest: string;
}

const seen = (name: string, file: string, content: Buffer): Seen => ({
  name,
  file,
  size: content.length,
  digest: createHash('sha256').update(content).digest('hex'),
});

function collected(all: readonly Seen[]): Collection {
  const whole = createHash('sha256');
  const files: Collection['files'] = new Map();
  for (const { name, file, size, digest } of all.toSorted(byName)) {
    whole.update(`${name} ${digest}\n`);
    const mediaType = mediaTypes[extname(name)] ?? 'application/octet-stream';
    files.set(name, { file, mediaType, size, etag: `"${digest.slice(0, 32)}"` });
  }
  return { version: whole.digest('hex').slice(0, 16), files };
}

const byName = (one: Seen, other: Seen): number => (one.name < other.name ? -1 : 1);

function filesIn(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    names.map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return [file.slice(directory.length + 1).replaceAll('\\', '/'), file];
    }),
  );
}

/** The package names only its modules for bundlers; the script for browsers lies beside them. */
const scriptForPasskeys = (resolve: NodeJS.RequireResolve): string =>
  join(dirname(resolve('@simplewebauthn/browser')), '../dist/bundle/index.umd.min.js');

/** What we take from packages as they are. */
function filesOfPackages(): Map<string, string> {
  const resolve = createRequire(import.meta.url).resolve;
  const folder = (name: string): string => dirname(resolve(`${name}/package.json`));
  const inter = join(folder('@fontsource-variable/inter'), 'files');
  return new Map([
    ['tabler.css', join(folder('@tabler/core'), 'dist/css/tabler.min.css')],
    ['simplewebauthn.js', scriptForPasskeys(resolve)],
    ['htmx.js', join(folder('htmx.org'), 'dist/htmx.min.js')],
    ...['latin', 'latin-ext', 'greek', 'cyrillic', 'vietnamese'].map((script): [string, string] => [
      `inter-${script}.woff2`,
      join(inter, `inter-${script}-wght-normal.woff2`),
    ]),
  ]);
}

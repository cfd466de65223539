import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTexts } from './discovery.ts';
import { InvalidInputError, KnownError } from '../shared/errors.ts';
import { readManifest, type Manifest } from './manifest.ts';
import { sha256Of } from './release-folders.ts';
import { unpack } from './unpack.ts';

/** What a plugin says of itself, without running a line of it. */
export interface PluginDescription {
  manifest: Manifest;
  /** By language: its name, and what it is for in a sentence. */
  words: Record<string, { name: string; description: string }>;
  /** `README.md`, and `README.fr.md` for another language; Markdown. */
  readme: Record<string, string>;
  /** `CHANGELOG.md`. */
  changelog: string;
  /** `icon.png`. */
  icon: Buffer | null;
  /** `screenshots/*.png`, in the order of their names. */
  screenshots: { name: string; content: Buffer }[];
}

/** The same of one that is packed. */
export interface PackageFacts extends PluginDescription {
  sha256: string;
  size: number;
}

const LONGEST_TEXT = 20_000;
const LARGEST_PICTURE = 600 * 1024;
const MOST_SCREENSHOTS = 6;
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Unpacks it aside under the same rules as an installation does, and looks at what there is to read. */
export async function readPackage(packed: Uint8Array): Promise<PackageFacts> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-package-'));
  try {
    await unpack(packed, folder);
    return { ...(await readPlugin(folder)), sha256: sha256Of(packed), size: packed.length };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws {InvalidInputError} where there is no plugin that could be packed */
async function readPlugin(folder: string): Promise<PluginDescription> {
  const manifest = await readManifest(folder).catch((cause: unknown) => {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidInputError('plugin.manifest', { cause, params: { problem } });
  });
  return {
    manifest,
    words: await wordsIn(folder, manifest),
    readme: await readmesIn(folder),
    changelog: await textAt(join(folder, 'CHANGELOG.md')),
    icon: await pictureAt(join(folder, 'icon.png')),
    screenshots: await screenshotsIn(join(folder, 'screenshots')),
  };
}

/** All plugins in the folders of a folder; what is none, or not yet one, is left out. */
export async function readPluginsIn(place: string): Promise<(PluginDescription & { folder: string })[]> {
  const entries = await readdir(place, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }) => {
        const folder = join(place, name);
        return readPlugin(folder).then(
          (plugin) => [{ ...plugin, folder }],
          (error: unknown) => {
            if (error instanceof KnownError) return [];
            throw error;
          },
        );
      }),
  );
  return found.flat();
}

async function wordsIn(
  folder: string,
  { name, description, locales }: Manifest,
): Promise<PackageFacts['words']> {
  const texts = await readTexts(join(folder, locales));
  const languages = ['en', ...[...texts.keys()].filter((language) => language !== 'en')];
  const said = (words: string, language: string): string =>
    words.startsWith('t:') ? (texts.get(language)?.[words.slice(2)] ?? words.slice(2)) : words;
  return Object.fromEntries(
    languages.map((language) => [
      language,
      { name: said(name, language), description: said(description, language) },
    ]),
  );
}

async function readmesIn(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => /^README(\.[a-z]{2})?\.md$/.test(name));
  const texts = names.map(async (name) => [
    /\.([a-z]{2})\.md$/.exec(name)?.[1] ?? 'en',
    await textAt(join(folder, name)),
  ]);
  return Object.fromEntries(await Promise.all(texts)) as Record<string, string>;
}

async function screenshotsIn(folder: string): Promise<PackageFacts['screenshots']> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.png')).sort();
  const pictures = names.slice(0, MOST_SCREENSHOTS).map(async (name) => {
    const content = await pictureAt(join(folder, name));
    return content ? [{ name: name.replace(/\.png$/, ''), content }] : [];
  });
  return (await Promise.all(pictures)).flat();
}

const textAt = async (path: string): Promise<string> =>
  (await readFile(path, 'utf8').catch(() => '')).slice(0, LONGEST_TEXT);

/** Judged by its first bytes; what is no picture, or too large, is left out. */
async function pictureAt(path: string): Promise<Buffer | null> {
  const content = await readFile(path).catch(() => null);
  const isPicture = content?.subarray(0, PNG.length).equals(PNG) === true;
  return isPicture && content.length <= LARGEST_PICTURE ? content : null;
}

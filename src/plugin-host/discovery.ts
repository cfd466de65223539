import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ManifestError, readManifest, type Manifest } from './manifest.ts';

/** A language, and the plugin's texts in it. */
type Texts = ReadonlyMap<string, Record<string, string>>;

/** A plugin as it lies on disk. */
export interface FoundPlugin {
  id: string;
  folder: string;
  /** Where its folder really lies: what Node and stack traces call it. */
  home: string;
  /** It came with Latchkey. */
  isBundled: boolean;
  manifest: Manifest | null;
  /** What is wrong with its manifest, where it has none that can be used. */
  problem: string | null;
  texts: Texts;
}

/** Folders with a folder for each plugin. */
export interface Places {
  bundled: string;
  added: string;
}

/**
 * All plugins on disk, and of those that were installed the version in `releases`, a folder for each id. A bundled one wins over any
 * other of the same name: nobody slips in under a known name.
 */
export async function findPlugins(
  { bundled, added }: Places,
  releases: ReadonlyMap<string, string>,
): Promise<FoundPlugin[]> {
  const found = new Map<string, FoundPlugin>();
  const installed = [...releases].map(([id, folder]) => findAt(folder, id));
  const all = [
    await pluginsIn(bundled, true),
    (await Promise.all(installed)).filter((plugin) => plugin !== null),
    await pluginsIn(added, false),
  ];
  for (const plugin of all.flat()) {
    if (!found.has(plugin.id)) found.set(plugin.id, plugin);
  }
  return [...found.values()].sort((one, other) => one.id.localeCompare(other.id));
}

/** `t:name` of a manifest in the reader's language, else in English; anything else is the text itself. */
export function textOf({ texts }: FoundPlugin, words: string, locale: string): string {
  if (!words.startsWith('t:')) return words;
  const key = words.slice('t:'.length);
  return texts.get(locale.slice(0, 2))?.[key] ?? texts.get('en')?.[key] ?? key;
}

async function pluginsIn(place: string, isBundled: boolean): Promise<FoundPlugin[]> {
  const entries = await readdir(place, { withFileTypes: true }).catch(nothingWhereMissing([]));
  const folders = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  const candidates = await Promise.all(
    folders.map(async ({ name }) => {
      const plugin = await lookAt(join(place, name), name);
      const folder = join(place, name);
      return plugin && { ...plugin, id: name, folder, home: await realpath(folder), isBundled };
    }),
  );
  return candidates.filter((plugin) => plugin !== null);
}

/** A plugin that was added, in this very folder. */
export async function findAt(folder: string, id: string): Promise<FoundPlugin | null> {
  const plugin = await lookAt(folder, id);
  return plugin && { ...plugin, id, folder, home: await realpath(folder), isBundled: false };
}

type Looked = Pick<FoundPlugin, 'manifest' | 'problem' | 'texts'>;

/** A folder without a plugin.json is no plugin; one with a bad one is a plugin that says what is wrong. */
async function lookAt(folder: string, name: string): Promise<Looked | null> {
  try {
    const manifest = await readManifest(folder);
    if (manifest.id !== name) throw new ManifestError([`its id is ${manifest.id}, its folder ${name}`]);
    return { manifest, problem: null, texts: await readTexts(join(folder, manifest.locales)) };
  } catch (error) {
    if (isMissing(error)) return null;
    const problem = error instanceof Error ? error.message : String(error);
    return { manifest: null, problem, texts: new Map() };
  }
}

/** `en.json`, and what larger plugins keep in parts: `en/*.json`. */
export async function readTexts(folder: string): Promise<Texts> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(nothingWhereMissing([]));
  const texts = new Map<string, Record<string, string>>();
  for (const entry of entries.filter(({ name }) => /^[a-z]{2}(\.json)?$/.test(name))) {
    const path = join(folder, entry.name);
    const files = entry.isDirectory() ? await jsonFilesIn(path) : [path];
    const parts = await Promise.all(files.map(readWords));
    const locale = entry.name.slice(0, 2);
    texts.set(locale, Object.assign(texts.get(locale) ?? {}, ...parts) as Record<string, string>);
  }
  return texts;
}

const jsonFilesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.json')).map((name) => join(folder, name));

async function readWords(file: string): Promise<Record<string, string>> {
  const text = await readFile(file, 'utf8');
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch (cause) {
    const name = `${basename(dirname(file))}/${basename(file)}`;
    throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

const nothingWhereMissing =
  <T>(nothing: T) =>
  (error: unknown): T => {
    if (isMissing(error)) return nothing;
    throw error;
  };

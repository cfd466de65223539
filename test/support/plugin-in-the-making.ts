import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newPlugin } from '../../src/cli/author/new-plugin.ts';
import { surface } from '../../src/compose-author.ts';
import { developPlugin, devOwner } from '../../src/compose-dev.ts';
import { folders, version } from '../../src/compose.ts';
import { HttpClient } from './http-client.ts';

const ID = 'lost-found';

export interface PluginInTheMaking {
  /** Somebody who is signed in and looks at what becomes of it. */
  readonly author: HttpClient;
  readonly folder: string;
  /** What `dev` printed. */
  readonly said: readonly string[];
  /** Its own page, as it is now. */
  page(): Promise<string>;
  /** Replaces words in one of its files; resolves, once that has come into effect, with the milliseconds it took. */
  save(file: string, from: string, to: string): Promise<number>;
  /** The same with a whole file, also a new one. */
  put(file: string, text: string): Promise<number>;
  close(): Promise<void>;
}

interface Changes {
  changes?: readonly (readonly [file: string, from: string, to: string])[];
  files?: Readonly<Record<string, string>>;
}

async function replaced(file: string, from: string, to: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} does not say: ${from}`);
  return text.replace(from, () => to);
}

/** A plugin as `plugin new` writes it and `changes` leaves it, served as `plugin dev` does. */
export async function developNewPlugin(
  place: string,
  { changes = [], files = {} }: Changes = {},
): Promise<PluginInTheMaking> {
  await newPlugin({ template: 'full', id: ID, place, templates: folders.templates, version });
  const folder = join(place, ID);
  for (const [file, from, to] of changes)
    await writeFile(join(folder, file), await replaced(join(folder, file), from, to));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  const said: string[] = [];
  const { url, close } = await developPlugin({
    folder,
    port: 0,
    surface,
    say: (line) => void said.push(line),
  });
  const author = new HttpClient(url);
  await author.submit('/login', { email: devOwner.email, password: devOwner.password });
  const generation = async (): Promise<number> =>
    (await author.get('/dev/plugin')).json().generation as number;
  /** In one move, as most editors do: nobody sees a file that is half written. */
  const put = async (file: string, text: string): Promise<number> => {
    const before = await generation();
    const aside = join(folder, `.${basename(file)}.aside`);
    await writeFile(aside, text);
    await rename(aside, join(folder, file));
    const savedAt = performance.now();
    while ((await generation()) === before) await sleep(5);
    return performance.now() - savedAt;
  };
  return {
    author,
    folder,
    said,
    page: async () => (await author.get(`/p/${ID}`)).text,
    put,
    save: async (file, from, to) => put(file, await replaced(join(folder, file), from, to)),
    close,
  };
}

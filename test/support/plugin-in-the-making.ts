import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  close(): Promise<void>;
}

/** A plugin as `plugin new` writes it, served as `plugin dev` does. */
export async function developNewPlugin(place: string): Promise<PluginInTheMaking> {
  await newPlugin({ template: 'full', id: ID, place, templates: folders.templates, version });
  const folder = join(place, ID);
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
  return {
    author,
    folder,
    said,
    page: async () => (await author.get(`/p/${ID}`)).text,
    save: async (file, from, to) => {
      const text = await readFile(join(folder, file), 'utf8');
      if (!text.includes(from)) throw new Error(`${file} does not say: ${from}`);
      const before = await generation();
      await writeFile(join(folder, file), text.replace(from, to));
      const savedAt = performance.now();
      while ((await generation()) === before) await sleep(5);
      return performance.now() - savedAt;
    },
    close,
  };
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HttpClient, type Answer } from '../test/support/http-client.ts';
import { mintKey } from './key.ts';
import type { Ground, Place } from './ground.ts';
import { judge, median } from './report.ts';
import { runProgram } from './run-program.ts';

const ROUNDS = 5;
const SECONDS = 3;

interface Load {
  perSecond: number;
  p99: number;
  failures: number;
}

/** The join page with a live key beside a bare app that sends the same bytes; rounds take turns. */
export async function benchJoinPage(ground: Ground): Promise<boolean> {
  const ratios: [engine: string, ratio: number][] = [];
  for (const place of await ground.places()) ratios.push([place.engine, await ratioOn(ground, place)]);
  return ratios
    .map(([engine, value]) => {
      const what = `join page on ${engine}, requests per second against bare Express + Handlebars`;
      if (engine === 'SQLite') return judge({ what, value, atLeast: 0.5 });
      console.log(`  ${what}: ${value.toFixed(2)}`);
      return true;
    })
    .every(Boolean);
}

async function ratioOn(ground: Ground, place: Place): Promise<number> {
  const server = await ground.start(place);
  const { url } = await mintKey(place, { maxUses: 100 });
  const browser = new HttpClient(server.url);
  const page = await browser.get(new URL(url).pathname);
  if (page.status !== 200) throw new Error(`The join page answered ${String(page.status)}`);
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  await browser.close();
  const bare = await ground.start({
    script: 'bench/bare/join-page.ts',
    args: [await template(ground, page)],
  });

  const [ours, theirs]: [Load[], Load[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    theirs.push(await load(`${bare.url}/join`, cookie));
    ours.push(await load(page.url.replace(new URL(page.url).origin, server.url), cookie));
  }
  await bare.stop();
  await server.stop();
  for (const [name, loads] of [
    ['bare', theirs],
    ['Latchkey', ours],
  ] as const) {
    console.log(
      `${place.engine}, ${name}: ${rate(loads).toFixed(0)} requests/s, p99 ${median(loads.map(({ p99 }) => p99)).toFixed(0)} ms`,
    );
  }
  return rate(ours) / rate(theirs);
}

const rate = (loads: Load[]): number => median(loads.map(({ perSecond }) => perSecond));

async function load(url: string, cookie: string): Promise<Load> {
  const counted = (await runProgram('bench/load.ts', [url, cookie, String(SECONDS)])) as Load;
  if (counted.failures > 0) throw new Error(`${String(counted.failures)} requests for ${url} failed`);
  return counted;
}

/** Our page as it was sent, with its nonce as the one thing that changes. */
async function template(ground: Ground, { text, headers }: Answer): Promise<string> {
  const nonce = /nonce="([^"]+)"/.exec(text)?.[1] ?? '';
  const file = join(await ground.folder('bare'), 'join.hbs');
  const marked = nonce === '' ? text : text.replaceAll(nonce, '{{nonce}}');
  await writeFile(file, marked);
  const kept = Object.entries(headers).filter(([name]) =>
    /^(content-security-policy|referrer-policy|x-|cross-origin|permissions|cache-control)/.test(name),
  );
  await writeFile(`${file}.headers.json`, JSON.stringify(Object.fromEntries(kept)));
  return file;
}

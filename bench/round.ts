import { setTimeout as sleep } from 'node:timers/promises';
import { HttpClient } from '../test/support/http-client.ts';
import { ownersToken } from './key.ts';
import type { Ground, Place } from './ground.ts';
import { median } from './report.ts';

const PEOPLE = 5_000;
const ROUNDS = '/api/v1/invitation-keys/rounds';
const BAR_MS = 50;
const PATIENCE_MS = 10 * 60_000;

/** A list of 5,000 people, a key and a mail for each of them; meanwhile nobody else waits for the event loop. */
export async function benchRound(ground: Ground): Promise<boolean> {
  const held: boolean[] = [];
  for (const place of await ground.places()) held.push(await roundOn(ground, place));
  return held.every(Boolean);
}

async function roundOn(ground: Ground, place: Place): Promise<boolean> {
  const post = await ground.start({ script: 'bench/bare/post-office.ts' });
  const server = await ground.start({
    ...place,
    env: {
      ...place.env,
      LATCHKEY_SMTP_URL: post.url,
      LATCHKEY_MAIL_FROM: 'desk@example.org',
      NODE_OPTIONS: `--import=${new URL('bare/loop-delay.ts', import.meta.url).href}`,
    },
  });
  const api = new HttpClient(server.url);
  api.headers.set('authorization', `Bearer ${await ownersToken(place)}`);
  await sleep(3_000);
  const from = server.logs.length;
  const began = performance.now();
  const seconds = (): string => ((performance.now() - began) / 1000).toFixed(0);
  const people = Array.from(
    { length: PEOPLE },
    (_, at) => `Person ${String(at)} <p${String(at)}@example.org>`,
  );
  const { id } = (await api.call('POST', ROUNDS, { people: people.join('\n') })).json() as { id: string };
  await api.call('POST', `${ROUNDS}/${id}/start`, { kind: 'personal', key: { label: 'All of us' } });
  const answers: number[] = [];
  let written = '';
  for (;;) {
    const asked = performance.now();
    const { state, mails } = (await api.call('GET', `${ROUNDS}/${id}`)).json() as {
      state: string;
      mails: { accepted: number };
    };
    answers.push(performance.now() - asked);
    if (state === 'done') written ||= seconds();
    if (mails.accepted === PEOPLE) break;
    if (performance.now() - began > PATIENCE_MS) throw new Error(`${String(mails.accepted)} mails left only`);
    await sleep(250);
  }
  const stood = figures(server.logs.slice(from), /stood still ([\d.]+)/);
  const computed = figures(server.logs.slice(from), /computed ([\d.]+)/);
  const isHeld = Math.max(...computed) <= BAR_MS;
  console.log(
    `${isHeld ? '✓' : '✗'} ${place.engine}: ${String(PEOPLE)} invitations written in ${written} s, taken by the mail server in ${seconds()} s; ` +
      `in the longest stretch the server computed ${Math.max(...computed).toFixed(0)} ms (bar: ${String(BAR_MS)}); the loop stood still ` +
      `${median(stood).toFixed(0)} ms in the median second and ${Math.max(...stood).toFixed(0)} ms in the worst; a page took ${median(answers).toFixed(0)} ms`,
  );
  await server.stop();
  await post.stop();
  return isHeld;
}

const figures = (lines: readonly string[], pattern: RegExp): number[] =>
  lines.flatMap((line) => {
    const said = pattern.exec(line);
    return said ? [Number(said[1])] : [];
  });

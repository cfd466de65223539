/** A class of newcomers who all join at once, in a process of their own. Prints how it went for them, as JSON. */
import { randomUUID } from 'node:crypto';
import { HttpClient } from '../test/support/http-client.ts';

interface Outcome {
  joined: number;
  /** Machine codes of refusals and how often they came. */
  refused: Record<string, number>;
  /** From the first request to the last account. */
  seconds: number;
}

const [origin = '', key = '', count = '300'] = process.argv.slice(2);
const refused: Record<string, number> = {};
let joined = 0;
const browser = new HttpClient(origin, { connections: Number(count) });
const began = performance.now();
let lastJoinedAt = began;
await Promise.all(Array.from({ length: Number(count) }, (_, at) => join(at)));
const outcome: Outcome = { joined, refused, seconds: (lastJoinedAt - began) / 1000 };
console.log(JSON.stringify(outcome));
await browser.close();

async function join(at: number): Promise<void> {
  const newcomer = {
    key,
    redeemId: randomUUID(),
    email: `newcomer${String(at)}@example.org`,
    name: `Newcomer ${String(at)}`,
    password: `seven quiet otters ${String(at)}`,
  };
  const answer = await browser.call('POST', '/api/v1/join', newcomer);
  if (answer.status === 201) {
    joined += 1;
    lastJoinedAt = performance.now();
    return;
  }
  const code = String(answer.json().code ?? answer.status);
  refused[code] = (refused[code] ?? 0) + 1;
}

/** A class of newcomers who all join at once, in a process of their own. Prints how it went for them, as JSON. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Outcome {
  joined: number;
  /** Machine codes of refusals and how often they came. */
  refused: Record<string, number>;
  /** From the first request to the last account. */
  seconds: number;
}

interface Answer {
  status: number;
  code: string;
}

// They share two cores with the server, so they speak HTTP themselves: a client's comforts would be taken from its time.
const [origin = '', key = '', count = '300', from = '0'] = process.argv.slice(2);
const { hostname, port, host } = new URL(origin);
const refused: Record<string, number> = {};
let joined = 0;
const phones = await Promise.all(Array.from({ length: Number(count) }, dial));
const began = performance.now();
let lastJoinedAt = began;
await Promise.all(phones.map((phone, at) => join(phone, Number(from) + at)));
const outcome: Outcome = { joined, refused, seconds: (lastJoinedAt - began) / 1000 };
console.log(JSON.stringify(outcome));
for (const phone of phones) phone.destroy();

async function dial(): Promise<Socket> {
  const phone = connect({ host: hostname, port: Number(port) });
  await once(phone, 'connect');
  return phone;
}

async function join(phone: Socket, at: number): Promise<void> {
  const { status, code } = await post(phone, {
    key,
    redeemId: randomUUID(),
    email: `newcomer${String(at)}@example.org`,
    name: `Newcomer ${String(at)}`,
    password: `seven quiet otters ${String(at)}`,
  });
  if (status === 201) {
    joined += 1;
    lastJoinedAt = performance.now();
  } else refused[code] = (refused[code] ?? 0) + 1;
}

/** One request on a line of its own; the answer is complete when as much has come as its head announced. */
function post(phone: Socket, newcomer: object): Promise<Answer> {
  const body = JSON.stringify(newcomer);
  phone.write(
    `POST /api/v1/join HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`,
  );
  return new Promise((resolve, reject) => {
    let heard = '';
    phone.setEncoding('utf8').on('data', (part: string) => {
      heard += part;
      const answer = answerIn(heard);
      if (answer) resolve(answer);
    });
    phone.once('close', () => {
      reject(new Error(`The server hung up after "${heard.slice(0, 200)}"`));
    });
  });
}

function answerIn(heard: string): Answer | null {
  const end = heard.indexOf('\r\n\r\n');
  const length = Number(/^content-length: (\d+)/im.exec(heard)?.[1] ?? 'NaN');
  const body = heard.slice(end + 4);
  if (end < 0 || Number.isNaN(length) || Buffer.byteLength(body) < length) return null;
  const status = Number(heard.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
  const { code } = JSON.parse(body) as { code?: string };
  return { status, code: code ?? String(status) };
}

import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns';
import { once } from 'node:events';
import type { LookUp } from '../../src/outbound/address-guard.ts';
import { afterwards } from './cleanup.ts';

/** What it says of a name: an IPv4 address, `no-such-name`, `fault`, or nothing at all: `silence`. */
type Said = string;

/** A name service of our own, and the look-up that asks it. */
export async function namesThat(answer: (name: string) => Said): Promise<LookUp> {
  const server = createSocket('udp4');
  server.on('message', (question, { port }) => {
    const said = answer(nameIn(question));
    if (said !== 'silence') server.send(answerTo(question, said), port, '127.0.0.1');
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const resolver = new Resolver({ timeout: 300, tries: 1 });
  resolver.setServers([`127.0.0.1:${String(server.address().port)}`]);
  afterwards(() => {
    resolver.cancel();
    server.close();
  });
  return (name, _options, done) => {
    resolver.resolve4(name, (error, addresses) => {
      if (error) done(error, []);
      else
        done(
          null,
          addresses.map((address) => ({ address, family: 4 })),
        );
    });
  };
}

function nameIn(question: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; (question[at] ?? 0) !== 0; at += (question[at] ?? 0) + 1)
    labels.push(question.toString('ascii', at + 1, at + 1 + (question[at] ?? 0)));
  return labels.join('.');
}

/** The question again, its header turned into an answer, and the address behind it. */
function answerTo(question: Buffer, said: Said): Buffer {
  const code = { 'no-such-name': 3, fault: 2 }[said] ?? 0;
  const end = question.indexOf(0, 12) + 5;
  const asked = Buffer.from(question.subarray(0, end));
  asked.writeUInt16BE(0x8180 | code, 2);
  asked.writeUInt16BE(code === 0 ? 1 : 0, 6);
  asked.writeUInt32BE(0, 8);
  if (code !== 0) return asked;
  const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...said.split('.').map(Number)]);
  return Buffer.concat([asked, record]);
}

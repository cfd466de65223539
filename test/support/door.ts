import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterwards } from './cleanup.ts';

/** A door before a house: open, shut, or one through which what is said goes in and no answer comes out. */
export interface Door {
  readonly origin: string;
  set(state: 'open' | 'shut' | 'one-way'): Promise<void>;
}

export async function startDoor(origin: string): Promise<Door> {
  const port = Number(new URL(origin).port);
  const sockets = new Set<Socket>();
  let state = 'open';
  const server = createServer((outside) => {
    sockets.add(outside);
    outside.on('error', () => outside.destroy());
    const inside = connect(port, '127.0.0.1');
    sockets.add(inside);
    inside.on('error', () => outside.destroy());
    outside.pipe(inside);
    inside.on('data', (answer) => {
      if (state === 'one-way') outside.destroy();
      else outside.write(answer);
    });
    inside.on('close', () => outside.end());
    outside.on('close', () => inside.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const letNobodyStay = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  afterwards(() => {
    letNobodyStay();
    server.close();
  });
  const outsidePort = (server.address() as AddressInfo).port;
  return {
    origin: `http://127.0.0.1:${String(outsidePort)}`,
    async set(wanted) {
      state = wanted;
      letNobodyStay();
      if (wanted === 'shut') server.close();
      else if (!server.listening) await once(server.listen(outsidePort, '127.0.0.1'), 'listening');
    },
  };
}

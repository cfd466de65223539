/** An SMTP server that takes every mail and keeps none. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onData: (stream, _session, done) => {
    stream.on('end', done).resume();
  },
});
server.listen(0, '127.0.0.1');
await once(server.server, 'listening');
const { port } = server.server.address() as AddressInfo;
console.log(`The post office is ready at smtp://127.0.0.1:${String(port)}`);
process.on('SIGTERM', () => process.exit(0));

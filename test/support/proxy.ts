import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTls } from 'node:https';
import type { Duplex } from 'node:stream';
import { afterwards } from './cleanup.ts';
import type { Certificate } from './certificates.ts';

interface ProxyOptions {
  /** Names that only the proxy knows, and the port of this machine that stands behind them. */
  names?: Record<string, number>;
  /** `user:password`. */
  login?: string;
  /** Answers this to whoever wants through. */
  refuses?: number;
  /** Reads along: shows this certificate instead of the hub's. */
  intercepts?: Certificate;
}

export interface TestProxy {
  url: string;
  /** What it was asked for, in the order of asking: `host:port`, or the whole address of a plain call. */
  asked: string[];
}

/** A proxy such as offices have, for one test. */
export async function startProxy({
  names = {},
  login,
  refuses,
  intercepts,
}: ProxyOptions): Promise<TestProxy> {
  const asked: string[] = [];
  const sockets = new Set<Duplex>();
  const inner = intercepts && (await intercepting(intercepts));
  const statusFor = (authorization: string | undefined): number => {
    if (login !== undefined && authorization !== `Basic ${Buffer.from(login).toString('base64')}`) return 407;
    return refuses ?? 200;
  };
  const portOf = (host: string, port: string): number | undefined =>
    names[host] ?? (host === '127.0.0.1' ? Number(port) : undefined);
  const asks = { 'Proxy-Authenticate': 'Basic realm="corp"' };

  const server = createServer((req, res) => {
    asked.push(req.url ?? '');
    const status = statusFor(req.headers['proxy-authorization']);
    const url = new URL(req.url ?? '', 'http://nowhere');
    const port = portOf(url.hostname, url.port || '80');
    if (status !== 200) res.writeHead(status, status === 407 ? asks : {}).end();
    else if (port === undefined) res.writeHead(502).end();
    else
      request({ port, host: '127.0.0.1', path: url.pathname, method: req.method, headers: req.headers })
        .on('response', (answer) => {
          res.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(res);
        })
        .end();
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.on('connect', (req, socket: Socket, head) => {
    asked.push(req.url ?? '');
    const status = statusFor(req.headers['proxy-authorization']);
    const [host = '', port = ''] = (req.url ?? '').split(':');
    const to = inner ?? portOf(host, port);
    const login = status === 407 ? 'Proxy-Authenticate: Basic realm="corp"\r\n' : '';
    if (status !== 200 || to === undefined) {
      socket.end(`HTTP/1.1 ${String(status === 200 ? 502 : status)} No\r\n${login}\r\n`);
      return;
    }
    const onwards = connect(to, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onwards.write(head);
      onwards.pipe(socket).pipe(onwards);
    });
    sockets.add(onwards);
    onwards.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterwards(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, asked };
}

/** What stands in the middle and answers in the hub's stead. */
async function intercepting(certificate: Certificate): Promise<number> {
  const server = createTls(certificate, (_req, res) => res.end('{"status":"ok"}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterwards(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Express that sends one answer which it has in its hands: what a request for these bytes could cost at the least. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';

const [file = ''] = process.argv.slice(2);
const answer = JSON.parse(readFileSync(file, 'utf8')) as {
  path: string;
  headers: Record<string, string>;
  text: string;
};

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.get(answer.path, (_req, res) => {
  res.set(answer.headers);
  res.send(answer.text);
});
const server = createServer(app).listen(0, '127.0.0.1', () => {
  console.log(`Bare app is ready at http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
});

/** Express and Handlebars with the same page as ours, no database, no session: what the page could cost at the least. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import express from 'express';
import Handlebars from 'handlebars';

const [file = ''] = process.argv.slice(2);
const render = Handlebars.compile(readFileSync(file, 'utf8'));
const headers = JSON.parse(readFileSync(`${file}.headers.json`, 'utf8')) as Record<string, string>;

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.get('/join', (_req, res) => {
  res.set(headers);
  res.send(render({ nonce: randomBytes(16).toString('base64') }));
});
const server = createServer(app).listen(0, '127.0.0.1', () => {
  console.log(`Bare app is ready at http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
});

/** The least that an Express app with templates needs to answer. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import Handlebars from 'handlebars';

const app = express();
const render = Handlebars.compile('<!doctype html><title>{{title}}</title>');
app.get('/', (_req, res) => void res.send(render({ title: 'Bare' })));
const server = createServer(app).listen(0, '127.0.0.1', () => {
  console.log(`Bare app is ready at http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
});

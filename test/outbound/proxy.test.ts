import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { ForbiddenAddressError } from '../../src/outbound/address-guard.ts';
import { Outbound } from '../../src/outbound/outbound.ts';
import { ProxyRule } from '../../src/outbound/proxy.ts';
import { Authority } from '../support/certificates.ts';
import { afterwards } from '../support/cleanup.ts';
import { freePort } from '../support/ports.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

async function port(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterwards(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const plainHub = (): Promise<number> => port(createServer((_req, res) => res.end('the hub')));
const through = (url: string, { allowed = 'all', bypass = '' } = {}): Outbound => {
  const proxy = new ProxyRule({ url, from: 'LATCHKEY_PROXY', bypass });
  const outbound = new Outbound({ allowed, connectMs: 1_000, proxy });
  afterwards(() => outbound.close());
  return outbound;
};
const get = (outbound: Outbound, url: string) => outbound.send({ url, method: 'GET', timeoutMs: 5_000 });
const codeOf = (proxy: TestProxy, url = 'https://hub.test/') =>
  get(through(proxy.url), url).then(
    ({ status }) => status,
    (error: unknown) => (error as { code: string }).code,
  );

describe('a way out through a proxy', () => {
  test('leads to a hub whose name only the proxy knows, with its own certificate, to the end', async () => {
    const server = createTls(new Authority('Test authority').trusted().sign('hub.test'), (_req, res) =>
      res.end('the hub'),
    );
    const proxy = await startProxy({ names: { 'hub.test': await port(server) }, login: 'jo:s%c' });

    const answer = await get(through(proxy.url.replace('//', '//jo:s%25c@')), 'https://hub.test/x');

    expect(answer.text).toBe('the hub');
    expect(proxy.asked).toEqual(['hub.test:443']);
  });

  test('leads to a hub without TLS as well', async () => {
    const proxy = await startProxy({ names: { 'hub.test': await plainHub() } });

    expect((await get(through(proxy.url), 'http://hub.test/')).text).toBe('the hub');
    expect(proxy.asked).toEqual(['http://hub.test/']);
    const closed = await startProxy({ login: 'jo:secret' });
    expect(await codeOf(closed, 'http://hub.test/')).toBe('PROXY_LOGIN');
  });

  test.each([
    [407, 'PROXY_LOGIN'],
    [403, 'PROXY_FORBIDS'],
    [502, 'PROXY_FAULT'],
    [504, 'PROXY_FAULT'],
  ])('that ends with %i says so', async (refuses, code) => {
    expect(await codeOf(await startProxy({ refuses }))).toBe(code);
  });

  test('that is not there says so, whether its name or its port is wrong', async () => {
    const gone = { url: `http://127.0.0.1:${String(await freePort())}`, asked: [] };

    expect(await codeOf(gone)).toBe('PROXY_UNREACHABLE');
    expect(await codeOf({ url: 'http://proxy.invalid:3128', asked: [] })).toBe('PROXY_UNREACHABLE');
  });

  test('still does not lead inside: an address is judged here, and the proxy is asked for no other', async () => {
    const proxy = await startProxy({ names: { 'inside.localhost.test': await plainHub() } });
    const guarded = through(proxy.url, { allowed: 'none' });

    await expect(get(guarded, 'http://10.1.2.3/')).rejects.toThrow(ForbiddenAddressError);
    await expect(get(guarded, 'http://169.254.169.254/')).rejects.toThrow(ForbiddenAddressError);
    await expect(get(guarded, 'http://inside.localhost.test/')).rejects.toThrow();
    expect(proxy.asked).toEqual([]);
  });

  test('gets the judged address of a name, never the name, while not everything is allowed', async () => {
    const proxy = await startProxy({ refuses: 403 });
    const guarded = through(proxy.url, { allowed: '127.0.0.0/8, ::1' });
    const rule = new ProxyRule({ url: proxy.url, from: '', bypass: '' });

    expect(rule.for(new URL('http://localhost/')).why).toBe('this-machine');
    await get(guarded, `https://${(await import('node:os')).hostname()}/`).catch(() => undefined);
    expect(proxy.asked.every((asked) => /^[\d.]+:443$|^\[/.test(asked))).toBe(true);
  });
});

describe('the rule of the proxy', () => {
  const rule = new ProxyRule({
    url: 'http://proxy.test:3128',
    from: 'HTTPS_PROXY',
    bypass: '.example.org, 10.0.0.0/8 host.test:8443,192.0.2.7',
  });

  test.each([
    ['https://hub.test/', 'set'],
    ['https://example.org/', 'bypassed'],
    ['https://a.example.org/', 'bypassed'],
    ['https://notexample.org/', 'set'],
    ['https://10.9.8.7/', 'bypassed'],
    ['https://11.9.8.7/', 'set'],
    ['https://192.0.2.7/', 'bypassed'],
    ['https://host.test/', 'set'],
    ['https://host.test:8443/', 'bypassed'],
    ['http://localhost:3000/', 'this-machine'],
    ['http://127.0.0.1:3000/', 'this-machine'],
    ['http://[::1]:3000/', 'this-machine'],
  ])('for %s is: %s', (url, why) => {
    expect(rule.for(new URL(url)).why).toBe(why);
  });

  test('excepts everything for a star, and leads nowhere when nothing is set', () => {
    const star = new ProxyRule({ url: 'http://proxy.test', from: '', bypass: '*' });

    expect(star.for(new URL('https://hub.test/')).why).toBe('bypassed');
    expect(new ProxyRule(null).for(new URL('https://hub.test/')).why).toBe('none');
  });
});

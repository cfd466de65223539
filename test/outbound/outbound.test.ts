import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { AddressGuard, ForbiddenAddressError } from '../../src/outbound/address-guard.ts';
import { Outbound, UnsendableError } from '../../src/outbound/outbound.ts';
import { afterwards } from '../support/cleanup.ts';

async function serverThat(answers: RequestListener): Promise<string> {
  const server = createServer(answers);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterwards(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

const outboundThat = (allowed: string): Outbound => {
  const outbound = new Outbound({ allowed });
  afterwards(() => outbound.close());
  return outbound;
};

describe('the way out', () => {
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '::1',
    'fe80::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    '::ffff:169.254.169.254',
    '64:ff9b::7f00:1',
    '224.0.0.1',
  ])('does not lead to %s', (address) => {
    expect(new AddressGuard('none').permits(address)).toBe(false);
  });

  test('leads to public addresses, and to private ones that the operator allowed', () => {
    const guard = new AddressGuard('10.0.0.0/8, 127.0.0.1');

    expect(
      ['93.184.216.34', '2606:2800:220:1::1', '10.9.9.9', '127.0.0.1'].map((one) => guard.permits(one)),
    ).toEqual([true, true, true, true]);
    expect([guard.permits('127.0.0.2'), guard.permits('192.168.0.1')]).toEqual([false, false]);
  });

  test('is not fooled by a name that stands for this machine', async () => {
    const origin = await serverThat((_req, res) => res.end('inside'));
    const url = origin.replace('127.0.0.1', 'localhost');

    await expect(outboundThat('none').send({ url, method: 'GET' })).rejects.toThrow(ForbiddenAddressError);
    expect((await outboundThat('127.0.0.1, ::1').send({ url, method: 'GET' })).text).toBe('inside');
  });

  test.each(['http://127.0.0.1/', 'http://[::1]/', 'http://0x7f000001/', 'http://2130706433/'])(
    'refuses the literal address %s',
    (url) => {
      expect(() => outboundThat('none').assertCallable(url)).toThrow(ForbiddenAddressError);
    },
  );

  test.each(['ftp://example.org/', 'file:///etc/passwd', 'https://jo:secret@example.org/', 'nonsense'])(
    'does not take %s for an address',
    (url) => {
      expect(() => outboundThat('none').assertCallable(url)).toThrow(UnsendableError);
    },
  );

  test('follows no redirect', async () => {
    const origin = await serverThat((_req, res) => {
      res.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    });

    const answer = await outboundThat('all').send({ url: origin, method: 'GET' });

    expect(answer.status).toBe(302);
  });

  test('has a deadline over all of it', async () => {
    const origin = await serverThat((_req, res) => {
      res.writeHead(200);
      res.write('slow');
    });

    await expect(outboundThat('all').send({ url: origin, method: 'GET', timeoutMs: 150 })).rejects.toThrow();
  });

  test('reads no more than it was told', async () => {
    const origin = await serverThat((_req, res) => res.end('x'.repeat(500_000)));

    const { text, isCut } = await outboundThat('all').send({ url: origin, method: 'GET', maxBytes: 1000 });

    expect([text.length, isCut]).toEqual([1000, true]);
  });
});

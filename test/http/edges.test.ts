import { describe, expect, test } from 'vitest';
import {
  judgedOnce,
  limitKeyOf,
  networkOf,
  plainAddress,
  trustedProxies,
} from '../../src/http/client-address.ts';
import { cookieHeader, readCookies } from '../../src/http/cookies.ts';
import { safePath } from '../../src/http/exchange.ts';
import { flashCookie, readFlash } from '../../src/http/flash.ts';
import { cleanName } from '../../src/http/uploads.ts';

describe('where a sign-in leads on to', () => {
  test.each(['/tickets', '/tickets?q=a#b', '/'])('may be %s', (path) => {
    expect(safePath(path)).toBe(path);
  });

  test.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    'tickets',
    'javascript:alert(1)',
    '',
    undefined,
    ['/tickets'],
    '/\tevil',
  ])('is never outside: %j', (path) => {
    expect(new URL(safePath(path, '/'), 'http://same.invalid').origin).toBe('http://same.invalid');
  });
});

describe('an address', () => {
  test('that is IPv4 in IPv6 clothes counts as IPv4', () => {
    expect(plainAddress('::ffff:192.0.2.7')).toBe('192.0.2.7');
  });

  test('is kept as its network only', () => {
    expect(networkOf('192.0.2.77')).toBe('192.0.2.0/24');
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1::/48');
  });

  test('of IPv6 is limited as its household', () => {
    expect(limitKeyOf('2001:db8:1:2:3:4:5:6')).toBe(limitKeyOf('2001:db8:1:2:ffff::1'));
    expect(limitKeyOf('192.0.2.77')).toBe('192.0.2.77');
  });

  test('is believed from nobody unless the administrator says so', () => {
    expect(trustedProxies('none')).toBe(false);
    expect(trustedProxies('loopback, 10.0.0.1')).toEqual(['loopback', '10.0.0.1']);
  });

  test('is judged anew when it is another one', () => {
    const trusts = judgedOnce((address) => address === '127.0.0.1');

    expect(['127.0.0.1', '127.0.0.1', '192.0.2.7', '127.0.0.1'].map(trusts)).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });
});

describe('cookies', () => {
  const plain = { prefix: 'latchkey_ab12', secure: false };

  test('of a second Latchkey on the same host are not read', () => {
    const read = readCookies('latchkey_ab12=mine; latchkey_ffff=other; latchkey_ab12_lang=fr; x=y', plain);

    expect(Object.fromEntries(read)).toEqual({ session: 'mine', lang: 'fr' });
  });

  test('are bound to the host and encrypted transport where there is one', () => {
    const header = cookieHeader({ name: 'session', value: 'v', maxAge: 60 }, { ...plain, secure: true });

    expect(header).toBe('__Host-latchkey_ab12=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure');
  });

  test('that are broken break nothing', () => {
    expect(readCookies('latchkey_ab12=%E0%A4%A; =;;', plain).get('session')).toBe('');
  });
});

describe('what is said once', () => {
  test('comes back from the browser as it was', () => {
    const { value } = flashCookie({ kind: 'success', code: 'tickets:flash.sent', params: { number: 7 } });

    expect(readFlash(value ?? '')).toEqual({
      kind: 'success',
      code: 'tickets:flash.sent',
      params: { number: 7 },
    });
  });

  test('is nothing when somebody has written it themselves in another shape', () => {
    const forged = Buffer.from('{"kind":"evil","code":1,"undo":{"action":"https://evil.example"}}').toString(
      'base64url',
    );

    expect(readFlash(forged)).toBeNull();
    expect(readFlash('%%%')).toBeNull();
  });
});

describe('the name of a file', () => {
  test.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\jo\\screen.png', 'screen.png'],
    ['screen\u200B.p\u200Bng', 'screen.png'],
    ['.htaccess', 'htaccess'],
    ['a\u0000b\r\n.txt', 'ab.txt'],
    ['\uFF45\uFF58\uFF45.txt', 'exe.txt'],
    [undefined, ''],
  ])('%j is kept as %j', (typed, kept) => {
    expect(cleanName(typed)).toBe(kept);
  });
});

import { createSecretKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { assertCsrfToken, assertSameSource, csrfToken, type RequestSource } from '../../src/http/csrf.ts';

const OURS = 'https://desk.example.org';
const source = (facts: Partial<RequestSource>): RequestSource => ({
  method: 'POST',
  fetchSite: undefined,
  origin: undefined,
  referer: undefined,
  ...facts,
});

describe('a write', () => {
  test.each<[string, Partial<RequestSource>, boolean]>([
    ['from our own page', { fetchSite: 'same-origin' }, true],
    ['typed by the person', { fetchSite: 'none' }, true],
    ['from another site', { fetchSite: 'cross-site' }, false],
    ['from a neighbour under the same domain', { fetchSite: 'same-site' }, false],
    ['from another site that also sends our Origin', { fetchSite: 'cross-site', origin: OURS }, false],
    ['on a plain-http intranet, where only Origin is sent', { origin: OURS }, true],
    ['with a foreign Origin', { origin: 'https://evil.example' }, false],
    ['with Origin null, as a sandboxed frame sends', { origin: 'null' }, false],
    ['with our Origin as the beginning of another', { origin: `${OURS}.evil.example` }, false],
    ['with only a Referer of ours', { referer: `${OURS}/tickets` }, true],
    ['with only a foreign Referer', { referer: `https://evil.example/?${OURS}` }, false],
    ['that says nothing of where it comes from', {}, false],
  ])('%s', (_what, facts, passes) => {
    const attempt = (): void => {
      assertSameSource(source(facts), [OURS]);
    };

    if (passes) expect(attempt).not.toThrow();
    else expect(attempt).toThrow('csrf.foreign');
  });

  test('is asked for, reading is not', () => {
    expect(() => {
      assertSameSource(source({ method: 'GET', fetchSite: 'cross-site' }), [OURS]);
    }).not.toThrow();
  });
});

describe('the token of a form', () => {
  const key = createSecretKey(Buffer.alloc(32, 7));

  test('fits the browser that it was made for and no other', () => {
    const token = csrfToken(key, 'session-of-marie');

    expect(() => {
      assertCsrfToken(key, 'session-of-marie', token);
    }).not.toThrow();
    for (const held of ['session-of-jo', '', undefined]) {
      expect(() => {
        assertCsrfToken(key, held, token);
      }).toThrow('csrf.token');
    }
  });

  test.each([undefined, '', ' ', [csrfToken(key, 'session-of-marie')], 0, {}])('is not %j', (sent) => {
    expect(() => {
      assertCsrfToken(key, 'session-of-marie', sent);
    }).toThrow('csrf.token');
  });
});

import { describe, expect, test } from 'vitest';
import { normaliseEmail } from '../../src/identity/index.ts';

describe('an e-mail address', () => {
  test.each([
    [' Jo@Acme.TEST ', 'jo@acme.test'],
    ['jo+printer@acme.test', 'jo+printer@acme.test'],
    ['j.o@acme.test', 'j.o@acme.test'],
    ['jo@bücher.example', 'jo@xn--bcher-kva.example'],
    ['é@acme.test', 'é@acme.test'],
    ['jo@localhost', 'jo@localhost'],
  ])('written %j is known as %j', (typed, norm) => {
    expect(normaliseEmail(typed)).toBe(norm);
  });

  test.each([
    '',
    ' ',
    'jo',
    '@acme.test',
    'jo@',
    'jo@@acme.test',
    'jo@acme..test',
    '.jo@acme.test',
    'jo@-acme.test',
    'j o@acme.test',
    'jo@acme.test,eve@evil.test',
    'jo\u200b@acme.test',
    `${'j'.repeat(65)}@acme.test`,
  ])('is refused when it is %j', (typed) => {
    expect(normaliseEmail(typed)).toBeNull();
  });
});

import { describe, expect, test } from 'vitest';
import { passwordProblem } from '../../src/identity/index.ts';

const jo = { email: 'jo.martin@acme.test', name: 'Jo Martin' };

describe('a password', () => {
  test.each([
    'seven quiet otters',
    'correct horse battery staple',
    'Kd93-xk2p-QQ71',
    'dragon monkey football sunshine river',
    'un chien dort sous la pluie',
    'пароль из четырёх слов',
    ' spaces at both ends count ',
  ])('such as %j will do', (password) => {
    expect(passwordProblem(password, jo)).toBeNull();
  });

  test('of fewer than twelve characters is too short, and an emoji is one character', () => {
    expect(passwordProblem('kd93-xk2p-Q')).toBe('password.short');
    expect(passwordProblem('🦦🦡🦨🦫🦔🐿️')).toBe('password.short');
  });

  test('of more than 1,024 bytes is too long to hash', () => {
    expect(passwordProblem('abcdefghijkl 🦦'.repeat(80))).toBe('password.long');
  });

  test.each([
    'password12345',
    'P@ssw0rd12345',
    'PasswordPassword',
    'motdepasse2026!',
    'aaaaaaaaaaaaaaaa',
    '123456789012',
    '987654321098',
    'qwertyuiop123',
    'azertyuiop123',
    'latchkey-2026',
    'helpdesk helpdesk',
    'JoMartin2026!',
    'acme-jo-martin',
    'Football2026!!',
  ])('such as %j is what a guesser tries first', (password) => {
    expect(passwordProblem(password, jo)).toBe('password.guessable');
  });

  test.each([
    'playstation3',
    'Transformers!',
    'PHILADELPHIA2026',
    '1qa2ws3ed4rf',
    'supernatural',
    'qazwsxedcrfv',
  ])('such as %j lies in published breaches', (password) => {
    expect(passwordProblem(password, jo)).toMatch(/^password\.(breached|guessable)$/);
  });
});

import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { describe, expect, test } from 'vitest';
import { mint } from '../../src/crypto/mint.ts';
import {
  check,
  group,
  mask,
  normalise,
  redact,
  tokenKinds,
  type TokenPrefix,
} from '../../src/crypto/tokens.ts';

const invitation = 'lkinv_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN';
const network = 'lknet_WR0ZKX7BHVCNRDJ23KYQFM817EBC758W';
const prefixes = Object.keys(tokenKinds) as TokenPrefix[];

describe('a key', () => {
  test('from the specification is right', () => {
    expect(check(invitation, 'lkinv_')).toEqual({ ok: true, normal: invitation });
    expect(check(network, 'lknet_')).toEqual({ ok: true, normal: network });
  });

  test.each([
    'WR0Z-KX7B-HVCN-RDJ2-3KYQ-FM81-7EGY-TPJN',
    'wr0z kx7b hvcn rdj2 3kyq fm81 7egy tpjn',
    'LKINV_WROZ.KX7B.HVCN.RDJ2.3KYQ.FM8l.7EGY.TPJN',
    ' lkinv_wr0zkx7bhvcnrdj23kyqfm8i7egytpjn\n',
    'ｗｒ０ｚ–kx7b–hvcn–rdj2–3kyq–fm81–7egy–tpjn',
    'WR0Z\u00adKX7B\u200bHVCNRDJ23KYQFM817EGYTPJN',
  ])('is understood as somebody typed it: %s', (typed) => {
    expect(check(typed, 'lkinv_')).toEqual({ ok: true, normal: invitation });
  });

  test('of every kind can be made, is right, and is right as no other kind', () => {
    for (const prefix of prefixes) {
      const token = mint(prefix);
      expect(token).toMatch(new RegExp(`^${prefix}[0-9A-HJKMNP-TV-Z]{32}$`));
      expect(check(token, prefix)).toEqual({ ok: true, normal: token });
      for (const other of prefixes.filter((one) => one !== prefix)) {
        expect(check(token, other)).toEqual({ ok: false, reason: 'prefix' });
        expect(check(normalise(token), other)).toMatchObject({ ok: false, reason: 'checksum' });
      }
    }
  });

  test('with one wrong symbol is refused, and the place is found, wherever it is', () => {
    for (let at = 0; at < 32; at += 1) {
      const token = mint('lkinv_');
      const place = 'lkinv_'.length + at;
      const wrong = token.slice(0, place) + (token[place] === '7' ? '8' : '7') + token.slice(place + 1);

      const suspect = { at, group: Math.floor(at / 4) + 1 };
      expect(check(wrong, 'lkinv_')).toEqual({ ok: false, reason: 'checksum', suspect });
    }
  });

  test('with up to four wrong symbols, or two swapped, is always refused', () => {
    for (let time = 0; time < 2_000; time += 1) {
      expect(check(spoilt(mint('lkinv_'), 1 + (time % 4)), 'lkinv_').ok).toBe(false);
      expect(check(swapped(mint('lkinv_'), time % 31), 'lkinv_').ok).toBe(false);
    }
  });

  test('that is cut, too long, or has a symbol that we do not use, says which of these it is', () => {
    expect(check(invitation.slice(0, -1), 'lkinv_')).toEqual({ ok: false, reason: 'length' });
    expect(check(`${invitation}7`, 'lkinv_')).toEqual({ ok: false, reason: 'length' });
    expect(check('', 'lkinv_')).toEqual({ ok: false, reason: 'length' });
    expect(check('7'.repeat(10_000_000), 'lkinv_')).toEqual({ ok: false, reason: 'length' });
    expect(check(invitation.replace('HVCN', 'HVUN'), 'lkinv_')).toEqual({
      ok: false,
      reason: 'symbol',
      suspect: { at: 10, group: 3 },
    });
    expect(check(network, 'lkinv_')).toEqual({ ok: false, reason: 'prefix' });
  });

  test('is shown in groups, or with little of it', () => {
    expect(group(invitation)).toBe('WR0Z-KX7B-HVCN-RDJ2-3KYQ-FM81-7EGY-TPJN');
    expect(mask(invitation)).toBe('lkinv_WR0Z…');
  });

  test('never stays in a log line, of whatever kind and however written', () => {
    for (const prefix of prefixes) {
      const token = mint(prefix);
      const symbols = normalise(token);
      for (const written of [
        token,
        token.toLowerCase(),
        `/join/${token}?x=1`,
        encodeURIComponent(token),
        group(token),
      ]) {
        const line = redact(`before ${written} after`);
        expect(line.toUpperCase()).not.toContain(symbols.slice(0, 8));
        expect(line.toUpperCase()).not.toContain(symbols.slice(-8));
        expect(line).not.toContain(group(token).slice(0, 9));
        expect(line).toMatch(/^before .* after$/);
      }
    }
  });

  test('is checked by the same file in a browser', async () => {
    const source = await readFile(new URL('../../src/crypto/tokens.ts', import.meta.url), 'utf8');
    expect(source).not.toMatch(/^import/m);

    const script = stripTypeScriptTypes(source);
    const browser = (await import(`data:text/javascript,${encodeURIComponent(script)}`)) as {
      check: typeof check;
    };

    expect(browser.check(invitation, 'lkinv_')).toEqual({ ok: true, normal: invitation });
  });
});

const random = (below: number): number => Math.floor(Math.random() * below);

function spoilt(token: string, times: number): string {
  const symbols = token.split('');
  const places = new Set<number>();
  while (places.size < times) places.add('lkinv_'.length + random(32));
  for (const place of places) symbols[place] = symbols[place] === 'X' ? 'Y' : 'X';
  return symbols.join('');
}

/** Two neighbours, or, where those are alike, one of them spoilt. */
function swapped(token: string, at: number): string {
  const place = 'lkinv_'.length + at;
  const [one = '', other = ''] = token.slice(place, place + 2);
  return one === other ? spoilt(token, 1) : token.slice(0, place) + other + one + token.slice(place + 2);
}

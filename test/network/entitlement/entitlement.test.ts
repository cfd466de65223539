import { describe, expect, test } from 'vitest';
import { signedEntitlement, type Entitlement } from '../../../plugins/network-hub/src/trust/entitlement.ts';
import { newSigner } from '../../../plugins/network-hub/src/trust/signer.ts';
import { randomFrom } from '../../../src/cli/seed/random.ts';
import { covers, entitledNow } from '../../../src/network/entitlement/entitled.ts';
import { readEntitlement } from '../../../src/network/entitlement/entitlement-document.ts';
import { days, hours } from '../../support/clock.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const signer = newSigner();
const stranger = newSigner();
const good: Entitlement = {
  iss: 'a'.repeat(64),
  instance: 'i'.repeat(40),
  key: 'b'.repeat(64),
  nonce: 'made-up-just-now',
  seq: 7,
  hub_time: NOW,
  not_before: NOW,
  doc_until: NOW + days(30),
  licence_until: NOW + days(365),
  state: 'running',
  offer: 'network-standard',
  includes: ['network-basic'],
  owner: 'Example Hospital',
  features: [],
  trials: { tag: NOW + days(14) },
};
const expected = {
  signers: [signer.publicKey],
  hub: good.iss,
  instance: good.instance,
  key: good.key,
  nonce: good.nonce,
  seq: 7,
};
const problemOf = (text: string): string => {
  const read = readEntitlement(text, expected);
  return 'problem' in read ? read.problem : 'none';
};
const signedBy = (change: object, by = signer): string => signedEntitlement({ ...good, ...change }, by);
const whole = signedBy({});
const [, payload = '', signature = '', kid = ''] = whole.split('.');
const payloadOf = (change: object): string =>
  Buffer.from(JSON.stringify({ ...good, ...change })).toString('base64url');

const forged: [kind: string, text: string, problem: string][] = [
  [
    'a higher offer under the old signature',
    `lke1.${payloadOf({ offer: 'network-advanced' })}.${signature}.${kid}`,
    'signature',
  ],
  [
    'a longer life under the old signature',
    `lke1.${payloadOf({ doc_until: NOW + days(9999) })}.${signature}.${kid}`,
    'signature',
  ],
  ['signed by a stranger', signedBy({}, stranger), 'signer'],
  [
    'signed by a stranger in the name of the signer',
    signedBy({}, stranger).replace(/[0-9a-f]{16}$/, kid),
    'signature',
  ],
  ['without a signature', `lke1.${payload}..${kid}`, 'form'],
  ['with an empty payload', `lke1..${signature}.${kid}`, 'form'],
  ['of another hub', signedBy({ iss: 'c'.repeat(64) }), 'hub'],
  ['of another installation', signedBy({ instance: 'j'.repeat(40) }), 'instance'],
  ['of another key', signedBy({ key: 'd'.repeat(64) }), 'key'],
  ['an old answer', signedBy({ nonce: 'made-up-before' }), 'answer'],
  ['a lower number', signedBy({ seq: 6 }), 'older'],
  ['a number that is none', signedBy({ seq: 'NaN' }), 'form'],
  ['times that are texts', signedBy({ doc_until: '2099-01-01' }), 'form'],
  ['more fields than there are', signedBy({ admin: true }), 'form'],
  ['a list instead', `lke1.${Buffer.from('[]').toString('base64url')}.${signature}.${kid}`, 'signature'],
  ['another version of the format', whole.replace('lke1', 'lke2'), 'form'],
  ['a JSON web token without an algorithm', `eyJhbGciOiJub25lIn0.${payload}.`, 'form'],
  ['padded', whole.replace(`.${signature}`, `=.${signature}`), 'form'],
  ['two in one', `${whole}${whole}`, 'form'],
  ['too long', signedBy({ features: Array.from({ length: 90 }, () => 'x'.repeat(190)) }), 'form'],
];

describe('an entitlement', () => {
  test('that the hub has signed is read', () => {
    expect(readEntitlement(whole, expected)).toEqual({ entitlement: good });
  });

  test.each(forged)('is not believed: %s', (_kind, text, problem) => {
    expect(problemOf(text)).toBe(problem);
  });

  test('is not believed with any one bit changed', () => {
    for (let at = 0; at < whole.length; at += 1) {
      for (const bit of [1, 2, 4, 8, 16, 32]) {
        const changed =
          whole.slice(0, at) + String.fromCharCode(whole.charCodeAt(at) ^ bit) + whole.slice(at + 1);
        expect(problemOf(changed), `${String(at)}/${String(bit)}`).not.toBe('none');
      }
    }
  });

  test('is not believed with a handful of bytes changed, left out or put in', () => {
    const random = randomFrom(7);
    for (let round = 0; round < 2_000; round += 1) {
      const at = random.whole(0, whole.length - 1);
      const put = String.fromCharCode(
        ...Array.from({ length: random.whole(0, 3) }, () => random.whole(32, 126)),
      );
      const changed = whole.slice(0, at) + put + whole.slice(at + random.whole(0, 3));
      if (changed !== whole) expect(problemOf(changed), changed).not.toBe('none');
    }
  });

  test('gives nothing more and takes nothing that runs, however the clock jumps', () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
    let mark = NOW;
    for (let jump = 0; jump < 2_000; jump += 1) {
      const clock = NOW + Math.round((random() - 0.5) * 2 * days(3650));
      mark = Math.max(mark, clock);
      const is = entitledNow(good, { now: mark, clock, revokedSince: null });
      if (mark >= good.doc_until) expect(is.mayInstall).toBe(false);
      expect(covers(is, { id: 'other', required: ['network-advanced'] })).toBe(false);
      expect(covers(is, { id: 'any', required: [] })).toBe(true);
    }
  });

  test('follows the table of gates', () => {
    const at = (now: number, change: Partial<Entitlement> = {}, revokedSince: number | null = null) =>
      entitledNow({ ...good, ...change }, { now, clock: now, revokedSince });

    expect(at(NOW)).toMatchObject({ state: 'entitled', mayInstall: true, trials: { tag: NOW + days(14) } });
    expect(at(NOW + days(15)).trials).toEqual({});
    expect(at(NOW + days(31))).toMatchObject({ state: 'stale', mayInstall: false });
    expect(at(NOW, { state: 'ended' })).toMatchObject({ state: 'ended', mayInstall: false });
    expect(at(NOW + days(10), { licence_until: NOW + days(5) })).toMatchObject({ state: 'ended' });
    expect(at(NOW - days(2))).toMatchObject({ state: 'not-yet' });
    expect(at(NOW - hours(3))).toMatchObject({ state: 'entitled' });
    const revoked = (hubTime: number) => at(NOW + days(3), { state: 'revoked', hub_time: hubTime }, NOW);
    expect(revoked(NOW)).toMatchObject({ state: 'ended' });
    expect(revoked(NOW + hours(23))).toMatchObject({ state: 'ended' });
    expect(revoked(NOW + hours(24))).toMatchObject({ state: 'revoked' });
    expect(at(NOW + days(40), { doc_until: NOW + days(9_999) })).toMatchObject({ state: 'stale' });
  });
});

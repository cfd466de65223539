import { mintToken } from '../../../src/plugin-api.ts';
import { describe, expect, test } from 'vitest';
import { isUnder, maskAddress, normaliseAddress, parseDomainRule } from '../src/keys/address.ts';
import { needsApproval, seatsLeft, standingOf } from '../src/keys/invitation-key.ts';
import { readCustomKey, readKeyText } from '../src/keys/key-text.ts';
import { assertSound, completeTerms, type KeyDraft } from '../src/keys/key-terms.ts';
import { Lanes } from '../src/join/lanes.ts';
import { qrCodeOf } from '../src/keys/qr.ts';
import { risksOf } from '../src/desk/risk-lint.ts';

const VECTOR = 'lkinv_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN';
const now = Date.parse('2026-03-02T09:00:00Z');
const place = { now, mailIsOn: true, profileId: 'P', entityId: 'E' };
const plain = { now, weak: false, isStaff: false };
const problemsOf = (draft: KeyDraft, circumstances: Partial<typeof plain> = {}): string[] => {
  try {
    assertSound(completeTerms(draft, place), { ...plain, ...circumstances });
    return [];
  } catch (error) {
    return (error as { fields: { code: string }[] }).fields.map(({ code }) =>
      code.replace('invitation.', ''),
    );
  }
};

describe('the text of a key', () => {
  test.each([
    VECTOR,
    VECTOR.toLowerCase(),
    'WR0Z-KX7B-HVCN-RDJ2-3KYQ-FM81-7EGY-TPJN',
    'WROZ KX7B HVCN RDJ2 3KYQ FM8l 7EGY TPJN',
    `https://desk.example.org/join/${VECTOR}?utm=mail`,
    `  https://desk.example.org/join/${VECTOR}/ `,
  ])('is understood as people write it: %s', (typed) => {
    expect(readKeyText(typed)).toEqual({ kind: 'key', normal: VECTOR });
  });

  test('with one wrong symbol says which group to look at', () => {
    const wrong = VECTOR.replace('3KYQ', '3KYR');

    expect(readKeyText(wrong)).toMatchObject({
      kind: 'malformed',
      reason: 'checksum',
      suspect: { group: 5 },
    });
  });

  test('cut anywhere is malformed, and never a key', () => {
    for (let length = 7; length < VECTOR.length; length += 1) {
      expect(readKeyText(VECTOR.slice(0, length)).kind).toBe('malformed');
    }
  });

  test('of another kind is malformed', () => {
    expect(readKeyText(mintToken('lkpat_'))).toMatchObject({ kind: 'malformed', reason: 'prefix' });
    expect(readKeyText(mintToken('lkmail_')).kind).toBe('mailed');
  });

  test('may be chosen by a person: 6 to 24 letters and digits', () => {
    expect(readKeyText('Welcome-2027')).toMatchObject({ kind: 'custom' });
    expect(readCustomKey('welcome 2027')).toBe(readCustomKey('WELCOME-2027'));
    expect(readCustomKey('SUNNY-MUSEUM')).not.toBeNull();
    expect([
      readCustomKey('short'),
      readCustomKey('A'.repeat(65)),
      readCustomKey('no/slash'),
      readCustomKey(''),
    ]).toEqual([null, null, null, null]);
  });
});

describe('a key', () => {
  const key = {
    revokedAt: null,
    maxUses: 10,
    uses: 0,
    expiresAt: now + 1000,
    pausedAt: null,
    notBefore: null,
  };

  test('works until the millisecond before its end', () => {
    expect([999, 1000, 1001].map((after) => standingOf(key, now + after))).toEqual([
      'active',
      'expired',
      'expired',
    ]);
  });

  test('opens at the very millisecond of its beginning', () => {
    const later = { ...key, notBefore: now + 500 };

    expect([499, 500].map((after) => standingOf(later, now + after))).toEqual(['scheduled', 'active']);
  });

  test('says the first thing that is true of it', () => {
    const everything = {
      ...key,
      revokedAt: now,
      uses: 10,
      expiresAt: now,
      pausedAt: now,
      notBefore: now + 1,
    };

    expect(standingOf(everything, now)).toBe('revoked');
    expect(standingOf({ ...everything, revokedAt: null }, now)).toBe('used-up');
    expect(standingOf({ ...everything, revokedAt: null, uses: 0 }, now)).toBe('expired');
    expect(standingOf({ ...everything, revokedAt: null, uses: 0, expiresAt: null }, now)).toBe('paused');
  });

  test('without limit has no number of places', () => {
    expect(seatsLeft({ maxUses: null, uses: 500 })).toBeNull();
    expect(standingOf({ ...key, maxUses: null, uses: 500 }, now)).toBe('active');
  });

  test('that approves by domain lets the listed in and others wait', () => {
    const byDomain = { approval: 'domain' as const, emailDomains: ['acme.test'] };

    expect([needsApproval(byDomain, true), needsApproval(byDomain, false)]).toEqual([false, true]);
  });
});

describe('minting', () => {
  test('with nothing said gives ten people two weeks, self-service, with confirmed addresses', () => {
    expect(completeTerms({}, place)).toMatchObject({
      maxUses: 10,
      expiresAt: now + 14 * 86_400_000,
      approval: 'auto',
      emailProof: 'required',
    });
  });

  test('for one person gives one place and a week', () => {
    expect(completeTerms({ email: 'Jo@Acme.Test' }, place)).toMatchObject({
      maxUses: 1,
      expiresAt: now + 7 * 86_400_000,
      emailNorm: 'jo@acme.test',
    });
  });

  test('without mail asks for no proof, unless an address matters', () => {
    const offline = { ...place, mailIsOn: false };

    expect(completeTerms({}, offline).emailProof).toBe('none');
    expect(completeTerms({ emailDomains: ['acme.test'] }, offline).emailProof).toBe('required');
  });

  test.each<[string, KeyDraft, string[]]>([
    ['0 people', { maxUses: 0 }, ['zero_uses']],
    ['half a person', { maxUses: 1.5 }, ['uses_out_of_range']],
    ['fewer than none', { maxUses: -5 }, ['uses_out_of_range']],
    ['more than a database counts', { maxUses: 2 ** 31 }, ['uses_out_of_range']],
    ['an end in the past', { expiresAt: now }, ['ends_in_past']],
    ['an end before the beginning', { notBefore: now + 2000, expiresAt: now + 1000 }, ['starts_after_end']],
    ['an address and domains', { email: 'a@acme.test', emailDomains: ['acme.test'] }, ['email_or_domains']],
    ['an address and many people', { email: 'a@acme.test', maxUses: 2 }, ['person_one_use']],
    ['a domain without proof', { emailDomains: ['acme.test'], emailProof: 'none' }, ['rule_needs_proof']],
    ['approval by domain without one', { approval: 'domain' }, ['domains_missing']],
    ['a public suffix', { emailDomains: ['co.uk'] }, ['not_a_domain']],
    ['a landing place elsewhere', { landing: '//evil.test' }, ['landing_elsewhere']],
    ['a landing place in disguise', { landing: '/\\evil.test' }, ['landing_elsewhere']],
    ['a label too long', { label: 'x'.repeat(121) }, ['too_long']],
  ])('refuses %s', (_what, draft, codes) => {
    expect(problemsOf(draft)).toEqual(codes);
  });

  test('refuses many administrators by one link', () => {
    const bound = { email: 'ada@acme.test', expiresAt: now + 2 * 86_400_000 };

    expect(problemsOf({ maxUses: 2 }, { isStaff: true })).toEqual([
      'staff_one_use',
      'staff_needs_email',
      'staff_short_life',
    ]);
    expect(problemsOf({ ...bound, maxUses: 1 }, { isStaff: true })).toEqual([]);
  });

  test('of a text that can be guessed needs a limit, proof and an approval', () => {
    const careless = { customKey: 'WELCOME', maxUses: null, approval: 'auto', emailProof: 'none' } as const;

    expect(problemsOf(careless, { weak: true })).toEqual([
      'weak_needs_cap',
      'weak_needs_approval',
      'weak_needs_proof',
    ]);
    expect(problemsOf({ customKey: 'WELCOME' }, { weak: true })).toEqual([]);
  });

  test('warns of what is allowed and unwise', () => {
    const terms = completeTerms({ maxUses: null, expiresAt: null, emailDomains: ['gmail.com'] }, place);

    expect(risksOf(terms, { now, isStaff: true, weak: false }).map(({ code }) => code)).toEqual([
      'unlimited-eternal',
      'staff',
      'public-provider',
    ]);
  });
});

describe('addresses', () => {
  test('are compared as one person has them', () => {
    expect(normaliseAddress(' Jo.Martin+desk@MÜNCHEN.test ')).toBe('jo.martin+desk@xn--mnchen-3ya.test');
    expect(['jo', '@acme.test', 'jo@', 'jo@acme', 'a b@acme.test'].map(normaliseAddress)).toEqual([
      null,
      null,
      null,
      null,
      null,
    ]);
  });

  test('belong to a whole domain, never to the end of a name', () => {
    expect(isUnder('jo@acme.test', ['acme.test'])).toBe(true);
    expect(isUnder('jo@notacme.test', ['acme.test'])).toBe(false);
    expect(isUnder('jo@paris.acme.test', ['acme.test'])).toBe(false);
    expect(isUnder('jo@paris.acme.test', ['*.acme.test'])).toBe(true);
    expect(isUnder('jo@evilacme.test', ['*.acme.test'])).toBe(false);
  });

  test('of domains are written in many ways', () => {
    expect(['acme.test', '@Acme.test', ' *.acme.test ', 'com', 'not a domain'].map(parseDomainRule)).toEqual([
      'acme.test',
      'acme.test',
      '*.acme.test',
      null,
      null,
    ]);
  });

  test('are shown to strangers in part', () => {
    expect(maskAddress('josephine@acme.test')).toBe('jo…@acme.test');
  });
});

describe('a line', () => {
  test('lets as many work at once as it is wide, and the rest in the order they came', async () => {
    const lanes = new Lanes();
    const order: number[] = [];
    let atOnce = 0;
    let most = 0;
    const work = (name: number) => async (): Promise<void> => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => void setTimeout(resolve, 2));
      order.push(name);
      atOnce -= 1;
    };

    await Promise.all([1, 2, 3, 4, 5, 6].map((name) => lanes.run('key', 2, work(name))));

    expect(order).toEqual([1, 2, 3, 4, 5, 6]);
    expect(most).toBe(2);
    expect(lanes.lengthOf('key')).toBe(0);
  });

  test('goes on after somebody failed', async () => {
    const lanes = new Lanes();
    const failing = lanes.run('key', 1, () => Promise.reject(new Error('no')));
    const next = lanes.run('key', 1, () => Promise.resolve('yes'));

    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('yes');
  });
});

test('a QR code is one path inside its quiet zone', () => {
  const { size, path } = qrCodeOf(`https://desk.example.org/join/${VECTOR}`);

  expect(size).toBeLessThanOrEqual(45);
  expect(path).toMatch(/^M4 4h7v1h-7z/);
});

import { describe, expect, test } from 'vitest';
import {
  DARK_MS,
  mayBrowse,
  mayTry,
  refusalOf,
  securityReason,
  type Standing,
} from '../../src/marketplace/gates.ts';
import { entitledNow } from '../../src/network/entitlement/entitled.ts';
import type { Entitlement } from '../../src/network/entitlement/entitlement-document.ts';
import type { HouseRules } from '../../src/network/index.ts';
import type { KeyLight } from '../../src/network/registration.ts';

const now = 1_800_000_000_000;
const free = { id: 'tag', requiredOffers: [] };
const premium = { id: 'parcel', requiredOffers: ['network-standard', 'network-advanced'] };
const live = { version: '1.0.0', withdrawn: null, reason: null };

const standing = (light: KeyLight, offer = 'network-standard', silentMs = 0): Standing => ({
  now,
  isStranger: false,
  paper: null,
  rules: null,
  hub: { url: 'https://hub.example', isGiven: false, light: 'reachable', neighbour: null },
  key: { light, mark: null, isGiven: false, savedAt: now, problem: null },
  check: {
    nextAt: now,
    checkedAt: now,
    failures: silentMs > 0 ? 3 : 0,
    failingSince: silentMs > 0 ? now - silentMs : null,
    problem: silentMs > 0 ? 'N03' : null,
    answer: {
      isValid: true,
      message: null,
      owner: null,
      subscription: { title: '', offer, isRunning: true, begins: null, ends: null, features: [] },
    },
    answeredAt: now - silentMs,
  },
});

describe('the gates of the marketplace', () => {
  test.each<[string, Standing, boolean, string | null, string | null]>([
    ['without a key', standing('none'), false, 'no-key', 'no-key'],
    ['with a key that does not open', standing('unreadable'), false, 'no-key', 'no-key'],
    ['with a key of another hub', standing('other-hub'), false, 'no-key', 'no-key'],
    ['before the hub has said anything', standing('unconfirmed'), false, 'unconfirmed', 'unconfirmed'],
    ['with a key the hub refuses', standing('refused'), false, 'refused', 'refused'],
    ['with an offer that covers it', standing('valid'), true, null, null],
    ['with an offer above it', standing('valid', 'network-advanced'), true, null, null],
    ['with an offer too low', standing('valid', 'network-basic'), true, null, 'offer-too-low'],
    ['with a free registration', standing('valid', 'virtual'), true, null, 'offer-too-low'],
    ['when the subscription has ended', standing('ended'), true, null, 'ended'],
    ['with the hub gone for a week', standing('valid', 'network-standard', 7 * 86_400_000), true, null, null],
    [
      'with the hub gone for more than a month',
      standing('valid', 'network-standard', DARK_MS + 1),
      true,
      null,
      'dark',
    ],
  ])('%s', (_, where, browse, forFree, forPremium) => {
    expect(mayBrowse(where)).toBe(browse);
    expect(refusalOf(where, free, live)).toBe(forFree);
    expect(refusalOf(where, premium, live)).toBe(forPremium);
  });

  test('keep out what was withdrawn, whoever pays', () => {
    expect(refusalOf(standing('valid'), free, { ...live, withdrawn: 'security' })).toBe('security');
    expect(refusalOf(standing('valid'), premium, { ...live, withdrawn: 'no-installs' })).toBe('withdrawn');
  });
});

const DAY = 86_400_000;
const rules: HouseRules = { publishers: {}, entitlements: [], withdrawn: [] };
const document: Entitlement = {
  iss: 'a'.repeat(64),
  instance: 'i'.repeat(40),
  key: 'b'.repeat(64),
  nonce: '',
  seq: 1,
  hub_time: now,
  not_before: now - DAY,
  doc_until: now + 30 * DAY,
  licence_until: null,
  state: 'running',
  offer: 'network-standard',
  includes: ['network-basic'],
  owner: '',
  features: [],
  trials: {},
};

/** A desk whose hub signs, so many days after it was last heard of. */
const onPaper = (
  change: Partial<Entitlement> | null,
  {
    later = 0,
    light = 'valid',
    revokedSince = null,
  }: { later?: number; light?: KeyLight; revokedSince?: number | null } = {},
): Standing => {
  const at = now + later * DAY;
  const paper = entitledNow(change && { ...document, ...change }, { now: at, clock: at, revokedSince });
  return { ...standing(light, 'whatever it says', later * DAY), now: at, rules, paper };
};
const low = { offer: 'network-basic', includes: [] };

describe('the gates on paper that the hub has signed', () => {
  test.each<[string, Standing, boolean, string | null, string | null]>([
    ['no key', onPaper(null, { light: 'none' }), false, 'no-key', 'no-key'],
    ['a key, and no paper yet', onPaper(null), true, null, 'no-paper'],
    ['valid, running, the offer covers it', onPaper({}), true, null, null],
    [
      'a higher offer that includes it',
      onPaper({ offer: 'top', includes: ['network-standard'] }),
      true,
      null,
      null,
    ],
    ['valid, the offer is too low', onPaper(low), true, null, 'offer-too-low'],
    ['on trial', onPaper({ ...low, trials: { parcel: now + DAY } }), true, null, null],
    ['trial over', onPaper({ ...low, trials: { parcel: now - DAY } }), true, null, 'trial-over'],
    ['subscription ended', onPaper({ state: 'ended' }), true, null, 'ended'],
    [
      'its end has come while nobody asked',
      onPaper({ licence_until: now + DAY }, { later: 2 }),
      true,
      null,
      'ended',
    ],
    ['hub dark for 29 days', onPaper({}, { later: 29 }), true, null, null],
    ['hub dark for 30 days', onPaper({}, { later: 30 }), true, null, 'dark'],
    ['hub dark for a year', onPaper({}, { later: 365 }), true, null, 'dark'],
    [
      'a paper that says it lives for ever',
      onPaper({ doc_until: now + 9999 * DAY }, { later: 36 }),
      true,
      null,
      'dark',
    ],
    [
      'revoked, said once',
      onPaper({ state: 'revoked' }, { revokedSince: now, later: 9 }),
      true,
      null,
      'ended',
    ],
    [
      'revoked, said again a day later',
      onPaper({ state: 'revoked' }, { revokedSince: now - DAY }),
      false,
      'revoked',
      'revoked',
    ],
    ['a clock two days behind', onPaper({ not_before: now + 2 * DAY }), true, null, 'not-yet'],
    ['an answer that only says no', onPaper({}, { light: 'refused' }), true, null, null],
    ['an answer that only says yes', onPaper(low, { light: 'valid' }), true, null, 'offer-too-low'],
  ])('%s', (_, where, browse, forFree, forPremium) => {
    expect(mayBrowse(where)).toBe(browse);
    expect(refusalOf(where, free, live)).toBe(forFree);
    expect(refusalOf(where, premium, live)).toBe(forPremium);
  });

  test('offer a trial once, and only where the vendor does', () => {
    const may = (where: Standing, trialDays: number) =>
      mayTry(where, { trialDays }, refusalOf(where, premium, live));

    expect(may(onPaper(low), 14)).toBe(true);
    expect(may(onPaper(low), 0)).toBe(false);
    expect(may(onPaper({ ...low, trials: { parcel: now - DAY } }), 14)).toBe(false);
    expect(may(onPaper({}), 14)).toBe(false);
    expect(may(onPaper(null), 14)).toBe(false);
  });

  test('keep out what two keepers have withdrawn, whatever the catalogue says, and name the reason', () => {
    const withdrawn = [{ plugin: 'parcel', versions: ['1.0.0'], reason: 'A hole.' }];
    const where = { ...onPaper({}), rules: { ...rules, withdrawn } };

    expect(refusalOf(where, premium, live)).toBe('security');
    expect(securityReason(where, premium, live)).toBe('A hole.');
    expect(refusalOf(where, premium, { ...live, version: '1.0.1' })).toBeNull();
  });

  test('let nothing come from a hub whose fingerprint nobody has compared, but what lies here already', () => {
    const where = { ...standing('valid'), isStranger: true };

    expect(refusalOf(where, free, live)).toBe('hub-unconfirmed');
    expect(refusalOf(where, free, live, { isBundled: true })).toBeNull();
  });
});

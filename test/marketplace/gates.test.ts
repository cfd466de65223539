import { describe, expect, test } from 'vitest';
import { DARK_MS, mayBrowse, refusalOf, type Standing } from '../../src/marketplace/gates.ts';
import type { KeyLight } from '../../src/network/registration.ts';

const now = 1_800_000_000_000;
const free = { requiredOffers: [] };
const premium = { requiredOffers: ['network-standard', 'network-advanced'] };
const live = { withdrawn: null };

const standing = (light: KeyLight, offer = 'network-standard', silentMs = 0): Standing => ({
  now,
  hub: { url: 'https://hub.example', isGiven: false, light: 'reachable' },
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
    expect(refusalOf(standing('valid'), free, { withdrawn: 'security' })).toBe('security');
    expect(refusalOf(standing('valid'), premium, { withdrawn: 'no-installs' })).toBe('withdrawn');
  });
});

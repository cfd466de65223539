import { describe, expect, test } from 'vitest';
import {
  browserIsInstalled,
  desktop,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
  screenshot,
} from '../../../test/support/browser.ts';
import { OWNER } from '../../../test/support/house.ts';
import { withProvider, openHouse } from './desk.ts';

const look = async (page: Awaited<ReturnType<typeof phone>>, name: string): Promise<void> => {
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
  await screenshot(page, `providers-${name}`);
};

describe.runIf(browserIsInstalled())('in a browser', () => {
  test('somebody joins with a provider on a phone without scripts, and comes back with it', async () => {
    const app = await openHouse('sqlite');
    const provider = await withProvider(app);
    const { key } = await app.given.invitationKey({ emailProof: 'required', emailDomains: ['acme.test'] });
    const page = await phone(app.origin, { javaScript: false });
    provider.subject = { ...provider.subject, email: 'jo@elsewhere.test' };

    await page.goto(`/join/${key}`);
    await screenshot(page, 'providers-join');
    await page.click('text=Continue with Acme');
    expect(await page.textContent('main')).toContain('This invitation is for @acme.test addresses');
    await screenshot(page, 'providers-join-other');
    provider.subject = { ...provider.subject, email: 'jo@acme.test' };
    await page.click('text=Try again with Acme');
    expect(await page.inputValue('#field-name')).toBe('Jo Martin');
    await screenshot(page, 'providers-join-arrived');
    await page.click('form[action="/join"] > button[type=submit]');
    await page.waitForURL('**/tickets/new*');
    await page.context().clearCookies();
    await page.goto('/login');
    await page.click('text=Continue with Acme');

    await page.waitForURL((url) => url.pathname === '/');
    expect(await page.textContent('body')).toContain('Jo Martin');
  });

  test('an owner sets a provider up, links it, and closes the house to passwords', async () => {
    const app = await openHouse('sqlite');
    const provider = await withProvider(app, { trustedDomains: 'acme.test' });
    const page = await desktop(app.origin);
    await page.goto('/login');
    await look(page, 'sign-in');
    await page.fill('#field-email', OWNER.email);
    await page.fill('#field-password', OWNER.password);
    await page.click('form[action="/login"] button[type=submit]');
    await page.goto('/admin/openid-connect');
    await look(page, 'list');
    await page.click('a.row-link');
    await look(page, 'form');
    await page.goto('/account/security');
    await page.click('text=Link Acme');
    await look(page, 'link');
    await page.click('form[action="/account/identities"] button[type=submit]');
    await look(page, 'security');
    await page.goto('/admin/users/1');
    await look(page, 'person');
    await page.goto('/admin/settings#identity');
    await page.uncheck('[name="identity.local-sign-in"]');
    await page.click('form[action="/admin/settings/identity"] button[type=submit]');
    await page.waitForLoadState();
    await page.goto('/admin/settings');
    await look(page, 'settings');

    const french = await phone(app.origin, { theme: 'dark', locale: 'fr-FR' });
    await french.goto('/login');
    await look(french, 'sign-in-only-fr-dark');
    provider.subject = { ...provider.subject, sub: 'mo-1', email: 'mo@elsewhere.test' };
    await french.click('text=Continuer avec Acme');
    await look(french, 'unknown-fr-dark');
    provider.refusal = 'access_denied';
    await french.goto('/login/with/openid-connect.acme');
    await look(french, 'problem-fr-dark');
    const { key } = await app.given.invitationKey();
    await french.goto(`/join/${key}`);
    await look(french, 'join-only-fr-dark');
  });
});

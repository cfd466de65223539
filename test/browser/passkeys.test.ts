import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import {
  browserIsInstalled,
  desktop,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
  screenshot,
} from '../support/browser.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { OWNER } from '../support/house.ts';
import { startTestApp } from '../support/test-app.ts';
import { withDevice } from '../support/virtual-device.ts';

async function signInByPassword(page: Page): Promise<void> {
  await page.goto('/login');
  await page.fill('#field-email', OWNER.email);
  await page.fill('#field-password', OWNER.password);
  await page.click('form[action="/login"] button[type=submit]');
}

/** In a tab beside it: looking with axe takes the device away from the tab that it looks at. */
async function look(page: Page, path: string, picture: string): Promise<void> {
  const beside = await page.context().newPage();
  await beside.goto(path);
  await expectAccessible(beside);
  await screenshot(beside, picture);
  await beside.close();
}

describe.runIf(browserIsInstalled())('in a browser', () => {
  describeOnEachEngine('a passkey', (engine) => {
    test('is added, named, signs in, confirms who one is, and is removed', async () => {
      const app = await startTestApp({ engine, host: 'localhost' });
      const page = await desktop(app.origin);
      const device = await withDevice(page);
      await signInByPassword(page);

      await page.goto('/account/passkeys/new');
      await look(page, '/account/passkeys/new', 'passkey-new');
      await page.fill('#field-name', 'Laptop');
      await page.click('form[action="/account/passkeys"] button[type=submit]');
      await page.waitForURL('**/account/security');
      expect(await page.textContent('#passkeys')).toContain('Laptop');
      expect(await device.count()).toBe(1);
      await look(page, '/account/security', 'passkeys');

      await page.context().clearCookies();
      await page.goto('/login');
      await look(page, '/login', 'sign-in-passkey');
      await page.click('form[action="/login/passkey"] button[type=submit]');
      await page.waitForURL((url) => url.pathname === '/');

      await page.goto('/account/security');
      await page.click('#passkeys details.confirm summary');
      await page.click('#passkeys .confirm__panel button');
      await page.waitForSelector('#passkeys .passkey', { state: 'detached' });
    });
  });

  test('the page of a device that refuses says so, and the password stays a way in', async () => {
    const app = await startTestApp({ host: 'localhost' });
    const page = await phone(app.origin, { theme: 'dark' });
    const device = await withDevice(page);
    await device.refuse();
    await page.goto('/login');

    await page.click('form[action="/login/passkey"] button[type=submit]');
    await page.waitForSelector('[data-problem]:not([hidden])');

    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
    await screenshot(page, 'sign-in-passkey-refused-phone-dark');
    await signInByPassword(page);
    expect(new URL(page.url()).pathname).toBe('/');
  });

  test('the sign-in page without scripts, and under a bare address, offers none', async () => {
    const app = await startTestApp({ host: 'localhost' });
    const bare = await startTestApp();
    const still = await phone(app.origin, { javaScript: false });
    const page = await phone(bare.origin);

    await still.goto('/login');
    await page.goto('/login');

    expect(await still.isVisible('form[action="/login/passkey"]')).toBe(false);
    expect(await page.locator('form[action="/login/passkey"]').count()).toBe(0);
  });
});

import { describe, expect, test } from 'vitest';
import {
  browserIsInstalled,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
  screenshot,
} from '../../../test/support/browser.ts';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { startTestApp } from '../../../test/support/test-app.ts';
import { withDevice } from '../../../test/support/virtual-device.ts';
import { PASSWORD } from './desk.ts';

describe.runIf(browserIsInstalled())('in a browser', () => {
  describeOnEachEngine('a newcomer', (engine) => {
    test('joins with a passkey and comes back with it', async () => {
      const app = await startTestApp({ engine, host: 'localhost' });
      const { key } = await app.given.invitationKey();
      const page = await phone(app.origin);
      await withDevice(page);
      await page.goto(`/join/${key}`);
      await page.fill('#field-email', 'jo@acme.test');
      await page.fill('#field-name', 'Jo Martin');
      await screenshot(page, 'join-passkey-offered');

      await page.click('[data-create]');
      await page.waitForSelector('[data-ready]:not([hidden])');
      await expectNoSidewaysScroll(page);
      await screenshot(page, 'join-passkey-ready');
      await page.click('form[action="/join"] > button[type=submit]');
      await page.waitForURL('**/tickets/new*');
      await page.context().clearCookies();
      await page.goto('/login');
      await page.click('form[action="/login/passkey"] button[type=submit]');

      await page.waitForURL((url) => url.pathname === '/');
      expect(await page.textContent('body')).toContain('Jo Martin');
    });
  });

  test('a device that makes none leaves the password; nothing that was typed is lost', async () => {
    const app = await startTestApp({ host: 'localhost' });
    const { key } = await app.given.invitationKey();
    const page = await phone(app.origin, { theme: 'dark', locale: 'fr-FR' });
    const device = await withDevice(page);
    await device.refuse();
    await page.goto(`/join/${key}`);
    await page.fill('#field-email', 'jo@acme.test');
    await page.fill('#field-name', 'Jo Martin');

    await page.click('[data-create]');
    await page.waitForSelector('[data-problem]:not([hidden])');
    await expectAccessible(page);
    await screenshot(page, 'join-passkey-refused-fr-dark');
    await page.fill('#field-password', PASSWORD);
    await page.click('form[action="/join"] > button[type=submit]');

    await page.waitForURL('**/tickets/new*');
  });
});

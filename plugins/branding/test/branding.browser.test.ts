import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestHost } from 'latchkey/plugin-test';
import { describe, inject, test } from 'vitest';
import {
  browserIsInstalled,
  desktop,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
  screenshot,
} from '../../../test/support/browser.ts';
import { OWNER } from '../../../test/support/house.ts';

describe.runIf(browserIsInstalled())('branding, in a browser', () => {
  for (const theme of ['light', 'dark'] as const) {
    test(`is chosen, and seen on every page, ${theme}`, async () => {
      const { origin, given } = await createTestHost({ plugin: new URL('..', import.meta.url) });
      const { url } = await given.invitationKey();

      for (const open of [desktop, phone]) {
        const page = await open(origin, { theme });
        const look = async (name: string): Promise<void> => {
          await expectAccessible(page);
          await expectNoSidewaysScroll(page);
          await screenshot(page, `branding-${name}-${theme}-${open.name}`);
        };
        await page.goto('/login');
        await page.fill('#field-email', OWNER.email);
        await page.fill('#field-password', OWNER.password);
        await page.click('main button[type=submit]');
        await page.goto('/p/branding');
        const logo = join(inject('folder'), `logo-${theme}.png`);
        await writeFile(logo, await page.locator('.brand').first().screenshot());
        await page.setInputFiles('#field-logo', logo);
        await page.check('input[value=own]');
        await page.fill('#field-light', '#ffd500');
        await page.fill('#field-dark', '#f0a6d8');
        await page.click('main form .btn-primary');
        await look('refused');
        await page.setInputFiles('#field-logo', logo);
        await page.fill('#field-light', '#7a1f5c');
        await page.click('main form .btn-primary');
        await look('kept');
        await page.context().clearCookies();
        await page.goto('/login');
        await look('sign-in');
        await page.goto(new URL(url).pathname);
        await look('join');
      }
    });
  }
});

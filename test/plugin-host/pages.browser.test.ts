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
import { OWNER } from '../support/house.ts';
import { startTestApp } from '../support/test-app.ts';
import { setupWith, temporaryFolder, writePlugin } from './start-host.ts';

describe.runIf(browserIsInstalled())('the pages for plugins and settings', () => {
  test('let an administrator see what runs, and switch it, with a mouse and on a phone', async () => {
    const { origin } = await houseWithPlugins();
    const page = await desktop(origin);
    await signIn(page);

    await page.goto('/admin/plugins');
    await expectAccessible(page);
    await screenshot(page, 'plugins');
    await page.getByRole('button', { name: 'Enable Weather' }).click();
    expect(await page.getByText('Weather is enabled but does not run.').isVisible()).toBe(true);
    expect(await page.getByText('The barometer is broken').first().isVisible()).toBe(true);
    await expectAccessible(page);
    await screenshot(page, 'plugin-failed');

    await page.goto('/admin/plugins/registration-key');
    await expectAccessible(page);
    await screenshot(page, 'plugin-details');
    await page.goto('/admin/settings');
    await expectAccessible(page);
    await screenshot(page, 'settings');
  });

  test('fit a phone in the dark', async () => {
    const { origin } = await houseWithPlugins();
    const page = await phone(origin, { theme: 'dark' });
    await signIn(page);

    for (const path of ['/admin/plugins', '/admin/plugins/registration-key', '/admin/settings']) {
      await page.goto(path);
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
      await screenshot(page, `phone${path.replaceAll('/', '-')}`);
    }
  });
});

describe.runIf(browserIsInstalled())('while no plugin runs because the server kept crashing', () => {
  test('every page of an administrator says so, on a phone in the dark, too', async () => {
    const { origin } = await startTestApp({ config: { SAFE_MODE: 'crashes' } });
    const page = await phone(origin, { theme: 'dark' });
    await signIn(page);

    for (const path of ['/admin/plugins', '/admin/hooks/costs']) {
      await page.goto(path);
      expect(await page.getByText('Safe mode.').isVisible()).toBe(true);
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
      await screenshot(page, `phone-safe-mode${path.replaceAll('/', '-')}`);
    }
  });
});

async function signIn(page: Page): Promise<void> {
  await page.goto('/login');
  await page.locator('[name=email]').fill(OWNER.email);
  await page.locator('[name=password]').fill(OWNER.password);
  await page.locator('main button[type=submit]').click();
  await page.waitForURL((url) => url.pathname !== '/login');
}

async function houseWithPlugins(): ReturnType<typeof startTestApp> {
  const pluginDir = await temporaryFolder();
  await writePlugin(pluginDir, 'weather', {
    manifest: {
      name: 'Weather',
      description: 'Says on every page how the weather is.',
      permissions: { mail: true },
    },
    files: { 'index.ts': setupWith(`throw new Error('The barometer is broken');`) },
  });
  return startTestApp({ pluginDir });
}

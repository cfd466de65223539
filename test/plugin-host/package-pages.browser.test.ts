import { describe, expect, test } from 'vitest';
import { newKeyPair } from '../../src/network/index.ts';
import { system } from '../../src/shared/actor.ts';
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
import { packageOf, sayingVersion } from './packages.ts';

const LONG = { timeout: 150_000 };
const manifest = {
  name: 'Parcels',
  description: 'Sends things from here to there.',
  permissions: { mail: true, net: ['post.example.org'] },
};
const places = [
  '/admin/plugins',
  '/admin/plugin-packages/new',
  '/admin/plugin-packages/parcel/2.0.0',
  '/admin/plugins/parcel',
  '/admin/plugins/parcel/uninstall',
  '/admin/plugin-publishers',
];

describe.runIf(browserIsInstalled())('the pages for packages', () => {
  test('can be read and used with a mouse in the light and on a phone in the dark', LONG, async () => {
    const { origin, house } = await startTestApp();
    const packed = (version: string): Promise<Buffer> =>
      packageOf('parcel', version, { manifest, files: sayingVersion(version) });
    await house.publishers.add(system, { name: 'Parcel & Sons', publicKey: newKeyPair().publicKey });
    for (const version of ['0.9.0', '1.0.0']) {
      await house.installer.stage(system, await packed(version));
      await house.installer.use(system, 'parcel', version);
    }

    for (const page of [await desktop(origin), await phone(origin, { theme: 'dark' })]) {
      await page.goto('/login');
      await page.locator('[name=email]').fill(OWNER.email);
      await page.locator('[name=password]').fill(OWNER.password);
      await page.locator('main button[type=submit]').click();
      await page.waitForURL((url) => url.pathname !== '/login');
      await page.goto('/admin/plugin-packages/new');
      await page
        .locator('[name=package]')
        .setInputFiles({ name: 'parcel.tgz', mimeType: 'application/gzip', buffer: await packed('2.0.0') });
      await page.locator('main form button[type=submit]').click();
      expect(await page.getByRole('checkbox', { name: /no key that we trust/ }).isVisible()).toBe(true);
      expect(await page.getByRole('button', { name: 'Use version 2.0.0' }).isVisible()).toBe(true);
      for (const path of places) {
        await page.goto(path);
        await expectAccessible(page);
        await expectNoSidewaysScroll(page);
        await screenshot(page, `packages-${String(page.viewportSize()?.width)}${path.replaceAll('/', '-')}`);
      }
    }
  });
});

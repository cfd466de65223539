import { describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
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
import { keyFor, lookAgain, startDesk, startHub } from '../support/two-houses.ts';
import { freePort } from '../support/ports.ts';
import { startTestApp } from '../support/test-app.ts';

async function signIn(page: Page): Promise<void> {
  await page.goto('/login');
  await page.locator('[name=email]').fill(OWNER.email);
  await page.locator('[name=password]').fill(OWNER.password);
  await page.locator('main button[type=submit]').click();
  await page.waitForURL((url) => url.pathname !== '/login');
}

async function look(page: Page, path: string, name: string): Promise<void> {
  await page.goto(path);
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
  await screenshot(page, `${name}-${String(page.viewportSize()?.width)}`);
}

describe.runIf(browserIsInstalled())('the network of a helpdesk', () => {
  test(
    'shows who signs, what the doctor found and a report to copy, on the phone and in the dark as well',
    { timeout: 240_000 },
    async () => {
      const hub = await startHub();
      const desk = await startDesk(hub, await keyFor(hub));
      await lookAgain(desk);
      await desk.house.domains.networkDoctor.run(system);
      const cut = await startTestApp({
        config: { HUB_URL: 'https://hub.example', PROXY: `http://127.0.0.1:${String(await freePort())}` },
      });
      await cut.house.domains.networkDoctor.run(system);

      const cutDark = await phone(cut.origin, { theme: 'dark' });
      await signIn(cutDark);
      await look(cutDark, '/admin/network/doctor', 'doctor-red-dark');
      const hubAdmin = await desktop(hub.origin);
      await signIn(hubAdmin);
      await look(hubAdmin, '/admin/hub/trust', 'hub-signatures');
      for (const theme of ['light', 'dark'] as const) {
        const small = await phone(desk.origin, { theme });
        const large = await desktop(desk.origin, { theme });
        for (const page of [small, large]) {
          await signIn(page);
          await look(page, '/admin/network', `network-${theme}`);
          await look(page, '/admin/network/doctor', `doctor-${theme}`);
        }
      }

      const bare = await desktop(desk.origin, { javaScript: false });
      await signIn(bare);
      await bare.goto('/admin/network/doctor');
      expect(await bare.locator('#doctor-report').inputValue()).toContain('doctor of the network');
      expect(await bare.locator('[data-copy=doctor-report]').isVisible()).toBe(false);
    },
  );
});

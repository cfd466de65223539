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
import { startTestApp, type TestApp } from '../support/test-app.ts';

const LONG = { timeout: 240_000 };

async function signIn(page: Page, person: { email: string; password: string }): Promise<void> {
  await page.goto('/login');
  await page.locator('[name=email]').fill(person.email);
  await page.locator('[name=password]').fill(person.password);
  await page.locator('main button[type=submit]').click();
  await page.waitForURL((url) => url.pathname !== '/login');
}

async function look(page: Page, path: string, name: string): Promise<void> {
  await page.goto(path);
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
  await screenshot(page, `${name}-${String(page.viewportSize()?.width)}`);
}

/** What `latchkey seed hub` does, in the house that runs. */
async function seedHub({ house }: TestApp): Promise<void> {
  const { coreCommands } = await import('../../src/compose-commands.ts');
  const seed = coreCommands(house, { onProblem: () => undefined }).find(({ name }) => name === 'seed hub');
  await seed?.run({
    actor: system,
    args: [],
    options: {},
    print: () => undefined,
    readStdin: () => Promise.resolve(''),
    readFile: () => Promise.reject(new Error('Nothing is read')),
  });
}

describe.runIf(browserIsInstalled())('a vendor, a customer and an administrator', () => {
  test(
    'meet: a key is taken at the hub, pasted elsewhere, and plugins are had with one click',
    LONG,
    async () => {
      const hub = await startTestApp();
      await seedHub(hub);
      const desk = await startTestApp({ config: { HUB_URL: hub.origin }, work: true });

      const customer = await desktop(hub.origin);
      await signIn(customer, OWNER);
      await customer.goto('/network');
      await customer.locator('form[action="/network/register"] button').click();
      await customer.waitForURL(/\/network$/);
      await customer.getByRole('button', { name: 'Generate a key' }).click();
      await customer.waitForURL(/\/network\/key$/);
      const key = await customer.locator('main input[value^=lknet_]').first().inputValue();
      await screenshot(customer, 'hub-key-desktop');

      const admin = await desktop(desk.origin);
      await signIn(admin, OWNER);
      await look(admin, '/admin/marketplace', 'marketplace-closed');
      await admin.goto('/admin/network');
      await admin.locator('[name=key]').fill(`Key: ${key.slice(0, 12)}\n ${key.slice(12)}`);
      await admin.getByRole('button', { name: 'Save key' }).click();
      await admin.waitForURL(/\/admin\/network$/);
      await desk.house.domains.network.checkNow(system);
      await desk.house.marketplace.refreshSoon(system);
      await desk.house.reader.refresh();

      const light = await phone(desk.origin);
      const dark = await phone(desk.origin, { theme: 'dark' });
      for (const [name, page] of [
        ['light', light],
        ['dark', dark],
      ] as const) {
        await signIn(page, OWNER);
        await look(page, '/admin/marketplace', `marketplace-${name}`);
        await look(page, '/admin/marketplace/plugins/canned-replies?lang=fr', `marketplace-details-${name}`);
      }
      await look(admin, '/admin/marketplace', 'marketplace');
      await look(admin, '/admin/marketplace/plugins/canned-replies', 'marketplace-details');

      for (const name of ['Branding', 'Tags']) {
        await admin.goto('/admin/marketplace');
        await admin.locator('summary', { hasText: `Install ${name}` }).click();
        await screenshot(admin, `marketplace-trust-${name}`);
        await admin.getByRole('button', { name: `Install ${name}` }).click();
        await admin.waitForURL(/operations/);
        await admin.getByText('is running').waitFor();
        await screenshot(admin, `marketplace-done-${name}`);
      }

      for (const page of [customer, await phone(hub.origin, { theme: 'dark' })]) {
        if (page !== customer) await signIn(page, OWNER);
        for (const path of [
          '/network',
          '/admin/hub',
          '/admin/hub/plugins',
          '/admin/hub/plugins/canned-replies',
          '/admin/hub/usage',
          '/admin/hub/trust',
        ])
          await look(page, path, `hub${path.replaceAll('/', '-')}`);
      }
      for (const page of [admin, dark])
        for (const path of ['/admin/network', '/admin/network/doctor', '/admin/plugins'])
          await look(page, path, `desk${path.replaceAll('/', '-')}`);
      expect(await admin.goto('/p/tag').then((answer) => answer?.status())).toBe(200);
    },
  );
});

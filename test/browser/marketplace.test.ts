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

/** Of the subscription that was taken last. */
async function newKey(customer: Page): Promise<string> {
  await customer.goto('/network');
  await customer.getByRole('button', { name: 'Generate a key' }).first().click();
  await customer.waitForURL(/\/network\/key$/);
  return customer.locator('main input[value^=lknet_]').first().inputValue();
}

async function pasteKey(admin: Page, key: string): Promise<void> {
  await admin.goto('/admin/network');
  await admin.locator('[name=key]').fill(`Key: ${key.slice(0, 12)}\n ${key.slice(12)}`);
  await admin.getByRole('button', { name: 'Save key' }).click();
  await admin.waitForURL(/\/admin\/network$/);
}

/** What the background does by itself in time. */
async function hear({ house }: TestApp): Promise<void> {
  await house.domains.network.checkNow(system);
  await house.domains.trust.refresh();
  await house.domains.entitlements.refresh();
  await house.marketplace.refreshSoon(system);
  await house.reader.refresh();
}

async function install(admin: Page, name: string): Promise<void> {
  await admin.goto('/admin/marketplace');
  await admin.locator('summary', { hasText: `Install ${name}` }).click();
  await screenshot(admin, `marketplace-trust-${name}`);
  await admin.getByRole('button', { name: `Install ${name}` }).click();
  await admin.waitForURL(/operations/);
  await admin.getByText('is running').waitFor({ timeout: 60_000 });
  await screenshot(admin, `marketplace-done-${name}`);
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
      const key = await newKey(customer);
      await screenshot(customer, 'hub-key-desktop');

      const admin = await desktop(desk.origin);
      await signIn(admin, OWNER);
      await look(admin, '/admin/marketplace', 'marketplace-closed');
      await pasteKey(admin, key);
      await hear(desk);

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

      for (const name of ['Branding', 'Tags']) await install(admin, name);

      await customer.goto('/admin/hub');
      await customer.locator('[name=email]').fill(OWNER.email);
      await customer.locator('[name=owner]').fill('Example Hospital');
      await customer.locator('[name=offer]').selectOption('network-standard');
      await customer.locator('form[action="/admin/hub/subscriptions"] button').click();
      await pasteKey(admin, await newKey(customer));
      await hear(desk);
      await admin.goto('/admin/network');
      await admin.getByRole('button', { name: 'They are the same: trust this hub' }).click();
      await hear(desk);
      await install(admin, 'Canned replies');

      await look(admin, '/admin/network/support/new?plugin=canned-replies', 'support-new');
      await admin.locator('[name=title]').fill('A text with accents is cut');
      await admin.locator('[name=body]').fill('Since **yesterday**, after the first accent.');
      await screenshot(admin, 'support-typed-desktop');
      await admin.getByRole('button', { name: 'Send' }).click();
      await admin.waitForURL(/support\/[0-9A-Z]{26}$/);
      await desk.house.supportCourier.run();
      await customer.goto('/tickets/1');
      await expectAccessible(customer);
      await screenshot(customer, 'hub-support-ticket-desktop');
      await customer.locator('#field-body').fill('Version 1.0.1 mends it.');
      await customer.getByRole('button', { name: 'Send as solution' }).click();
      await customer.locator('.timeline__item--solution').waitFor();
      await admin.locator('form[action$="/look"] button').click();
      await desk.house.supportCourier.run();
      const thread = new URL(admin.url()).pathname;
      for (const page of [admin, dark]) await look(page, thread, 'support');
      await look(light, '/admin/network/support/new?lang=fr', 'support-new');
      expect(await admin.goto(thread).then((answer) => answer?.text())).toContain('Version 1.0.1 mends it.');
      await admin.getByRole('button', { name: 'Yes, close the request' }).click();
      await admin.waitForURL(/support/);
      await admin.goto('/admin/marketplace/plugins/canned-replies');
      await admin.locator('[name=sentence]').fill('Saves an hour a day.');
      await admin.getByRole('button', { name: 'Rate' }).click();
      await desk.house.ratings.tell();
      await hear(desk);
      await look(dark, '/admin/marketplace/plugins/canned-replies', 'marketplace-rated');

      for (const page of [customer, await phone(hub.origin, { theme: 'dark' })]) {
        if (page !== customer) await signIn(page, OWNER);
        for (const path of [
          '/network',
          '/admin/hub',
          '/admin/hub/offers',
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

import jsQrModule from 'jsqr';
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
import { describeOnEachEngine, freshDatabase } from '../support/databases.ts';
import { startMailbox } from '../support/mailbox.ts';
import { startServer } from '../support/server.ts';

// The package is CommonJS: its function is the default of its default.
const jsQr = jsQrModule.default;
const PASSWORD = 'three small boats';
const runs = browserIsInstalled();

describe.runIf(runs)('the main job, from the first start to the first answer,', () => {
  describeOnEachEngine('on', (engine) => {
    test('is done by people who only have a browser', async () => {
      const mailbox = await startMailbox();
      const server = await startServer({
        databaseUrl: (await freshDatabase(engine, { empty: true })).url,
        env: { LATCHKEY_SMTP_URL: mailbox.url, LATCHKEY_MAIL_FROM: 'helpdesk@acme.example' },
      });

      const marie = await desktop(server.url);
      await becomeOwner(marie, server.ownerLink ?? '');
      const link = await mintFor25(marie);
      const scanned = await scanQr(marie);
      expect(plain(scanned), 'what a phone reads from the screen').toBe(plain(link));

      const jo = await phone(server.url);
      await join(jo, scanned);
      const letter = await mailbox.next('jo@acme.example');
      await jo.goto(letter.links[0] ?? '');
      await jo.getByRole('button', { name: /confirm/i }).click();
      await jo.waitForURL(/\/tickets\/new/);
      await expectAccessible(jo);
      await askForHelp(jo);

      await answer(marie);
      await jo.reload();
      await jo.getByText('Have you tried the other socket?').waitFor();

      await marie.goto('/invitation-keys');
      await marie.getByRole('link', { name: 'Paris office' }).click();
      await marie.getByText('Jo Martin').first().waitFor();
      await expectAccessible(marie);
      await revoke(marie);

      const late = await phone(server.url);
      const refused = await late.goto(link);
      expect(refused?.status()).toBe(410);
      expect(await late.getByText(/no longer active/i).isVisible()).toBe(true);
      await expectAccessible(late);
      await screenshot(late, `main-job-${engine}-revoked`);
    }, 120_000);
  });
});

/** Codes on screens are in capitals and groups, which takes fewer squares. */
const plain = (link: string): string => link.toLowerCase().replaceAll('-', '').replace('lkinv_', '');

async function becomeOwner(page: Page, ownerLink: string): Promise<void> {
  await page.goto(ownerLink);
  await expectAccessible(page);
  await page.getByLabel(/organisation/i).fill('Acme');
  await page.getByLabel(/your name/i).fill('Marie Dupont');
  await page.getByLabel(/e-mail/i).fill('marie@acme.example');
  await page.getByLabel('Password', { exact: false }).first().fill(PASSWORD);
  expect(await page.locator('select[name="timeZone"]').inputValue()).toBe('Europe/Paris');
  await page.locator('form[action^="/setup/"] button[type="submit"]').click();
  await page.waitForURL(/\/welcome/);
  await expectAccessible(page);
}

async function mintFor25(page: Page): Promise<string> {
  await page.goto('/invitation-keys');
  await expectAccessible(page);
  await page.goto('/invitation-keys/new');
  await page.getByLabel(/^label/i).fill('Paris office');
  await page.getByLabel(/how many people/i).fill('25');
  await page.getByRole('textbox', { name: /only addresses/i }).fill('acme.example');
  await expectAccessible(page);
  await page.locator('button[value="mint"]').click();
  await page
    .getByRole('heading', { name: /invitation/i })
    .first()
    .waitFor();
  await expectAccessible(page);
  await screenshot(page, 'main-job-created');
  return page.locator('input[readonly][value*="/join/"]').first().inputValue();
}

/** As a phone does: from the picture on the screen, not from what we know of it. */
async function scanQr(page: Page): Promise<string> {
  const picture = (await page.locator('.qr').screenshot()).toString('base64');
  const { data, width, height } = await page.evaluate<{
    data: number[];
    width: number;
    height: number;
  }>(`(async () => {
    const image = new Image();
    image.src = 'data:image/png;base64,${picture}';
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const { data, width, height } = context.getImageData(0, 0, image.width, image.height);
    return { data: [...data], width, height };
  })()`);
  return jsQr(Uint8ClampedArray.from(data), width, height)?.data ?? '';
}

async function join(page: Page, link: string): Promise<void> {
  await page.goto(link);
  expect(new URL(page.url()).pathname, 'the key has left the address bar').toBe('/join');
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
  await page.getByLabel(/e-mail/i).fill('jo@acme.example');
  await page.getByLabel(/name/i).fill('Jo Martin');
  await page.getByLabel(/password/i).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create my account' }).click();
  await page
    .getByText(/check your inbox/i)
    .first()
    .waitFor();
  await expectAccessible(page);
}

async function askForHelp(page: Page): Promise<void> {
  await page.getByLabel(/subject|title/i).fill('The screen stays black');
  await page
    .getByLabel(/description|what/i)
    .first()
    .fill('Since this morning, see the picture.');
  await pasteScreenshot(page);
  await page.getByRole('button', { name: /send/i }).click();
  await page.waitForURL(/\/tickets\/\d+/);
  expect(await page.locator('img[src*="/attachments/"]').count()).toBeGreaterThan(0);
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
}

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** As a browser does when somebody presses Ctrl-V after taking a picture of their screen. */
async function pasteScreenshot(page: Page): Promise<void> {
  await page.evaluate(`{
    const bytes = Uint8Array.from(atob('${PIXEL}'), (symbol) => symbol.charCodeAt(0));
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([bytes], 'image.png', { type: 'image/png' }));
    document
      .querySelector('textarea[name="description"]')
      .dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }`);
  await page.getByText('image.png').first().waitFor();
}

async function answer(page: Page): Promise<void> {
  await page.goto('/tickets');
  await expectAccessible(page);
  await page.getByRole('link', { name: 'The screen stays black' }).first().click();
  await page.locator('textarea[name="body"]').fill('Have you tried the other socket?');
  await page.locator('#reply button[type="submit"]').first().click();
  await page.getByText('Have you tried the other socket?').first().waitFor();
  await expectAccessible(page);
}

async function revoke(page: Page): Promise<void> {
  await page.getByRole('link', { name: /revoke/i }).click();
  await expectAccessible(page);
  await page.getByRole('button', { name: /revoke/i }).click();
  await page
    .getByText(/revoked/i)
    .first()
    .waitFor();
}

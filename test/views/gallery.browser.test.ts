import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  browserIsInstalled,
  desktop,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
  screenshot,
} from '../support/browser.ts';
import { galleryNames, galleryServer } from './gallery.ts';

const server = galleryServer();
let origin = '';

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});

afterAll(() => {
  server.close();
});

describe.runIf(browserIsInstalled())('the parts of the house', () => {
  test.each([...galleryNames, 'error'])('%s can be used by everybody on a phone', async (name) => {
    const page = await phone(origin, { theme: 'light' });

    await page.goto(`/${name}`);

    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await screenshot(page, `gallery-${name}-phone`);
  });

  test.each([...galleryNames, 'error'])('%s can be used by everybody at a desk in the dark', async (name) => {
    const page = await desktop(origin, { theme: 'dark' });

    await page.goto(`/${name}`);

    await expectAccessible(page);
    await screenshot(page, `gallery-${name}-desktop`);
  });

  test('the menu opens on a phone without script', async () => {
    const page = await phone(origin, { javaScript: false });
    await page.goto('/list');
    expect(await page.getByRole('navigation', { name: 'Main' }).isVisible()).toBe(false);

    await page.getByRole('checkbox', { name: 'Menu' }).check();

    expect(await page.getByRole('navigation', { name: 'Main' }).isVisible()).toBe(true);
  });

  test('what needs script is not shown without it', async () => {
    const page = await phone(origin, { javaScript: false });

    await page.goto('/invitation');

    expect(await page.getByRole('button', { name: 'Copy' }).count()).toBe(0);
  });

  test('a link is copied by one press, and it is said aloud', async () => {
    const page = await desktop(origin);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto('/invitation');

    await page.getByRole('button', { name: 'Copy' }).click();

    await expect.poll(() => page.locator('#live').textContent()).toBe('Copied');
    expect(await page.evaluate('navigator.clipboard.readText()')).toContain('/join/lkinv_');
  });

  test('a password can be looked at', async () => {
    const page = await phone(origin);
    await page.goto('/sign-in');
    await page.getByLabel('Password').fill('correct horse');

    await page.getByRole('button', { name: 'Show' }).click();

    expect(await page.getByLabel('Password').getAttribute('type')).toBe('text');
  });

  test('a screenshot pasted into an answer becomes a file of it', async () => {
    const page = await desktop(origin);
    await page.goto('/ticket');

    await page.evaluate(`
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File(['png'], 'screenshot.png', { type: 'image/png' }));
      const paste = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
      document.querySelector('#field-body').dispatchEvent(paste);
    `);

    expect(await page.locator('#chosen').textContent()).toContain('screenshot.png');
    expect(await page.evaluate("document.querySelector('#files').files.length")).toBe(1);
  });
});

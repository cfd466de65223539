import { describe, expect, test } from 'vitest';
import {
  browserIsInstalled,
  desktop,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
} from '../../../test/support/browser.ts';
import { startTestApp } from '../../../test/support/test-app.ts';
import { OWNER } from '../../../test/support/house.ts';
import { PASSWORD } from './desk.ts';

describe.runIf(browserIsInstalled())('an invitation, in a browser', () => {
  for (const javaScript of [true, false]) {
    test(`is redeemed on a phone ${javaScript ? 'with' : 'without'} scripts, and every page on the way can be read by all`, async () => {
      const app = await startTestApp({ mail: true });
      const { key } = await app.given.invitationKey({
        emailProof: 'required',
        emailDomains: ['acme.test'],
        note: 'Welcome!',
      });
      const page = await phone(app.origin, { javaScript });
      const look = (): Promise<void> => (javaScript ? expectAccessible(page) : expectNoSidewaysScroll(page));

      await page.goto('/join');
      await look();
      await page.fill('#field-key', key.slice(6).match(/.{4}/g)?.join('-') ?? '');
      await page.click('button:has-text("Continue")');
      expect(page.url()).not.toContain(key);
      await look();
      await page.fill('#field-email', 'jo@acme.test');
      await page.fill('#field-name', 'Jo Martin');
      await page.fill('#field-password', PASSWORD);
      await page.click('button:has-text("Create my account")');
      await look();
      const letter = await app.mailbox.next('jo@acme.test');
      await page.fill('#field-code', /(\d{3} \d{3})/.exec(letter.subject)?.[1] ?? '');
      await page.click('button:has-text("Confirm")');

      expect(new URL(page.url()).pathname).toBe('/tickets/new');
    });
  }

  test('names the wrong group while it is typed', async () => {
    const app = await startTestApp();
    const { key } = await app.given.invitationKey();
    const page = await phone(app.origin);
    await page.goto('/join');

    await page.fill('#field-key', key.slice(0, 24) + (key[24] === '0' ? '2' : '0') + key.slice(25));
    await page.waitForSelector('#key-check:not([hidden])');

    expect(await page.textContent('#key-check')).toBe('Group 5 looks wrong.');
  });

  test('is made, shown and followed by an administrator, light and dark', async () => {
    const app = await startTestApp();
    for (const theme of ['light', 'dark'] as const) {
      const page = await desktop(app.origin, { theme });
      await page.goto('/login');
      await page.fill('#field-email', OWNER.email);
      await page.fill('#field-password', OWNER.password);
      await page.click('main button[type=submit]');
      await page.goto('/invitation-keys/new');
      await page.waitForSelector('.sentence');
      await expectAccessible(page);
      await page.fill('#field-label', 'Lyon');
      await page.click('button[value=mint]');
      await page.waitForSelector('.qr');
      await expectAccessible(page);
      for (const path of [
        '/invitation-keys',
        '/invitation-keys/approvals',
        '/invitation-keys/unconfirmed',
        '/invitation-keys/explain?code=ABCD-X',
      ]) {
        await page.goto(path);
        await expectAccessible(page);
      }
      await page.goto('/invitation-keys');
      await page.click('a.row-link');
      await expectAccessible(page);
    }
  });
});

import { describe, expect, test } from 'vitest';
import {
  browserIsInstalled,
  desktop,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
  screenshot,
} from '../../../test/support/browser.ts';
import { days } from '../../../test/support/clock.ts';
import { OWNER } from '../../../test/support/house.ts';
import { startTestApp } from '../../../test/support/test-app.ts';

describe.runIf(browserIsInstalled())('a request for a way in, in a browser', () => {
  test.each([
    ['light', true],
    ['dark', false],
  ] as const)('is made on a phone and answered at a desk, %s, scripts %s', async (theme, javaScript) => {
    const app = await startTestApp();
    const { key, id } = await app.given.invitationKey({ label: 'Lyon office' });
    app.clock.advance(days(21));
    const newcomer = await phone(app.origin, { theme, javaScript });
    await newcomer.goto(`/join/${key}`);
    const code = (await newcomer.textContent('code')) ?? '';
    await newcomer.fill('#field-name', 'Jo Martin');
    await newcomer.fill('#field-email', 'jo@acme.test');
    await newcomer.fill('#field-message', 'I was on leave.');
    await newcomer.click('form[action="/join/step/ask"] button[type=submit]');
    expect(newcomer.url()).toContain('/join/step/asked');

    const page = await desktop(app.origin, { theme, javaScript });
    const look = (): Promise<void> => (javaScript ? expectAccessible(page) : expectNoSidewaysScroll(page));
    await page.goto('/login');
    await page.fill('#field-email', OWNER.email);
    await page.fill('#field-password', OWNER.password);
    await page.click('form[action="/login"] button[type=submit]');
    await page.goto('/invitation-keys/requests');
    await look();
    await screenshot(page, `requests-${theme}`);
    await page.click('a.row-link');
    await look();
    await screenshot(page, `request-${theme}`);
    await page.click('form[action$="/grant"] button[type=submit]');
    await page.waitForSelector('.qr');

    await page.goto(`/invitation-keys/explain?code=${code}`);
    await look();
    await screenshot(page, `explain-${theme}`);
    await page.click(`form[action="/invitation-keys/${id}/fix"] button[type=submit]`);
    expect(await page.textContent('main')).toContain('They can try again');
  });
});

import { describe, expect, test } from 'vitest';
import {
  browserIsInstalled,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
  screenshot,
} from '../../../test/support/browser.ts';
import { minutes } from '../../../test/support/clock.ts';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { startTestApp } from '../../../test/support/test-app.ts';
import { PASSWORD } from '../../registration-key/test/desk.ts';

describe.runIf(browserIsInstalled())('in a browser', () => {
  describeOnEachEngine('the work', (engine) => {
    test('is done beside the form, and nobody has to wait for it', async () => {
      const app = await startTestApp({ engine });
      const { key } = await app.given.invitationKey({ humanCheck: 'always' });
      const page = await phone(app.origin);
      await page.goto(`/join/${key}`);

      const started = Date.now();
      await page.waitForSelector('.pow--done');
      console.info(`solved ${String(Date.now() - started)} ms after the page was there`);
      await expectAccessible(page);
      await screenshot(page, 'proof-of-work-done');
      await page.fill('#field-email', 'jo@acme.test');
      await page.fill('#field-name', 'Jo Martin');
      await page.fill('#field-password', PASSWORD);
      await page.click('form[action="/join"] > button[type=submit]');

      await page.waitForURL('**/tickets/new*');
    });
  });

  test('whoever is faster than the work is sent on when it is done', async () => {
    const app = await startTestApp();
    const { key } = await app.given.invitationKey({ humanCheck: 'always' });
    const page = await phone(app.origin);
    await page.goto(`/join/${key}`);

    await page.evaluate(
      `(() => {
        document.getElementById('field-email').value = 'jo@acme.test';
        document.getElementById('field-name').value = 'Jo Martin';
        document.getElementById('field-password').value = '${PASSWORD}';
        document.querySelector('form[action="/join"]').requestSubmit();
      })()`,
    );

    await page.waitForURL('**/tickets/new*');
  });

  test('without scripts a wait and the mailed code take its place', async () => {
    const app = await startTestApp({ mail: true });
    const { key } = await app.given.invitationKey({ humanCheck: 'always', emailProof: 'required' });
    const page = await phone(app.origin, { javaScript: false, theme: 'dark', locale: 'fr-FR' });
    await page.goto(`/join/${key}`);
    await expectNoSidewaysScroll(page);
    await screenshot(page, 'proof-of-work-no-script-fr-dark');
    app.clock.advance(minutes(1));

    await page.fill('#field-email', 'jo@acme.test');
    await page.fill('#field-name', 'Jo Martin');
    await page.fill('#field-password', PASSWORD);
    await page.click('form[action="/join"] > button[type=submit]');

    expect(page.url()).toContain('/join/step/waiting');
  });
});

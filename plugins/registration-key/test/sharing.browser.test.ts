import { describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import {
  browserIsInstalled,
  desktop,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
  screenshot,
} from '../../../test/support/browser.ts';
import { OWNER } from '../../../test/support/house.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { joinByApi, PASSWORD, somebody } from './desk.ts';

async function signIn(page: Page): Promise<void> {
  await page.goto('/login');
  await page.fill('#field-email', OWNER.email);
  await page.fill('#field-password', OWNER.password);
  await page.click('main button[type=submit]');
}

/** A key that has been out for a while: copies, people, scanners. */
async function liveKey(app: TestApp): Promise<string> {
  const { id, key } = await app.given.invitationKey({
    label: 'Paris office',
    maxUses: 25,
    note: 'See you on Monday!',
  });
  const owner = app.api(await app.given.owner());
  for (const name of ['Facebook', 'HR', 'Poster']) {
    const copy = (await owner.call('POST', `/api/v1/invitation-keys/${id}/copies`, { name })).json() as {
      key: string;
    };
    await joinByApi(app, copy.key, somebody());
    if (name === 'HR') await joinByApi(app, copy.key, somebody());
  }
  await joinByApi(app, key, somebody());
  for (let one = 0; one < 9; one += 1) {
    const visitor = app.guest();
    if (one < 6) visitor.headers.set('user-agent', 'Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0');
    await visitor.get(`/join/${key}`);
  }
  return id;
}

describe.runIf(browserIsInstalled())('handing out an invitation, in a browser', () => {
  for (const theme of ['light', 'dark'] as const) {
    test(`can be seen by all, ${theme}, at a desk and on a phone`, async () => {
      const app = await startTestApp();
      const id = await liveKey(app);
      for (const open of [desktop, phone]) {
        const page = await open(app.origin, { theme });
        const look = async (name: string): Promise<void> => {
          await expectAccessible(page);
          await expectNoSidewaysScroll(page);
          await screenshot(page, `share-${name}-${theme}-${open.name}`);
        };
        await signIn(page);
        await page.goto(`/invitation-keys/${id}`);
        await look('key');
        await page.goto(`/invitation-keys/${id}/copies`);
        await look('copies');
        await page.goto('/invitation-keys/overview');
        await look('overview');
        await page.goto(`/invitation-keys/${id}`);
        await page.click('form[action$="/reveal"] button');
        await page.waitForSelector('.qr');
        await look('link');
        await page.click('a[href$="/aloud"]');
        await look('aloud');
        for (const layout of ['poster', 'cards8', 'cards10']) {
          await page.goto(`/invitation-keys/${id}/card?layout=${layout}`);
          await look(layout);
        }
      }
    });
  }

  test('prints each sheet on exactly one page', async () => {
    const app = await startTestApp();
    const id = await liveKey(app);
    const page = await desktop(app.origin);
    await signIn(page);
    await page.goto(`/invitation-keys/${id}`);
    await page.click('form[action$="/reveal"] button');
    for (const paper of ['a4', 'letter'])
      for (const layout of ['poster', 'cards8', 'cards10']) {
        await page.goto(`/invitation-keys/${id}/card?layout=${layout}&paper=${paper}`);
        const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
        const text = pdf.toString('latin1');
        expect({ paper, layout, pages: text.match(/\/Type\s*\/Page\b(?!s)/g)?.length }).toEqual({
          paper,
          layout,
          pages: 1,
        });
        expect(text).toMatch(
          paper === 'a4' ? /MediaBox \[0 0 59[45][.\d]* 84[12]/ : /MediaBox \[0 0 612 792/,
        );
      }
  });

  test('counts down how long a place is held; without scripts the moment stands there', async () => {
    const app = await startTestApp({ mail: true });
    const { key } = await app.given.invitationKey({ emailProof: 'required' });
    for (const javaScript of [true, false]) {
      const page = await phone(app.origin, { javaScript });
      await page.goto(`/join/${key}`);
      await page.fill('#field-email', javaScript ? 'jo@acme.test' : 'ada@acme.test');
      await page.fill('#field-name', 'Jo Martin');
      await page.fill('#field-password', PASSWORD);
      await page.click('button:has-text("Create my account")');
      await page.waitForSelector('#field-code');

      const said = await page.textContent('.join-privacy:has(seat-countdown)');
      expect(said).toContain('Your place is held until');
      if (javaScript) expect(said).toMatch(/\((?:24:00:00|23:59:\d\d) left\)/);
      else expect(said).not.toContain('left');
    }
  });
});

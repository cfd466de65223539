import { createTestHost } from 'latchkey/plugin-test';
import { describe, test } from 'vitest';
import {
  browserIsInstalled,
  desktop,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
  screenshot,
} from '../../../test/support/browser.ts';
import { OWNER } from '../../../test/support/house.ts';

describe.runIf(browserIsInstalled())('tags, in a browser', () => {
  for (const theme of ['light', 'dark'] as const) {
    test(`are made, put on a ticket and searched for, ${theme}`, async () => {
      const { origin, given, api } = await createTestHost({ plugin: new URL('..', import.meta.url) });
      const owner = api(await given.owner());
      const ids: string[] = [];
      for (const [name, tone] of [
        ['Second floor', 'info'],
        ['VIP', 'warning'],
        ['Waiting for a part', 'quiet'],
        ['Printer', 'accent'],
      ])
        ids.push((await owner.call('POST', '/api/p/tag/tags', { name, tone })).json().id);
      const { ticket } = await given.ticket();
      const number = String(ticket.number);
      await owner.call('PUT', `/api/p/tag/tickets/${number}`, { tags: ids.slice(0, 3) });

      for (const open of [desktop, phone]) {
        const page = await open(origin, { theme });
        const look = async (name: string): Promise<void> => {
          await expectAccessible(page);
          await expectNoSidewaysScroll(page);
          await screenshot(page, `tag-${name}-${theme}-${open.name}`);
        };
        await page.goto('/login');
        await page.fill('#field-email', OWNER.email);
        await page.fill('#field-password', OWNER.password);
        await page.click('main button[type=submit]');
        await page.goto('/p/tag');
        await look('list');
        await page.goto(`/tickets/${number}`);
        await page.click('section[aria-labelledby=tag-title] summary');
        await look('ticket');
        await page.goto('/tickets?q=tag:vip');
        await look('search');
      }
    });
  }
});

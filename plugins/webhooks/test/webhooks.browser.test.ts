import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'vitest';
import { system } from '../../../src/shared/actor.ts';
import {
  browserIsInstalled,
  desktop,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
  screenshot,
} from '../../../test/support/browser.ts';
import { afterwards } from '../../../test/support/cleanup.ts';
import { OWNER } from '../../../test/support/house.ts';
import { startTestApp } from '../../../test/support/test-app.ts';

describe.runIf(browserIsInstalled())('webhooks, in a browser', () => {
  for (const theme of ['light', 'dark'] as const) {
    test(`are added, tested and followed, ${theme}`, async () => {
      const app = await startTestApp({ config: { OUTBOUND_ALLOW: '127.0.0.1' } });
      await app.house.plugins.enable(system, 'webhooks');
      let times = 0;
      const server = createServer((_req, res) => {
        times += 1;
        res.writeHead(times % 2 === 1 ? 200 : 503).end('{"status":"taken, thank you"}');
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      afterwards(() => {
        server.closeAllConnections();
        server.close();
      });
      const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/hook`;

      for (const open of [desktop, phone]) {
        const page = await open(app.origin, { theme });
        const look = async (name: string): Promise<void> => {
          await expectAccessible(page);
          await expectNoSidewaysScroll(page);
          await screenshot(page, `hook-${name}-${theme}-${open.name}`);
        };
        await page.goto('/login');
        await page.fill('#field-email', OWNER.email);
        await page.fill('#field-password', OWNER.password);
        await page.click('main button[type=submit]');
        await page.goto('/admin/webhooks/new');
        await page.fill('#field-name', 'HR system');
        await page.fill('#field-url', url);
        await page.check('input[value="registration-key.redeemed"]');
        await page.check('input[value="ticket.created"]');
        await look('form');
        await page.click('main form .btn-primary');
        await page.waitForSelector('#copy-secret');
        await look('secret');
        await page.click('form[action$="/test"] button');
        await page.click('form[action$="/test"] button');
        await look('log');
        await page.goto('/admin/webhooks');
        await look('list');
      }
    });
  }
});

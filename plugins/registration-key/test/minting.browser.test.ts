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
import { days } from '../../../test/support/clock.ts';
import { startTestApp } from '../../../test/support/test-app.ts';
import { groupIn, KEYS, mint, pluginSetting, rootEntity } from './cases/minters.ts';
import { ownerApi } from './cases/place.ts';
import { system } from '../../../src/shared/actor.ts';
import { PASSWORD } from './desk.ts';

describe.runIf(browserIsInstalled())('the pages of those who mint, in a browser', () => {
  for (const theme of ['light', 'dark'] as const) {
    test(`can be read by all, ${theme}`, async () => {
      const app = await startTestApp();
      const owner = await ownerApi(app);
      const hours = { days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00', timeZone: 'Europe/Paris' };
      const model = await app.given.invitationKey({
        label: 'Interns',
        hours,
        maxUses: null,
        expiresAt: null,
      });
      await owner.call('POST', `${KEYS}/presets`, { key: model.id, name: 'Interns' });
      const admin = await app.given.administrator({ name: 'Marie Dupont' });
      const staff = await mint(app.api(admin), { profile: 'technician', label: 'Service desk' });
      const page = await desktop(app.origin, { theme });
      const look = async (path: string): Promise<void> => {
        await page.goto(path);
        await expectAccessible(page);
        await screenshot(page, `minting-${theme}-${String((pictures += 1))}`);
      };
      let pictures = 0;

      await page.goto('/login');
      await page.fill('#field-email', OWNER.email);
      await page.fill('#field-password', OWNER.password);
      await page.click('main button[type=submit]');
      await page.goto('/invitation-keys/new');
      await page.click('details.disclosure > summary');
      await page.fill('#field-label', 'Badge');
      await page.fill('#field-count', '5');
      await page.click('button[value=mint]');
      await page.waitForSelector('#copy-all');
      await expectAccessible(page);
      await screenshot(page, `minting-${theme}-sheet`);
      await look('/invitation-keys?tab=all');
      await look('/invitation-keys/presets');
      await look('/invitation-keys/new?preset=Interns');
      await look(`/invitation-keys/${String(staff.json().id)}`);
      await look(`/invitation-keys/${model.id}`);
      await look('/invitation-keys/purge');
    });

    test(`of one’s own invitations can be read by all on a phone, ${theme}`, async () => {
      const app = await startTestApp();
      await pluginSetting(app, 'peopleMayInvite', true);
      const person = await app.given.user({ email: 'jo@acme.test', password: PASSWORD });
      const group = await groupIn(app, 'Chess club', await rootEntity(app));
      await app.house.domains.groupAdmin.addMember(system, group, person.id);
      app.clock.advance(days(5));
      const page = await phone(app.origin, { theme });

      await page.goto('/login');
      await page.fill('#field-email', 'jo@acme.test');
      await page.fill('#field-password', PASSWORD);
      await page.click('main button[type=submit]');
      await page.goto('/');
      await expectAccessible(page);
      await page.goto('/invitation-keys/mine');
      await expectAccessible(page);
      await page.fill('#field-label', 'Neighbours');
      await page.click('main form[action="/invitation-keys/mine"] button[type=submit]');
      await page.waitForSelector('.qr');
      await expectAccessible(page);
      await page.goto('/invitation-keys/mine');
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
      await screenshot(page, `minting-${theme}-mine`);
    });
  }
});

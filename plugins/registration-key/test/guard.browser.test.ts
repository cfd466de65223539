import { describe, expect, test } from 'vitest';
import {
  browserIsInstalled,
  desktop,
  expectAccessible,
  phone,
  screenshot,
} from '../../../test/support/browser.ts';
import { OWNER } from '../../../test/support/house.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { joinByApi, redemptionsOf, somebody } from './desk.ts';

/** Nine people, two of whom brought others, and a key that the breaker paused. */
async function livedIn(app: TestApp): Promise<{ id: string; ticket: number; undo: string }> {
  const owner = await app.given.owner();
  const { id, key } = await app.given.invitationKey({ label: 'Lyon office', maxUses: 25 });
  const names = ['Ada Petit', 'Blaise Roux', 'Chloé Martin', 'Dunja Kovač', 'Émile Durand', 'Fatima Benali'];
  for (const name of names)
    await joinByApi(app, key, somebody({ name, email: `${name.split(' ')[0] ?? ''}@acme.test` }));
  const people = (await redemptionsOf(app, id)).items.map(({ userId }) => userId);
  await app.db.transaction(async (tx) => {
    for (const [at, inviter] of [
      [0, 2],
      [1, 2],
      [3, 4],
    ] as const)
      await tx
        .knex('invite_redemption')
        .where({ user_id: people[at] })
        .update({ inviter_id: people[inviter] });
    await tx.knex('invite_guard').insert({
      key_id: id,
      tripped_at: app.clock.now(),
      tripped_by: 'speed',
      tripped_facts: JSON.stringify({ joins: 64, networks: 61 }),
    });
    await tx
      .knex('invite_key')
      .where({ id })
      .update({ paused_at: app.clock.now(), paused_reason: 'breaker' });
  });
  const { ticket } = await app.given.ticket({ requester: owner, title: 'Called about the scanner' });
  const since = new Date(app.clock.now() - 60_000).toISOString();
  const started = await app
    .api(owner)
    .call('POST', `/api/v1/invitation-keys/${id}/undo`, { since, action: 'suspend' });
  await app.house.domains.jobs.runNow('registration-key.undo-leaks');
  return { id, ticket: ticket.number, undo: (started.json() as { id: string }).id };
}

describe.runIf(browserIsInstalled())('what watches over keys, in a browser', () => {
  for (const [device, theme] of [
    ['desktop', 'light'],
    ['desktop', 'dark'],
    ['phone', 'light'],
  ] as const) {
    test(`can be read by all on a ${device}, ${theme}`, { timeout: 120_000 }, async () => {
      const app = await startTestApp();
      const owner = await app.given.owner();
      const { id, ticket, undo } = await livedIn(app);
      const page = await (device === 'phone' ? phone : desktop)(app.origin, { theme });
      await page.goto('/join/report');
      await expectAccessible(page);
      await screenshot(page, `guard-report-${device}-${theme}`);
      await page.goto('/login');
      await page.fill('#field-email', OWNER.email);
      await page.fill('#field-password', OWNER.password);
      await page.click('main button[type=submit]');
      const pages = {
        notice: `/invitation-keys/${id}`,
        history: `/invitation-keys/${id}/history`,
        people: `/invitation-keys/${id}/people`,
        undo: `/invitation-keys/${id}/undo?since=2020-01-01T00:00&descendants=true`,
        undone: `/invitation-keys/undo/${undo}`,
        revoke: `/invitation-keys/${id}/revoke`,
        roots: '/invitation-keys/tree',
        tree: `/invitation-keys/tree?person=${owner.id}`,
        ticket: `/tickets/${String(ticket)}`,
      };
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(path);
        if (name === 'ticket') await page.click('summary:has-text("Invite the person")');
        await expectAccessible(page);
        await screenshot(page, `guard-${name}-${device}-${theme}`);
      }

      expect(page.url()).toContain('/tickets/');
    });
  }
});

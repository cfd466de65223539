import { describe, expect, test } from 'vitest';
import { defineEvent } from '../../src/hooks/index.ts';
import { ticketCreated, ticketDraft, ticketMayCreate } from '../../src/tickets/index.ts';
import {
  browserIsInstalled,
  desktop,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
  screenshot,
} from '../support/browser.ts';
import { OWNER } from '../support/house.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import type { Page } from 'playwright-core';

const moved = defineEvent<object>({ name: 'test.moved', summary: 'It moved.', since: '0.1.0' });

describe.runIf(browserIsInstalled())('the pages about hooks', () => {
  test('let an administrator look into one request with a mouse, and read the rest on a phone in the dark', async () => {
    const app = await startTestApp();
    listen(app);
    const page = await desktop(app.origin);
    await signIn(page);

    await page.goto('/admin/hooks/traces');
    await page.getByRole('button', { name: 'Trace my next request' }).click();
    await expectAccessible(page);
    await page.goto('/tickets');
    await page.goto('/admin/hooks/traces');
    await page.getByRole('button', { name: 'Trace my next request' }).click();
    await app.given.ticket();
    await app.house.domains.dispatcher.drain();
    await page.goto('/tickets');
    await page.goto('/admin/hooks/traces');
    await screenshot(page, 'hook-traces');
    await expectAccessible(page);
    await page.getByRole('link', { name: 'GET /tickets' }).first().click();
    await screenshot(page, 'hook-trace');
    await expectAccessible(page);
    await page.goto('/tickets/1/trail');
    expect(await page.getByText('THE PRINTER JAMS').first().isVisible()).toBe(true);
    await screenshot(page, 'ticket-trail');
    await expectAccessible(page);
    for (const path of ['/admin/hooks', '/admin/hooks/ticket.draft', '/admin/hooks/costs']) {
      await page.goto(path);
      await screenshot(page, path.slice(7).replaceAll('/', '-'));
      await expectAccessible(page);
    }

    const small = await phone(app.origin, { theme: 'dark' });
    await signIn(small);
    for (const path of ['/admin/hooks', '/admin/hooks/costs', '/admin/hooks/traces', '/admin/background']) {
      await small.goto(path);
      await expectNoSidewaysScroll(small);
      await expectAccessible(small);
      await screenshot(small, `${path.slice(7).replaceAll('/', '-')}-phone`);
    }
  });
});

function listen({ house: { ground } }: TestApp): void {
  const { hooks } = ground;
  hooks.onFilter('spelling', ticketDraft, (draft) => ({ ...draft, title: draft.title.toUpperCase() }));
  hooks.onFilter('triage', ticketDraft, async (draft) => {
    await new Promise((resolve) => setTimeout(resolve, 8));
    return draft;
  });
  hooks.onVeto('quota', ticketMayCreate, () => null);
  hooks.onEvent('triage', ticketCreated, () => undefined);
  hooks.onEvent('broken', moved, () => Promise.reject(new Error('the van broke down')));
  hooks.expectListener('guard', 'ticket.export');
}

async function signIn(page: Page): Promise<void> {
  await page.goto('/login');
  await page.locator('[name=email]').fill(OWNER.email);
  await page.locator('[name=password]').fill(OWNER.password);
  await page.locator('main button[type=submit]').click();
  await page.waitForURL((url) => url.pathname !== '/login');
}

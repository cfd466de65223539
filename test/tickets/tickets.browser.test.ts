import type { BrowserContext, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { instanceSecrets } from '../../src/compose-web.ts';
import {
  browserIsInstalled,
  desktop,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
  screenshot,
} from '../support/browser.ts';
import type { Person } from '../support/given.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

/** Signs a real browser in without the form. */
async function signIn(app: TestApp, context: BrowserContext, person: Person): Promise<void> {
  const { cookie } = await app.house.domains.sessions.start(person.id, {
    ip: '127.0.0.1',
    userAgent: 'test',
  });
  const { instanceId } = await instanceSecrets(app.house.ground);
  await context.addCookies([{ name: `latchkey_${instanceId}`, value: cookie.value, url: app.origin }]);
}

/** A desk in the middle of its day. */
async function givenBusyDesk(
  app: TestApp,
): Promise<{ technician: Person; requester: Person; number: number }> {
  const { given, api, clock } = app;
  const [technician, requester] = [
    await given.user({ profile: 'super-admin', name: 'Marie Dupont' }),
    await given.user({ name: 'Jo Martin' }),
  ];
  const [entity] = await app.house.domains.memberships.entities();
  const categories: string[] = [];
  for (const name of ['Printing', 'Network', 'Software', 'Badges']) {
    const made = await api(technician).call('POST', '/api/v1/categories', { name, entityId: entity?.id });
    categories.push((made.json() as { id: string }).id);
  }
  for (const [at, title] of [
    'No network in room 12',
    'Badge does not open the garage',
    'Spreadsheet crashes',
    'New screen please',
    'Printer prints blank pages',
    'Password of the projector',
  ].entries()) {
    await given.ticket({
      requester,
      title,
      urgency: (at % 5) + 1,
      categoryId: categories[at % categories.length],
    });
    clock.advance(3 * 3_600_000);
  }
  const { ticket } = await given.ticket({
    requester,
    title: 'The printer on the second floor eats paper',
    description: 'Since **this morning**:\n\n1. it hums\n2. it takes a page\n3. it stops\n\n> Error 0x7',
    categoryId: categories[0],
    urgency: 4,
  });
  const path = `/api/v1/tickets/${String(ticket.number)}`;
  await api(technician).call('PATCH', path, {
    version: 1,
    assignees: { users: [technician.id], groups: [] },
  });
  clock.advance(25 * 60_000);
  await api(technician).call('POST', `${path}/follow-ups`, { body: 'Have you tried the other tray?' });
  await api(technician).call('POST', `${path}/follow-ups`, {
    body: 'The fuser again.',
    visibility: 'private',
  });
  clock.advance(60 * 60_000);
  return { technician, requester, number: ticket.number };
}

async function lookAt(page: Page, path: string, name: string): Promise<void> {
  await page.goto(path);
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
  await screenshot(page, `tickets-${name}`);
}

describe.runIf(browserIsInstalled())('in a real browser', () => {
  test('every page about tickets is there for everybody, on a desk and on a phone, by day and by night', async () => {
    const app = await startTestApp();
    const { technician, requester, number } = await givenBusyDesk(app);
    const ticket = `/tickets/${String(number)}`;

    for (const [device, open, theme] of [
      ['desk', desktop, 'light'],
      ['phone', phone, 'dark'],
    ] as const) {
      const helper = await open(app.origin, { theme });
      await signIn(app, helper.context(), technician);
      for (const [name, path] of [
        ['home', '/'],
        ['list', '/tickets'],
        ['filtered', '/tickets?priority=4'],
        ['ticket', ticket],
        ['categories', '/admin/categories'],
      ] as const) {
        await lookAt(helper, path, `${device}-helper-${name}`);
      }
      const asker = await open(app.origin, { theme });
      await signIn(app, asker.context(), requester);
      for (const [name, path] of [
        ['home', '/'],
        ['list', '/tickets'],
        ['ticket', ticket],
        ['new', '/tickets/new?welcome=1'],
      ] as const) {
        await lookAt(asker, path, `${device}-asker-${name}`);
      }
    }
  }, 180_000);

  test('a pasted screenshot goes with the reply and is shown to the other side', async () => {
    const app = await startTestApp();
    const { technician, requester, number } = await givenBusyDesk(app);
    const page = await desktop(app.origin);
    await signIn(app, page.context(), requester);
    await page.goto(`/tickets/${String(number)}`);

    await page.getByLabel('Your words').fill('This is what it says:');
    await pastePicture(page);
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.waitForURL(/#follow-up-/);

    const other = await desktop(app.origin);
    await signIn(app, other.context(), technician);
    await other.goto(`/tickets/${String(number)}`);
    const shown = other.getByRole('link', { name: /screenshot\.png/ }).locator('img');
    await shown.scrollIntoViewIfNeeded();
    await expect
      .poll(() => shown.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth))
      .toBe(40);
  }, 60_000);

  test('keys lead through the list and to the reply', async () => {
    const app = await startTestApp();
    const { technician } = await givenBusyDesk(app);
    const page = await desktop(app.origin);
    await signIn(app, page.context(), technician);
    await page.goto('/tickets');

    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.locator('input[name="numbers"]:checked').waitFor();
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/tickets\/\d+$/);
    await page.keyboard.press('n');
    await page.keyboard.type('Only for us.');

    expect(await page.getByLabel('Your words').inputValue()).toBe('Only for us.');
    expect(await page.getByRole('radio', { name: 'Private note' }).isChecked()).toBe(true);
  }, 60_000);

  test('everything works without script', async () => {
    const app = await startTestApp();
    const { technician, requester, number } = await givenBusyDesk(app);
    const page = await phone(app.origin, { javaScript: false });
    await signIn(app, page.context(), requester);

    await page.goto('/tickets/new');
    await page.getByLabel('Subject').fill('The lamp flickers');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.waitForURL(/\/tickets\/\d+$/);

    const helper = await desktop(app.origin, { javaScript: false });
    await signIn(app, helper.context(), technician);
    await helper.goto(`/tickets/${String(number)}`);
    await helper.getByLabel('Your words').fill('Changed the roller.');
    await helper.getByRole('button', { name: 'Send as solution' }).click();
    await page.goto(`/tickets/${String(number)}`);
    await page.getByRole('button', { name: 'Yes, thank you' }).click();

    expect(await page.getByText('Thank you. The ticket is closed.').isVisible()).toBe(true);
    await screenshot(page, 'tickets-phone-closed');
  }, 60_000);
});

/** As a person does who has just taken a screenshot; a text, since it runs in the browser and not here. */
const pastePicture = (page: Page): Promise<unknown> =>
  page.evaluate(`(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 40, height: 30 });
    const blob = await new Promise((resolve) => canvas.toBlob(resolve));
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([blob], 'screenshot.png', { type: 'image/png' }));
    const paste = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
    document.querySelector('#reply textarea').dispatchEvent(paste);
  })()`);

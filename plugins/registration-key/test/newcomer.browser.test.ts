import { describe, expect, test } from 'vitest';
import {
  browserIsInstalled,
  desktop,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
} from '../../../test/support/browser.ts';
import type { Page } from 'playwright-core';
import { OWNER } from '../../../test/support/house.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { keyOf, PASSWORD } from './desk.ts';

async function signIn(page: Page): Promise<void> {
  await page.goto('/login');
  await page.fill('#field-email', OWNER.email);
  await page.fill('#field-password', OWNER.password);
  await page.click('main button[type=submit]');
}

async function rules(app: TestApp, draft: object = {}): Promise<void> {
  const owner = app.api(await app.given.owner());
  await owner.call('POST', '/api/v1/invitation-keys/steps', {
    phase: 'before',
    title: 'House rules',
    body: 'Be **kind**, and:\n\n- knock before you enter\n- switch the light off',
    agreement: 'I have read the house rules and keep to them.',
    ...draft,
  });
}

async function fillIn(page: Page, email: string): Promise<void> {
  await page.fill('#field-email', email);
  await page.fill('#field-name', 'Jo Martin');
  await page.fill('#field-password', PASSWORD);
}

describe.runIf(browserIsInstalled())('what a key brings along, in a browser', () => {
  for (const javaScript of [true, false]) {
    test(`is met on a phone ${javaScript ? 'with' : 'without'} scripts: rules, fixed data, questions, first steps`, async () => {
      const app = await startTestApp();
      await rules(app);
      await rules(app, { phase: 'after', title: 'Your first day', body: 'Fetch your badge.', agreement: '' });
      const { key } = await app.given.invitationKey({
        carries: {
          given: { department: { value: 'Sales', fixed: true }, phone: { value: '+33 1', fixed: false } },
          questions: [
            { label: 'Badge number', kind: 'text', required: true },
            { label: 'T-shirt', kind: 'choice', options: ['S', 'M'] },
            { label: 'Anything we should know?', kind: 'paragraph' },
            { label: 'Vegetarian?', kind: 'yes-no' },
          ],
        },
      });
      const page = await phone(app.origin, { javaScript, theme: javaScript ? 'light' : 'dark' });
      const look = (): Promise<void> => (javaScript ? expectAccessible(page) : expectNoSidewaysScroll(page));

      await page.goto(`/join/${key}`);
      await look();
      await page.check('#field-agreed');
      await page.click('button:has-text("Continue")');
      await look();
      expect(await page.getAttribute('[name="answer-profile-department"]', 'readonly')).not.toBeNull();
      await fillIn(page, 'jo@acme.test');
      await page.fill('[name="answer-question-badge-number"]', 'B-17');
      await page.selectOption('[name="answer-question-vegetarian"]', 'yes');
      await page.click('button:has-text("Create my account")');
      await look();
      expect(await page.textContent('h1')).toContain('Your first day');
      await page.click('button:has-text("Done")');

      expect(new URL(page.url()).pathname).toBe('/tickets/new');
    }, 60_000);
  }

  test('is written by an administrator, light and dark, desk and phone, and says what they will get', async () => {
    const app = await startTestApp({ mail: true });
    for (const [theme, open] of [
      ['light', desktop],
      ['dark', desktop],
      ['light', phone],
    ] as const) {
      const page = await open(app.origin, { theme });
      await signIn(page);
      await page.goto('/invitation-keys/steps');
      await expectAccessible(page);
      await page.goto('/invitation-keys/steps/new');
      await expectAccessible(page);
      await page.fill('#field-title', 'House rules');
      await page.fill('#field-body', 'Be kind.');
      await page.fill('#field-agreement', 'I will be kind.');
      await page.click('main button:has-text("Save")');
      await expectAccessible(page);
      await page.goto('/invitation-keys/new');
      await page.fill('#field-label', 'Interns');
      await page.click('summary:has-text("What it brings along")');
      await page.fill('#question-0', 'Badge number');
      await page.fill('#field-given-department', 'Sales');
      await page.fill('#field-accountDays', '90');
      await page.waitForSelector('.sentence:has-text("One question")');
      // As it opens: what filling has scrolled halfway under the bar on top is a scroll away from being reached.
      await page.evaluate('scrollTo(0, 0)');
      await expectAccessible(page);
      await page.click('button[value=mint]');
      const id = /invitation-keys\/(\w{26})/.exec(page.url())?.[1] ?? '';
      await page.goto(`/invitation-keys/${id}/edit`);
      await expectAccessible(page);
      await page.goto(`/invitation-keys/${id}/outcome`);
      await expectAccessible(page);
      await page.click('main a:has-text("House rules")');
      await expectAccessible(page);
      await page.goto(`/invitation-keys/${id}/preview`);
      await expectAccessible(page);
      expect(await page.isDisabled('.join-card button[type=submit]')).toBe(true);
      expect(await keyOf(app, id)).toMatchObject({ uses: 0 });
      await page.context().close();
    }
  }, 120_000);

  test('a double click is one account and one place, and no page of trouble', async () => {
    const app = await startTestApp();
    const { id, key } = await app.given.invitationKey();
    const page = await phone(app.origin);
    await page.goto(`/join/${key}`);
    await fillIn(page, 'jo@acme.test');

    await page.dblclick('button:has-text("Create my account")');
    await page.waitForURL('**/tickets/new*');

    expect(await keyOf(app, id)).toMatchObject({ uses: 1 });
  });

  test('people are approved together or by their domain, with their answers before the approver', async () => {
    const app = await startTestApp();
    const { key } = await app.given.invitationKey({
      approval: 'manual',
      carries: { questions: [{ label: 'Who is your manager?', kind: 'text', required: true }] },
    });
    for (const name of ['ada', 'blaise', 'chloe']) {
      const page = await phone(app.origin);
      await page.goto(`/join/${key}`);
      await fillIn(page, `${name}@acme.test`);
      await page.fill('[name="answer-question-who-is-your-manager"]', 'Marie Curie');
      await page.click('button:has-text("Create my account")');
      expect(await page.textContent('h1')).toContain('Almost there');
      await page.context().close();
    }
    const page = await desktop(app.origin);
    await signIn(page);
    await page.goto('/invitation-keys/approvals');
    expect(await page.textContent('main')).toContain('Marie Curie');
    await expectAccessible(page);

    await page.check('tr:has-text("ada@acme.test") input[type=checkbox]');
    await page.check('tr:has-text("blaise@acme.test") input[type=checkbox]');
    await page.click('button[value=approve]');
    await page.check('tr:has-text("chloe@acme.test") input[type=checkbox]');
    await page.click('button[value=decline]');

    const people = app.house.domains.users;
    expect(await people.findByEmail('ada@acme.test')).toMatchObject({ status: 'active' });
    expect(await people.findByEmail('blaise@acme.test')).toMatchObject({ status: 'active' });
    expect(await people.findByEmail('chloe@acme.test')).toBeNull();
  }, 60_000);

  test('the page of a person shows what came along, and lets an administrator move the end', async () => {
    const app = await startTestApp();
    const person = await app.given.user({ name: 'Jo Martin' });
    const owner = app.api(await app.given.owner());
    const { version, number } = (await owner.call('GET', `/api/v1/users/${person.id}`)).json() as {
      version: number;
      number: number;
    };
    await owner.call('PATCH', `/api/v1/users/${person.id}`, {
      version,
      endsAt: '2099-06-30T10:00:00Z',
      attributes: { phone: '+33 1 23 45 67 89', 'cost-centre': '4711' },
    });
    for (const open of [desktop, phone]) {
      const page = await open(app.origin);
      await signIn(page);
      await page.goto(`/admin/users/${String(number)}`);
      await expectAccessible(page);
      expect(await page.inputValue('#attribute-phone')).toBe('+33 1 23 45 67 89');
      expect(await page.inputValue('#field-endsAt')).toBe('2099-06-30T12:00');
      await page.context().close();
    }
  }, 60_000);
});

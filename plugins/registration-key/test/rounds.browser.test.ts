import { describe, expect, test } from 'vitest';
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
import { PASSWORD } from './desk.ts';

type Page = Awaited<ReturnType<typeof desktop>>;

async function signedIn(page: Page): Promise<Page> {
  await page.goto('/login');
  await page.fill('#field-email', OWNER.email);
  await page.fill('#field-password', OWNER.password);
  await page.click('main button[type=submit]');
  return page;
}

const file = (name: string, text: string): { name: string; mimeType: string; buffer: Buffer } => ({
  name,
  mimeType: 'text/csv',
  buffer: Buffer.from(text),
});

const follow = (app: TestApp): Promise<void> => app.house.domains.jobs.runNow('registration-key.send-rounds');

const people = [
  'Name;E-mail;Groups',
  'Ana Lund;ana@acme.test;Paris',
  'Bo Holm;bo@acme.test;',
  'Cy;not an address;',
  'Ana again;ANA@acme.test;',
  'Dora;dora@acme.test;Lost group',
].join('\n');

describe.runIf(browserIsInstalled())('inviting many people, in a browser', () => {
  test('goes from a table over its preview and the sending to who has joined, and again to the others', async () => {
    const app = await startTestApp({ mail: true });
    const page = await signedIn(await desktop(app.origin));

    await page.goto('/invitation-keys/rounds/new');
    await expectAccessible(page);
    await page.setInputFiles('#field-file', file('people.csv', people));
    await page.click('main button[type=submit]');
    await page.waitForSelector('input[name^="fix-"]');
    await expectAccessible(page);
    await screenshot(page, 'round-preview');
    await page.fill('input[name^="fix-"]', 'cy@acme.test');
    await page.click('button:has-text("Check again")');
    await page.goto(page.url().replace(/\?.*/, '?show=ready'));
    expect(await page.textContent('main')).toContain('4 people can be invited.');
    await page.fill('#field-message', 'See you on Monday.\nMarie');
    await page.click('button:has-text("Invite them")');
    await page.waitForSelector('#round-progress:has-text("4 of 4")');
    await app.mailbox.next('bo@acme.test');
    await expect
      .poll(
        async () => {
          await follow(app);
          return page.textContent('#round-progress');
        },
        { timeout: 10_000 },
      )
      .toContain('Taken by the mail server');
    await expectAccessible(page);
    await screenshot(page, 'round-sent');

    const letter = await app.mailbox.next('ana@acme.test');
    const guest = await phone(app.origin);
    await guest.goto(letter.links[0] ?? '');
    expect(await guest.inputValue('#field-email')).toBe('ana@acme.test');
    await guest.fill('#field-name', 'Ana Lund');
    await guest.fill('#field-password', PASSWORD);
    await guest.click('button:has-text("Create my account")');
    await guest.waitForURL('**/tickets/new**');
    await app.settle();

    await page.reload();
    await screenshot(page, 'round-joined');
    expect(await page.textContent('#round-progress')).toContain('joined');
    await page.click('summary:has-text("Write again")');
    await page.click('.confirm__panel button[type=submit]');
    await page.waitForSelector('#round-progress:has-text("3 of 3")');
    expect((await app.mailbox.next('dora@acme.test')).text).toContain('See you on Monday.');
    await expect
      .poll(() => app.mailbox.letters.filter(({ to }) => to[0] === 'dora@acme.test').length)
      .toBe(2);
    expect(app.mailbox.letters.filter(({ to }) => to[0] === 'ana@acme.test')).toHaveLength(2);
  });

  for (const theme of ['light', 'dark'] as const)
    test(`can be read by all on a phone and at a desk, ${theme}`, async () => {
      const app = await startTestApp({ mail: true });
      const owner = app.api(await app.given.owner());
      const rounds = '/api/v1/invitation-keys/rounds';
      const { id: keyId } = await app.given.invitationKey({
        emailProof: 'required',
        label: 'Paris office',
        maxUses: 50,
      });
      const draft = (await owner.call('POST', rounds, { people })).json();
      const list = (await owner.call('POST', rounds, { people: 'x@acme.test\ny@acme.test', keyId })).json();
      await owner.call('POST', `${rounds}/${String(list.id)}/start`, {
        kind: 'roster',
        mails: true,
        keepsAddresses: true,
      });
      await app.mailbox.next('y@acme.test');
      await follow(app);
      const paths = {
        rounds: '/invitation-keys/rounds',
        new: `/invitation-keys/rounds/new?key=${keyId}`,
        numbers: '/invitation-keys/rounds/new?numbers=true',
        draft: `/invitation-keys/rounds/${String(draft.id)}`,
        ready: `/invitation-keys/rounds/${String(draft.id)}?show=ready`,
        round: `/invitation-keys/rounds/${String(list.id)}`,
        roster: `/invitation-keys/${keyId}/roster`,
        invited: `/invitation-keys/${keyId}/invited`,
        key: `/invitation-keys/${keyId}`,
      };

      for (const [device, open] of Object.entries({ phone, desktop })) {
        const page = await signedIn(await open(app.origin, { theme }));
        for (const [name, path] of Object.entries(paths)) {
          await page.goto(path);
          await expectAccessible(page);
          await expectNoSidewaysScroll(page);
          await screenshot(page, `reach-${name}-${device}-${theme}`);
        }
      }
    });
});

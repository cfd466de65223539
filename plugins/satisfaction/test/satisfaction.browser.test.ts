import { createTestHost, hours, type TestHost } from 'latchkey/plugin-test';
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

const said = [
  [5, 'Ten minutes, and it prints again. Thank you!'],
  [5, ''],
  [4, 'Quick. I would have liked to know **why** it broke.'],
  [5, 'As always.'],
  [3, ''],
  [2, 'It took four days.'],
] as const;

describe.runIf(browserIsInstalled())('how satisfied people are, in a browser', () => {
  for (const theme of ['light', 'dark'] as const) {
    test(`is said on the phone and read at a desk, ${theme}`, async () => {
      const host = await createTestHost({ plugin: new URL('..', import.meta.url), mail: true });
      const links = await askedSix(host);
      for (const [at, [rating, comment]] of said.slice(1).entries())
        await host.guest().submit(links[at + 1] ?? '', { rating: String(rating), comment });
      await host.settle();

      const hand = await phone(host.origin, { theme, locale: theme === 'dark' ? 'fr' : 'en' });
      await hand.goto(`${new URL(links[0] ?? '').pathname}?rating=5`);
      await expectAccessible(hand);
      await expectNoSidewaysScroll(hand);
      await screenshot(hand, `satisfaction-answer-${theme}-phone`);
      await hand.fill('textarea', said[0][1]);
      await hand.click('button[type=submit]');
      await hand.waitForSelector('.face-given');
      await expectAccessible(hand);
      await screenshot(hand, `satisfaction-thanks-${theme}-phone`);

      const page = await (theme === 'light' ? desktop : phone)(host.origin, { theme });
      await page.goto('/login');
      await page.fill('#field-email', OWNER.email);
      await page.fill('#field-password', OWNER.password);
      await page.click('main button[type=submit]');
      for (const [name, path] of [
        ['results', '/p/satisfaction'],
        ['home', '/'],
        ['ticket', '/tickets/1'],
      ] as const) {
        await page.goto(path);
        await expectAccessible(page);
        await expectNoSidewaysScroll(page);
        await screenshot(page, `satisfaction-${name}-${theme}`);
      }
      expect(await page.textContent('main')).toContain('rated the help');
    });
  }
});

/** Six tickets of six people, solved, and the links they were sent. */
async function askedSix({ given, house, settle, clock, runJob, mailbox }: TestHost): Promise<string[]> {
  const { tickets, users } = house.domains;
  const helper = await users.actorOf((await given.technician()).id);
  if (!helper) throw new Error('Nobody helps');
  const people = [];
  for (const title of ['The printer jams', 'No coffee', 'VPN', 'Badge lost', 'New screen', 'Slow laptop']) {
    const { ticket, requester } = await given.ticket({ title });
    await tickets.solutions.propose(helper, ticket.number, { body: 'Done.' });
    people.push(requester);
  }
  await settle();
  clock.advance(hours(25));
  await runJob('ask');
  await settle();
  const letters = mailbox.letters.filter(({ text }) => text.includes('/p/satisfaction/'));
  return people.map(({ email }) => letters.find(({ to }) => to.includes(email))?.links[0] ?? '');
}

import { describe, expect, test } from 'vitest';
import { defineEvent } from '../../src/hooks/index.ts';
import { holdBackground } from '../../src/jobs/index.ts';
import {
  browserIsInstalled,
  desktop,
  expectAccessible,
  expectNoSidewaysScroll,
  phone,
  screenshot,
} from '../support/browser.ts';
import { hours, minutes } from '../support/clock.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const moved = defineEvent<{ to: string }>({ name: 'test.moved', summary: 'It moved.', since: '0.1.0' });
const pages = ['/admin/mail', '/admin/background', '/notifications', '/account/notifications'];

describe.runIf(browserIsInstalled())('mail, notifications and work in the background', () => {
  test('can be used by everybody on a phone', async () => {
    const app = await startBusyApp();
    await look(app, await phone(app.origin), 'phone');
  });

  test('can be used by everybody at a desk in the dark', async () => {
    const app = await startBusyApp();
    await look(app, await desktop(app.origin, { theme: 'dark' }), 'desktop-dark');
  });
});

async function look(app: TestApp, page: Awaited<ReturnType<typeof phone>>, name: string): Promise<void> {
  const owner = app.as(await app.given.owner());
  await owner.get('/');
  await page
    .context()
    .addCookies([...owner.cookies].map(([key, value]) => ({ name: key, value, url: app.origin })));
  for (const path of pages) {
    await page.goto(path);
    expect(new URL(page.url()).pathname).toBe(path);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await screenshot(page, `${path.slice(1).replaceAll('/', '-')}-${name}`);
  }
}

/** Mail that left and mail that did not, an event that nobody can take, and news for the owner. */
async function startBusyApp(): Promise<TestApp> {
  const app = await startTestApp({ mail: true, work: false });
  const { db, house, given, mailbox, settle, clock } = app;
  const { mail, notifications } = house.domains;
  const { hooks } = house.ground;
  const owner = await given.owner();
  const draft = { template: 'mail/test', model: { sender: 'Marie' }, locale: 'en', kind: 'test' };
  await db.transaction((tx) => mail.queue(tx, { ...draft, to: { email: 'ada@example.org' } }));
  await settle();
  mailbox.refuse(true);
  await db.transaction((tx) => mail.queue(tx, { ...draft, to: { email: 'blaise@example.org' } }));
  hooks.onEvent('mover', moved, () => Promise.reject(new Error('the van broke down')));
  await db.transaction((tx) => hooks.emit(tx, moved, { to: 'Paris' }, { aggregate: 'box:1' }));
  await settle();
  for (const [at, kind] of ['ticket.assigned', 'ticket.replied', 'ticket.solved'].entries()) {
    await db.transaction((tx) =>
      notifications.notify(tx, {
        userIds: [owner.id],
        kind,
        subject: { type: 'ticket', id: String(at) },
        link: '/tickets/7',
        params: { actor: 'Marie Dupont', number: 7, title: 'The printer jams' },
      }),
    );
    clock.advance(minutes(7));
  }
  clock.advance(hours(1));
  await db.transaction((tx) =>
    holdBackground(tx, { name: 'restore', reason: 'restore', since: clock.now() }),
  );
  return app;
}

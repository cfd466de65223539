import { expect, test } from 'vitest';
import { describeOnEachEngine, freshDatabase } from '../support/databases.ts';
import { minutes } from '../support/clock.ts';
import { HttpClient } from '../support/http-client.ts';
import { startServer } from '../support/server.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { MASTER_KEY, openShell } from './shell.ts';

const LONG = { timeout: 90_000 };
const answers = {
  locale: 'en',
  organisation: 'Acme',
  name: 'Ada Moreau',
  email: 'ada@example.org',
  password: 'a quiet lamp at night',
  timeZone: 'Europe/Paris',
  origin: '',
};

const linkOf = async ({ house }: TestApp): Promise<string> =>
  `/setup/${(await house.domains.ownerLink.issue()) ?? ''}`;

describeOnEachEngine('the owner link', (engine) => {
  test('opens for an hour and not a minute longer', async () => {
    const app = await startTestApp({ engine, isNew: true });
    const link = await linkOf(app);

    app.clock.advance(minutes(59));
    expect((await app.guest().get(link)).status).toBe(200);

    app.clock.advance(minutes(2));
    expect((await app.guest().get(link)).status).toBe(404);
  });

  test('is spent by the set-up, not by looking at it, and then never opens again', async () => {
    const app = await startTestApp({ engine, isNew: true });
    const link = await linkOf(app);
    await app.guest().get(link);
    await app.guest().get(link);

    const set = await app.guest().submit(link, answers);
    const again = await app.guest().get(link);

    expect(set.status).toBe(200);
    expect(again.status).toBe(410);
    expect(await app.house.domains.ownerLink.issue()).toBeNull();
  });

  test('loses its power when the next one is made', async () => {
    const app = await startTestApp({ engine, isNew: true });
    const [first, second] = [await linkOf(app), await linkOf(app)];

    expect((await app.guest().get(first)).status).toBe(404);
    expect((await app.guest().get(second)).status).toBe(200);
  });

  test('makes one owner, however many browsers send the form at once', async () => {
    const app = await startTestApp({ engine, isNew: true });
    const link = await linkOf(app);
    const browsers = Array.from({ length: 4 }, () => app.guest());
    const opened = await Promise.all(
      browsers.map(async (browser) => ({ browser, page: await browser.get(link) })),
    );

    await Promise.all(
      opened.map(({ browser, page }, at) =>
        browser.submitShown(page, { ...answers, email: `ada${String(at)}@example.org` }),
      ),
    );

    expect(await app.db.knex('users')).toHaveLength(1);
  });

  test('is printed by every start until there is an owner', LONG, async () => {
    const { url } = await freshDatabase(engine, { empty: true });
    const first = await startServer({ databaseUrl: url });
    await first.says(/Owner link: /);
    const { dataDir, ownerLink } = first;
    await first.stop();
    const second = await startServer({ databaseUrl: url, dataDir });
    await second.says(/Owner link: /);
    const browser = new HttpClient(second.url);

    const old = await browser.get(new URL(ownerLink ?? '').pathname);
    await browser.submit(new URL(second.ownerLink ?? '').pathname, answers);
    await second.stop();
    const third = await startServer({ databaseUrl: url, dataDir });

    expect(first.logs).toContainEqual(`Latchkey is ready at ${first.url}`);
    expect(ownerLink).toMatch(new RegExp(`^${first.url}/setup/lkown_[0-9A-Z]{32}$`));
    expect(second.ownerLink).not.toBe(ownerLink);
    expect(old.status).toBe(404);
    expect(third.ownerLink).toBeNull();
    await browser.close();
  });
});

test('whoever makes a super-admin on the command line needs no owner link any more', LONG, async () => {
  const { url } = await freshDatabase('sqlite', { empty: true });
  const { latchkey, dataDir } = await openShell({ LATCHKEY_DATABASE_URL: url, LATCHKEY_KEY: MASTER_KEY });
  await latchkey('user create --email ada@example.org --name Ada --profile super-admin --password-stdin', {
    stdin: answers.password,
  });

  const server = await startServer({ databaseUrl: url, dataDir, env: { LATCHKEY_KEY: MASTER_KEY } });

  expect(server.ownerLink).toBeNull();
});

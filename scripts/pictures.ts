/** Takes the pictures of the README in a seeded house, with Chromium: `npm run pictures`. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { runProgram } from '../bench/run-program.ts';
import { findProgram } from '../test/support/programs.ts';
import { spawnServer, type TestServer } from '../test/support/server-process.ts';

const INTO = join(import.meta.dirname, '../docs/images');
const desk = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 760 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };

interface Demo {
  password: string;
  signIn: { role: string; email: string }[];
}

interface House {
  browser: Browser;
  server: TestServer;
  demo: Demo;
}

const folder = await mkdtemp(join(tmpdir(), 'latchkey-pictures-'));
await mkdir(INTO, { recursive: true });
const demo = (await runProgram('src/cli.ts', ['seed', 'demo', '--json'], {
  LATCHKEY_DATA_DIR: folder,
})) as Demo;
const invitation = (await runProgram(
  'src/cli.ts',
  ['invite', 'create', '--label', 'Physics, first term', '--note', 'Welcome! Ask us anything.', '--json'],
  { LATCHKEY_DATA_DIR: folder },
)) as { id: string; key: string };
const server = await spawnServer({ dataDir: folder });
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM_PATH'] ?? findProgram('chromium', 'google-chrome') ?? '',
  args: ['--no-sandbox'],
});
try {
  await takeAll({ browser, server, demo });
} finally {
  await browser.close();
  await server.stop();
  await rm(folder, { recursive: true });
}

async function takeAll(house: House): Promise<void> {
  const owner = await signedIn(house, 'Owner', 'light');
  await owner.goto('/');
  await picture(owner, 'home');
  await owner.goto('/invitation-keys');
  await picture(owner, 'invitations');
  await owner.goto('/invitation-keys/overview');
  await picture(owner, 'overview');

  const technician = await signedIn(house, 'Supervisor', 'dark');
  await technician.goto('/tickets');
  await picture(technician, 'tickets-dark');

  const newcomer = await open(house, phone, 'light');
  await newcomer.goto(`/join/${invitation.key}`);
  await picture(newcomer, 'join-phone');
}

async function open(
  { browser, server }: House,
  device: BrowserContextOptions,
  colorScheme: 'light' | 'dark',
): Promise<Page> {
  const context = await browser.newContext({
    ...device,
    colorScheme,
    baseURL: server.url,
    locale: 'en-GB',
    reducedMotion: 'reduce',
  });
  return context.newPage();
}

async function signedIn(house: House, role: string, colorScheme: 'light' | 'dark'): Promise<Page> {
  const page = await open(house, desk, colorScheme);
  await page.goto('/login');
  await page
    .locator('[name=email]')
    .fill(house.demo.signIn.find((person) => person.role === role)?.email ?? '');
  await page.locator('[name=password]').fill(house.demo.password);
  await page.locator('form button[type=submit]').first().click();
  await page.waitForURL((url) => url.pathname !== '/login');
  return page;
}

async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(INTO, `${name}.png`) });
}

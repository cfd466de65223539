import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright-core';
import { expect, inject } from 'vitest';
import { afterFile, afterwards } from './cleanup.ts';
import { missing } from './loud.ts';
import { findProgram, isExecutable } from './programs.ts';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

const devices = {
  /** A small current phone, held upright. */
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1280, height: 860 } },
} as const;

export interface Look {
  theme?: 'light' | 'dark';
  javaScript?: boolean;
  locale?: string;
}

const withoutJavaScript = new WeakSet<Page>();
let browser: Promise<Browser> | null = null;

/** Where Chromium is; null where it is not installed. */
export const chromiumPath = (): string | null => {
  const given = process.env['CHROMIUM_PATH'];
  if (given !== undefined) return isExecutable(given) ? given : null;
  return findProgram('chromium', 'chromium-browser', 'google-chrome');
};

/** Whether browser tests can run here: `describe.runIf(browserIsInstalled())`. Says so loudly where not. */
export function browserIsInstalled(): boolean {
  if (chromiumPath() !== null) return true;
  missing(
    'Chromium is not installed: every test in a browser is SKIPPED.',
    'Install chromium, or set CHROMIUM_PATH',
  );
  return false;
}

/** A new person with a phone, nothing in its cookies. */
export const phone = (origin: string, look: Look = {}): Promise<Page> =>
  openPage(origin, devices.phone, look);

/** A new person at a desk. */
export const desktop = (origin: string, look: Look = {}): Promise<Page> =>
  openPage(origin, devices.desktop, look);

/** A page whose relative addresses begin at `origin`: `await page.goto('/join')`. */
async function openPage(origin: string, device: BrowserContextOptions, look: Look): Promise<Page> {
  const context = await newContext({
    ...device,
    baseURL: origin,
    colorScheme: look.theme ?? 'light',
    javaScriptEnabled: look.javaScript ?? true,
    locale: look.locale ?? 'en-GB',
    timezoneId: 'Europe/Paris',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  if (look.javaScript === false) withoutJavaScript.add(page);
  failOnBrokenPages(page);
  return page;
}

async function newContext(options: BrowserContextOptions): Promise<BrowserContext> {
  browser ??= launch();
  const context = await (await browser).newContext(options);
  context.setDefaultTimeout(15_000);
  afterwards(() => context.close());
  return context;
}

async function launch(): Promise<Browser> {
  afterFile(closeBrowser);
  return chromium.launch({
    executablePath: chromiumPath() ?? '',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
  });
}

/** A script that fails or a rule of the content policy that is broken fails the test, whatever it was about. */
function failOnBrokenPages(page: Page): void {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy|SyntaxError/i.test(message.text()))
      problems.push(message.text());
  });
  afterwards(() => {
    expect(problems, 'what the browser complained about').toEqual([]);
  });
}

interface Violation {
  id: string;
  help: string;
  nodes: { target: unknown; html: string; failureSummary?: string }[];
}

/** axe finds nothing against WCAG 2.2 AA on the page as it is now. axe is a script, so not on pages opened with `javaScript: false`. */
export async function expectAccessible(page: Page): Promise<void> {
  if (withoutJavaScript.has(page)) throw new Error('axe cannot look at a page that runs no scripts');
  const violations = await violationsOn(page);
  const told = violations.map(({ id, help, nodes }) => ({
    id,
    help,
    where: nodes.map(({ html, failureSummary }) => `${html.slice(0, 200)} – ${failureSummary ?? ''}`),
  }));
  expect(told, `accessibility of ${page.url()}`).toEqual([]);
}

/** An isolated world is beyond the page's content policy, so axe can run where inline scripts cannot. */
async function violationsOn(page: Page): Promise<Violation[]> {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
  });
  await session.send('Runtime.evaluate', {
    expression: await readFile(axePath, 'utf8'),
    contextId: executionContextId,
  });
  const { result } = await session.send('Runtime.evaluate', {
    contextId: executionContextId,
    awaitPromise: true,
    returnByValue: true,
    expression: `axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }).then(({ violations }) => violations)`,
  });
  await session.detach();
  return result.value as Violation[];
}

/** Keeps a picture: in the run's folder, or for good in LATCHKEY_TEST_SCREENSHOTS. */
export async function screenshot(page: Page, name: string): Promise<string> {
  const folder = process.env['LATCHKEY_TEST_SCREENSHOTS'] ?? join(inject('folder'), 'screenshots');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, fullPage: true });
  return path;
}

/** No part of the page is wider than the screen: nobody scrolls sideways on a phone. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const [wide, screen] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  );
  expect(wide, `width of ${page.url()}`).toBeLessThanOrEqual(screen);
}

async function closeBrowser(): Promise<void> {
  const open = browser;
  browser = null;
  await (await open)?.close();
}

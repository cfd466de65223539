import { system } from '../../../src/shared/actor.ts';
import type { Engine } from '../../../test/support/databases.ts';
import type { Person } from '../../../test/support/given.ts';
import type { Answer, HttpClient } from '../../../test/support/http-client.ts';
import { CLIENT, OpenidProvider } from '../../../test/support/openid-provider.ts';
import { startTestApp, type TestApp, type TestAppOptions } from '../../../test/support/test-app.ts';

interface Setup {
  title?: string;
  slug?: string;
  trustedDomains?: string;
  assumesVerified?: boolean;
  isTwoFactor?: boolean;
  secret?: string;
}

/** A house with the plugin on, and outbound calls to this machine allowed. */
export async function openHouse(
  engine: Engine,
  options: Omit<TestAppOptions, 'engine'> = {},
): Promise<TestApp> {
  const app = await startTestApp({ engine, config: { OUTBOUND_ALLOW: '127.0.0.1' }, ...options });
  await app.house.plugins.enable(system, 'openid-connect');
  return app;
}

/** A provider, set up on its page as the owner does it. */
export async function withProvider(app: TestApp, setup: Setup = {}): Promise<OpenidProvider> {
  const provider = await new OpenidProvider().start();
  await setUp(app, provider, setup);
  return provider;
}

export async function setUp(app: TestApp, { issuer }: OpenidProvider, setup: Setup = {}): Promise<Answer> {
  const { title = 'Acme', secret = CLIENT.secret, slug = '', trustedDomains = '' } = setup;
  const ticks = { assumesVerified: setup.assumesVerified, isTwoFactor: setup.isTwoFactor };
  return app
    .as(await app.given.owner())
    .submit(
      '/admin/openid-connect/new',
      { title, slug, issuer, clientId: CLIENT.id, secret, trustedDomains, ...ticks },
      { action: '/admin/openid-connect' },
    );
}

/** From a link of ours to the provider and back, as a browser goes; where it ends up. */
export async function goBy(browser: HttpClient, provider: OpenidProvider, link: string): Promise<Answer> {
  return browser.get(await backFrom(browser, provider, link));
}

/** The same without the last step: path and query that the provider sends the browser back to. */
export async function backFrom(browser: HttpClient, provider: OpenidProvider, link: string): Promise<string> {
  const { headers } = await browser.send(link, { method: 'GET' });
  const back = new URL(await provider.visit(String(headers['location'])));
  return `${back.pathname}${back.search}`;
}

export const SIGN_IN = '/login/with/openid-connect.acme';

export const isSignedIn = async (browser: HttpClient): Promise<boolean> =>
  (await browser.send('/account', { method: 'GET' })).status === 200;

/** Whose session this browser holds. */
export async function whoIs(browser: HttpClient): Promise<string | null> {
  const { text, url } = await browser.get('/account');
  return url.endsWith('/account') ? (/[\w.]+@[\w.]+/.exec(words(text))?.[0] ?? null) : null;
}

/** Links the provider to an account by its owner's own hand. */
export async function linked(app: TestApp, person: Person, provider: OpenidProvider): Promise<HttpClient> {
  const browser = app.as(person);
  const page = await goBy(browser, provider, '/account/identities/with/openid-connect.acme');
  await browser.submitShown(page, {}, { action: '/account/identities' });
  return browser;
}

/** What no page does. */
export const write = (app: TestApp, table: string, where: object, values: object): Promise<unknown> =>
  app.db.transaction((tx) => tx.knex(table).where(where).update(values));

export const identities = ({ db }: TestApp): Promise<{ user_id: string; subject: string }[]> =>
  db.knex('user_identity').select('user_id', 'subject');

export const words = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

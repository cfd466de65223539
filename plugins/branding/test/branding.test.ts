import { pageBrand } from 'latchkey/plugin-api';
import { createTestHost, type HttpClient, type TestHost } from 'latchkey/plugin-test';
import { FormData } from 'undici';
import { expect, test } from 'vitest';
import { describeOnEachEngine, freshDatabase } from '../../../test/support/databases.ts';
import { contrastOn, LEAST_CONTRAST, lettersOn, readable } from '../src/colour.ts';

const plugin = new URL('..', import.meta.url);
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** Fills the form as the page shows it. */
async function brand(person: HttpClient, fields: Record<string, string>, logo?: Buffer) {
  const { text } = await person.get('/p/branding');
  const form = new FormData();
  for (const name of ['_csrf', 'version'])
    form.set(name, new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? '');
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  if (logo) form.set('logo', new Blob([new Uint8Array(logo)], { type: 'image/png' }), 'logo.png');
  return person.upload('/p/branding', form);
}

test('a colour that is too faint becomes the nearest one that is not', () => {
  for (const colour of ['#ffd500', '#57d1c4', '#0e6f6b', '#1a1a6e', '#ffffff', '#000000']) {
    for (const theme of ['light', 'dark'] as const)
      expect(contrastOn(readable(colour, theme), theme)).toBeGreaterThanOrEqual(LEAST_CONTRAST);
  }
  expect(readable('#0e6f6b', 'light')).toBe('#0e6f6b');
  expect([lettersOn('#0e6f6b'), lettersOn('#57d1c4')]).toEqual(['#ffffff', '#0b1f1d']);
});

describeOnEachEngine('the look of the house', (engine) => {
  const start = async (options: { mail?: boolean } = {}): Promise<TestHost> =>
    createTestHost({ plugin, databaseUrl: (await freshDatabase(engine)).url, ...options });

  test('is chosen by an administrator and seen by everybody, before they sign in too', async () => {
    const { as, guest, given, house } = await start();
    const administrator = as(await given.administrator());

    const kept = await brand(administrator, { colours: 'own', light: '#7a1f5c', dark: '#f0a6d8' }, PIXEL);
    const { text } = await guest().get('/login');
    const logo = /<img class="brand__logo" src="([^"]+)"/.exec(text)?.[1] ?? '';
    const style = /href="(\/p\/branding\/style\/[^"]+)"/.exec(text)?.[1] ?? '';

    expect(kept.status).toBe(303);
    expect(await guest().get(logo)).toMatchObject({
      status: 200,
      headers: { 'content-type': 'image/png', 'cache-control': expect.stringContaining('immutable') },
    });
    expect((await guest().get(style)).text).toContain('--lk-accent: light-dark(#7a1f5c, #f0a6d8)');
    expect((await administrator.get('/')).text).toContain(logo);
    const { url } = await given.invitationKey();
    expect((await guest().get(new URL(url).pathname)).text).toContain(
      `<img class="join__logo" src="${logo}"`,
    );
    const mail = house.ground.renderer.renderMail(
      'mail/test',
      {},
      {
        locale: 'en',
        timeZone: 'UTC',
        origin: 'https://help.example.org',
        organisation: { name: 'Example', ...(await house.ground.hooks.filter(pageBrand, {}, {})) },
      },
    );
    expect(mail.html).toContain(`src="https://help.example.org${logo}"`);
    expect(mail.html).toContain('.button { background: #7a1f5c; color: #ffffff; }');
  });

  test('is what it was when a colour cannot be read, a file is no picture, or somebody was quicker', async () => {
    const { as, guest, given } = await start();
    const administrator = as(await given.administrator());

    const faint = await brand(administrator, { colours: 'own', light: '#ffd500', dark: '#f0a6d8' });
    const noPicture = await brand(
      administrator,
      { colours: 'usual' },
      Buffer.from('<svg onload="alert(1)"/>'),
    );
    const tooLarge = await brand(
      administrator,
      { colours: 'usual' },
      Buffer.concat([PIXEL, Buffer.alloc(300_000)]),
    );
    const late = await brand(administrator, {
      colours: 'own',
      light: '#7a1f5c',
      dark: '#f0a6d8',
      version: '7',
    });

    expect(faint.status).toBe(422);
    expect(faint.text).toMatch(/Too faint to read: its contrast is 1\.\d.* would do\./);
    expect(faint.text).toContain('value="#ffd500"');
    expect(noPicture.text).toContain('Use a PNG, JPEG or WebP picture.');
    expect(tooLarge.text).toContain('The picture is larger than 200 KB.');
    expect(late.status).toBe(409);
    expect((await guest().get('/login')).text).not.toContain('/p/branding');
  });

  test('is not for others to choose, and gone with the plugin', async () => {
    const { as, guest, given, disable, expectCleanUnload } = await start();
    const technician = as(await given.technician());
    await brand(as(await given.owner()), { colours: 'usual' }, PIXEL);
    const { text } = await guest().get('/login');
    const logo = /<img class="brand__logo" src="([^"]+)"/.exec(text)?.[1] ?? '';

    expect((await technician.get('/p/branding')).status).toBe(403);
    expect((await technician.upload('/p/branding', new FormData())).status).toBe(403);
    await expectCleanUnload();
    await disable();
    expect((await guest().get('/login')).text).not.toContain('brand__logo');
    expect((await guest().get(logo)).status).toBe(404);
  });
});

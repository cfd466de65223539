import jsQrModule from 'jsqr';
import QRCode from 'qrcode';
import { describe, expect, test } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { unescapeHtml } from '../../../test/support/http-client.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { qrLink } from '../src/sharing/qr-link.ts';
import { spelled } from '../src/sharing/spelling.ts';
import { joinByApi, joinByBrowser, keyOf, somebody } from './desk.ts';

const jsQr = jsQrModule.default;
const KEY = 'lkinv_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN';

describe('a QR code', () => {
  test('carries the link in capitals, in the compact mode, smaller than the link as it is', () => {
    const versionOf = (url: string): number => QRCode.create(url, { errorCorrectionLevel: 'M' }).version;
    const hosts = ['https://d.test', 'https://desk.example.org', 'https://helpdesk.example-company.com'];

    const versions = hosts.map((origin) => [
      versionOf(qrLink(origin, KEY)),
      versionOf(`${origin}/join/${KEY}`),
    ]);

    expect(qrLink('https://desk.example.org', KEY)).toBe(
      'HTTPS://DESK.EXAMPLE.ORG/JOIN/WR0Z-KX7B-HVCN-RDJ2-3KYQ-FM81-7EGY-TPJN',
    );
    expect(QRCode.create(qrLink(hosts[1] ?? '', KEY)).segments).toHaveLength(1);
    expect(versions).toEqual([
      [3, 4],
      [4, 4],
      [4, 5],
    ]);
    expect(qrLink('https://example.org/desk', KEY)).toBe(`https://example.org/desk/join/${KEY}`);
  });

  test('opens the form, capitals and all', async () => {
    const app = await startTestApp();
    const { key } = await app.given.invitationKey();
    const link = new URL(qrLink(app.origin, key));
    expect(link.pathname).toMatch(/^\/JOIN\/[0-9A-Z-]{39}$/);

    const page = await app.guest().get(link.pathname);

    expect(page.status).toBe(200);
    expect(page.text).toContain('action="/join"');
    expect(page.url).not.toContain(key.slice(6));
  });
});

describe('reading a key aloud', () => {
  test('has a word for every symbol, in English and in French', () => {
    expect(spelled('WR0Z9', 'en')).toEqual([
      { number: 1, symbols: 'WR0Z', words: ['Whiskey', 'Romeo', 'zero', 'Zulu'] },
      { number: 2, symbols: '9', words: ['nine'] },
    ]);
    expect(spelled('WR0Z', 'fr')[0]?.words).toEqual(['William', 'Raoul', 'zéro', 'Zoé']);
    for (const language of ['en', 'fr'] as const) {
      const words = spelled('0123456789ABCDEFGHJKMNPQRSTVWXYZ', language).flatMap((group) => group.words);
      expect(new Set(words).size).toBe(32);
    }
  });
});

describe('the link of an invitation', () => {
  test('is there to be sent, saved, read aloud and printed, for whoever made it and nobody else', async () => {
    const app = await startTestApp();
    const admin = app.as(await app.given.administrator());
    const made = await admin.submit(
      '/invitation-keys/new',
      { label: 'Été à Lyon', maxUses: '25', step: 'mint' },
      { action: '/invitation-keys' },
    );
    const key = /lkinv_[0-9A-Z]{32}/.exec(made.text)?.[0] ?? '';
    const root = new URL(made.url).pathname.replace(/\/link$/, '');

    expect(unescapeHtml(made.text)).toContain(
      `https://wa.me/?text=${encodeURIComponent('*You are invited to Example.*')}`,
    );
    const [, sms = ''] = /href="(sms:[^"]+)"/.exec(unescapeHtml(made.text)) ?? [];
    expect(decodeURIComponent(sms)).toContain(`/join/${key}`);
    const aloud = await admin.get(`${root}/aloud?lang=fr`);
    expect(aloud.text).toContain(key.slice(6, 10));
    for (const layout of ['poster', 'cards8', 'cards10']) {
      const sheet = await admin.get(`${root}/card?layout=${layout}&paper=letter&lang=fr`);
      expect(sheet.text.match(/class="invite-card"/g)).toHaveLength(
        layout === 'poster' ? 1 : Number(layout.slice(5)),
      );
      expect(sheet.text).toContain('Scannez avec votre téléphone');
      expect(sheet.text).toContain(`<span>${key.slice(6, 10)}</span>`);
    }
    const svg = await admin.get(`${root}/qr.svg`);
    expect(svg.headers['content-disposition']).toContain('ete-a-lyon.svg');
    const png = await admin.get(`${root}/qr.png`);
    expect(png.headers['content-type']).toBe('image/png');

    const other = app.as(await app.given.administrator());
    for (const path of ['card', 'aloud', 'qr.svg', 'qr.png'])
      expect((await other.get(`${root}/${path}`)).text).not.toContain(key.slice(6, 10) + key.slice(10, 14));
    expect((await app.guest().send(`${root}/card`, { method: 'GET' })).status).toBe(303);
  });

  test('of many invitations is printed on one sheet, each reveal on record', async () => {
    const app = await startTestApp();
    const person = await app.given.administrator();
    const admin = app.as(person);
    const made = [];
    for (let one = 1; one <= 9; one += 1)
      made.push(await app.given.invitationKey({ label: `Class ${String(one)}` }));
    const ids = made.map(({ id }) => id);

    await admin.get('/invitation-keys');
    const sheet = await admin.post('/invitation-keys/print', {
      ids,
      layout: 'cards8',
      _csrf: await csrfOf(admin),
    });
    const page = await admin.get(String(sheet.headers['location']));

    expect(page.text.match(/class="invite-card"/g)).toHaveLength(9);
    expect(page.text.match(/class="sheet /g)).toHaveLength(2);
    for (const { key } of made) expect(page.text).toContain(`<span>${key.slice(6, 10)}</span>`);
    const history = await app.house.ground.audit.history({ type: 'invitation-key', id: ids[0] ?? '' });
    expect(history[0]).toMatchObject({ action: 'invitation-key.revealed', after: { for: 'print' } });
    const stranger = app.as(await app.given.technician());
    expect((await stranger.send(String(sheet.headers['location']), { method: 'GET' })).status).toBe(403);
    const other = await app.as(await app.given.administrator()).get(String(sheet.headers['location']));
    expect(other.text).not.toContain('invite-card"');
  });
});

async function csrfOf(browser: ReturnType<TestApp['as']>): Promise<string> {
  const page = await browser.get('/account');
  return /name="_csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
}

describeOnEachEngine('a copy of an invitation', (engine) => {
  test('lets people in on the places of the invitation, and tells who came by it', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ maxUses: 3 });
    const owner = app.api(await app.given.owner());
    const [facebook, poster] = [await copyOf(owner, id, 'Facebook'), await copyOf(owner, id, 'Poster')];

    const answers = [
      await joinByApi(app, facebook.key, somebody()),
      await joinByBrowser(app.guest(), facebook.key),
      await joinByApi(app, key, somebody()),
      await joinByApi(app, poster.key, somebody()),
    ];

    expect(answers.map(({ status }) => status)).toEqual([201, 200, 201, 410]);
    expect(await keyOf(app, id)).toMatchObject({ uses: 3, maxUses: 3 });
    const { items } = (await owner.call('GET', `/api/v1/invitation-keys/${id}/copies`)).json() as Listed;
    expect(items.map(({ name, joined }) => [name, joined])).toEqual([
      ['Facebook', 2],
      ['Poster', 0],
    ]);
    expect(JSON.stringify(items)).not.toContain(facebook.key.slice(6));
  });

  test('that leaks is closed alone, also for forms that are open', async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey({ maxUses: 10 });
    const owner = app.api(await app.given.owner());
    const leaked = await copyOf(owner, id, 'Facebook');
    const other = await copyOf(owner, id, 'HR');
    const visitor = app.guest();
    const form = await visitor.get(`/join/${leaked.key}`);

    const closed = await owner.call('POST', `/api/v1/invitation-keys/${id}/copies/${leaked.id}/close`);
    const { email, name, password } = somebody();
    const sent = await visitor.post('/join', { ...fieldsOf(form.text), email, name, password });

    expect(closed.json()).toMatchObject({ name: 'Facebook', closedAt: expect.any(String) as string });
    expect(sent.status).toBe(410);
    expect((await app.guest().get(`/join/${leaked.key}`)).status).toBe(410);
    expect((await joinByApi(app, leaked.key, somebody())).status).toBe(410);
    expect((await joinByApi(app, other.key, somebody())).status).toBe(201);
    expect((await joinByApi(app, key, somebody())).status).toBe(201);
    await owner.call('POST', `/api/v1/invitation-keys/${id}/copies/${leaked.id}/reopen`);
    expect((await joinByApi(app, leaked.key, somebody())).status).toBe(201);
  });

  test('leads from its line to those who came by it, and to nobody else', async () => {
    const app = await startTestApp({ engine });
    const { id } = await app.given.invitationKey({ maxUses: 10 });
    const owner = app.api(await app.given.owner());
    const leaked = await copyOf(owner, id, 'Facebook');
    const quiet = await copyOf(owner, id, 'HR');
    const [came, other] = [somebody(), somebody()];
    await joinByApi(app, leaked.key, came);
    await joinByApi(app, quiet.key, other);

    const admin = app.as(await app.given.administrator());
    const copies = await admin.get(`/invitation-keys/${id}/copies`);
    const undo = unescapeHtml(copies.text).match(/href="([^"]*undo[?]copy=[^"]*)"/g) ?? [];
    const page = await admin.get(`/invitation-keys/${id}/undo?copy=${leaked.id}&since=2020-01-01T00:00`);
    const path = `/invitation-keys/${id}/undo`;
    const refused = await admin.submitShown(page, { since: 'last Tuesday' }, { action: path });

    expect(refused.status).toBe(422);
    expect(refused.text).toContain(`name="copy" value="${leaked.id}"`);
    expect(undo.join()).toContain(leaked.id);
    expect(page.text).toContain('Facebook');
    expect(page.text).toContain(came.email);
    expect(page.text).not.toContain(other.email);
  });

  test('closed in the middle of a rush lets nobody in after the answer', async () => {
    const app = await startTestApp({ engine });
    const { id } = await app.given.invitationKey({ maxUses: 100 });
    const owner = app.api(await app.given.owner());
    const leaked = await copyOf(owner, id, 'Facebook');
    let isClosed = false;
    let late = 0;

    const rush = Array.from({ length: 12 }, async () => {
      const startedAfter = isClosed;
      const { status } = await joinByApi(app, leaked.key, somebody());
      if (startedAfter && status === 201) late += 1;
      return { status, endedAfter: isClosed };
    });
    await owner.call('POST', `/api/v1/invitation-keys/${id}/copies/${leaked.id}/close`);
    const { uses } = await keyOf(app, id);
    isClosed = true;
    await Promise.all(rush);
    await joinByApi(app, leaked.key, somebody());

    expect(late).toBe(0);
    expect((await keyOf(app, id))['uses']).toBe(uses);
  });

  test('stops a sign-up that waits for its mail', async () => {
    const app = await startTestApp({ engine, mail: true });
    const { id } = await app.given.invitationKey({ emailProof: 'required' });
    const owner = app.api(await app.given.owner());
    const leaked = await copyOf(owner, id, 'Facebook');
    const visitor = app.guest();
    const waiting = await joinByBrowser(visitor, leaked.key, { email: 'jo@acme.test' });
    const letter = await app.mailbox.next('jo@acme.test');

    await owner.call('POST', `/api/v1/invitation-keys/${id}/copies/${leaked.id}/close`);
    const code = /(\d{3} \d{3})/.exec(letter.subject)?.[1] ?? '';
    const answer = await visitor.post('/join/step/confirm', { ...fieldsOf(waiting.text), code });

    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await app.house.domains.users.findByEmail('jo@acme.test')).toBeNull();
  });

  test('is nobody’s business who may not manage or see links', async () => {
    const app = await startTestApp({ engine });
    const { id } = await app.given.invitationKey();
    const stranger = app.api(await app.given.user());
    const supervisor = app.api(await app.given.user({ profile: 'supervisor' }));

    expect((await stranger.call('GET', `/api/v1/invitation-keys/${id}/copies`)).status).toBe(404);
    expect((await stranger.call('POST', `/api/v1/invitation-keys/${id}/copies`, { name: 'x' })).status).toBe(
      404,
    );
    expect(
      (await supervisor.call('POST', `/api/v1/invitation-keys/${id}/copies`, { name: 'x' })).status,
    ).toBe(403);
    expect((await app.guest().call('GET', `/api/v1/invitation-keys/${id}/copies`)).status).toBe(401);
  });
});

interface Listed {
  items: { name: string; joined: number }[];
}

async function copyOf(
  api: ReturnType<TestApp['api']>,
  id: string,
  name: string,
): Promise<{ id: string; key: string }> {
  const answer = await api.call('POST', `/api/v1/invitation-keys/${id}/copies`, { name });
  expect(answer.status).toBe(201);
  return answer.json() as { id: string; key: string };
}

const fieldsOf = (html: string): Record<string, string> =>
  Object.fromEntries(
    [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [
      name ?? '',
      value ?? '',
    ]),
  );

test('a phone reads what is drawn', () => {
  const url = qrLink('https://desk.example.org', KEY);
  const { modules } = QRCode.create(url, { errorCorrectionLevel: 'M' });
  const [scale, quiet] = [6, 4];
  const size = (modules.size + 2 * quiet) * scale;
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255);
  for (let y = 0; y < size; y += 1)
    for (let x = 0; x < size; x += 1) {
      const [column, row] = [Math.floor(x / scale) - quiet, Math.floor(y / scale) - quiet];
      const isInside = column >= 0 && row >= 0 && column < modules.size && row < modules.size;
      if (isInside && modules.get(row, column) === 1)
        pixels.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3);
    }
  expect(jsQr(pixels, size, size)?.data).toBe(url);
});

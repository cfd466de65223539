import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FormData } from 'undici';
import { expect, test } from 'vitest';
import { days } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { attachmentsOn, picture, submitWithFiles, type FileDraft } from './ticket-support.ts';

const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';

async function givenTicketWith(app: TestApp, files: readonly FileDraft[]) {
  const requester = await app.given.user();
  const answer = await submitWithFiles(app.as(requester), '/tickets/new', {
    action: '/tickets',
    values: { title: 'With files', description: 'See below.' },
    files,
  });
  if (answer.status !== 303) throw new Error(`Expected 303, got ${String(answer.status)}: ${answer.text}`);
  const page = String(answer.headers['location']);
  const shown = await app.as(requester).get(page);
  return { requester, page, shown, paths: attachmentsOn(shown.text) };
}

async function upload(app: TestApp, person: { id: string; email: string; name: string }): Promise<string> {
  const form = new FormData();
  form.append('files', new File(['draft'], 'draft.txt'), 'draft.txt');
  const answer = await app.api(person).upload('/api/v1/attachments', form);
  const { items } = answer.json() as { items: { id: string }[] };
  return items[0]?.id ?? '';
}

describeOnEachEngine('an attachment', (engine) => {
  test('comes with a ticket and is shown where it is a picture', async () => {
    const app = await startTestApp({ engine });

    const { requester, shown, paths } = await givenTicketWith(app, [
      { name: 'screenshot.png', content: picture['image/png'].bytes },
    ]);

    expect(shown.text).toMatch(new RegExp(`<img[^>]*src="${paths[0] ?? '?'}"[^>]*width="2" height="3"`));
    const got = await app.as(requester).get(paths[0] ?? '');
    expect(got.headers).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': expect.stringMatching(/^inline; filename="screenshot.png"/) as string,
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox') as string,
    });
  });

  test.each([
    ['drawing.svg', svg, 'image/svg+xml'],
    ['page.html', '<!doctype html><script>alert(1)</script>', 'text/html'],
    ['picture.png', '<html><script>alert(1)</script></html>', 'image/png'],
    ['program.js', 'alert(1)', 'text/javascript'],
  ])('called %s is only ever downloaded', async (name, content, type) => {
    const app = await startTestApp({ engine });

    const { requester, shown, paths } = await givenTicketWith(app, [{ name, content, type }]);

    expect(shown.text).not.toMatch(/<img[^>]*\/attachments\//);
    const got = await app.as(requester).get(paths[0] ?? '');
    expect(got.text).toBe(content);
    expect(got.headers['content-type']).toBe('application/octet-stream');
    expect(got.headers['content-disposition']).toMatch(/^attachment;/);
    expect(got.headers['content-security-policy']).toContain('sandbox');
  });

  test('loses from its name what could deceive', async () => {
    const app = await startTestApp({ engine });

    const { requester, shown, paths } = await givenTicketWith(app, [
      { name: '../../etc/in\u200Bvoice\u202Egpj.exe"', content: 'x' },
    ]);

    const disposition = String((await app.as(requester).get(paths[0] ?? '')).headers['content-disposition']);
    expect(disposition).not.toMatch(/\.\.|\u200B|\u202E|%E2%80%8B|%E2%80%AE/);
    expect(shown.text).not.toMatch(/\u200B|\u202E/);
  });

  test('lies on the disk under a name that says nothing, for its owner only', async () => {
    const app = await startTestApp({ engine });
    await givenTicketWith(app, [{ name: 'note.txt', content: 'for the desk' }]);

    const folder = join(app.house.config.dataDir, 'attachments');
    const files = await readdir(folder, { recursive: true, withFileTypes: true });
    const [kept] = files.filter((entry) => entry.isFile());

    expect(kept?.name).toMatch(/^[0-9a-f-]{36}$/);
    expect(await readFile(join(kept?.parentPath ?? '', kept?.name ?? ''), 'utf8')).toBe('for the desk');
  });

  test('does not exist for a stranger, a guest, or under a made-up id', async () => {
    const app = await startTestApp({ engine });
    const { paths } = await givenTicketWith(app, [{ name: 'note.txt', content: 'x' }]);
    const stranger = await app.given.user();
    const path = paths[0] ?? '';

    expect((await app.as(stranger).get(path)).status).toBe(404);
    expect((await app.api(stranger).call('GET', `/api/v1${path}`)).status).toBe(404);
    expect((await app.guest().send(path, { method: 'GET' })).status).toBe(303);
    expect((await app.as(stranger).get('/attachments/01J00000000000000000000000')).status).toBe(404);
    expect((await app.as(stranger).get('/attachments/..%2f..%2fkey')).status).toBe(404);
  });

  test('that somebody else uploaded cannot be sent as one’s own, nor twice', async () => {
    const app = await startTestApp({ engine });
    const [owner, thief] = [await app.given.user(), await app.given.user()];
    const id = await upload(app, owner);
    const open = (person: typeof owner) =>
      app.api(person).call('POST', '/api/v1/tickets', { title: 'Files', attachments: [id] });
    const filesOf = async (
      person: typeof owner,
      answer: Awaited<ReturnType<typeof open>>,
    ): Promise<number> => {
      const { number } = answer.json() as { number: number };
      const listed = await app.api(person).call('GET', `/api/v1/tickets/${String(number)}/attachments`);
      return (listed.json() as { items: unknown[] }).items.length;
    };

    expect((await app.as(thief).get(`/attachments/${id}`)).status).toBe(404);
    expect(await filesOf(thief, await open(thief))).toBe(0);
    expect(await filesOf(owner, await open(owner))).toBe(1);
    expect(await filesOf(owner, await open(owner))).toBe(0);
  });

  test('that came with a refused form is still there when the form is sent again', async () => {
    const app = await startTestApp({ engine });
    const browser = app.as(await app.given.user());

    const refused = await submitWithFiles(browser, '/tickets/new', {
      action: '/tickets',
      values: { title: ' ', description: 'I forgot the title.' },
      files: [{ name: 'kept.txt', content: 'kept' }],
    });
    const sent = await browser.submitShown(
      { ...refused, url: `${app.origin}/tickets/new` },
      { title: 'Here it is' },
      { action: '/tickets' },
    );

    expect(refused.status).toBe(422);
    expect(refused.text).toContain('I forgot the title.');
    expect(refused.text).toMatch(/name="attachments" value="\w{26}" checked/);
    const [path = ''] = attachmentsOn(sent.text);
    expect((await browser.get(path)).text).toBe('kept');
  });

  test('that is never sent is swept away after a day, from the disk as well', async () => {
    const app = await startTestApp({ engine });
    const owner = await app.given.user();
    const id = await upload(app, owner);
    const { attachments } = app.house.domains.tickets;

    expect(await attachments.sweepDrafts()).toBe(0);
    app.clock.advance(days(2));
    expect(await attachments.sweepDrafts()).toBe(1);

    expect((await app.as(owner).get(`/attachments/${id}`)).status).toBe(404);
    const left = await readdir(join(app.house.config.dataDir, 'attachments'), {
      recursive: true,
      withFileTypes: true,
    });
    expect(left.filter((entry) => entry.isFile())).toEqual([]);
  });

  test('is one of at most fifty that a person may hold unsent', async () => {
    const app = await startTestApp({ engine });
    const owner = await app.given.user();
    const form = new FormData();
    for (let at = 0; at < 10; at += 1) form.append('files', new File(['x'], 'x.txt'), 'x.txt');

    const answers = [];
    for (let at = 0; at < 6; at += 1)
      answers.push((await app.api(owner).upload('/api/v1/attachments', form)).status);

    expect(answers).toEqual([201, 201, 201, 201, 201, 429]);
  });
});

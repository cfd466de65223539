import { expect, test } from 'vitest';
import type { NotificationDraft } from '../../src/notifications/index.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import type { Person } from '../support/given.ts';
import { startTestApp, type TestApp, type TestAppOptions } from '../support/test-app.ts';

const answered = {
  id: 'test.answered',
  text: 'mail:test-mail.text',
  label: 'mail:test.title',
  icon: 'message',
  bell: true,
  mail: true,
};

async function startApp(
  options: TestAppOptions,
): Promise<TestApp & { ring: (people: Person[], changes?: Partial<NotificationDraft>) => Promise<void> }> {
  const app = await startTestApp(options);
  const { notifications } = app.house.domains;
  notifications.addKind(answered);
  const ring = (people: Person[], changes: Partial<NotificationDraft> = {}): Promise<void> =>
    app.db.transaction((tx) =>
      notifications.notify(tx, {
        userIds: people.map(({ id }) => id),
        kind: 'test.answered',
        subject: { type: 'ticket', id: '7' },
        link: '/account/notifications',
        params: { sender: 'Marie', organisation: 'Acme' },
        ...changes,
      }),
    );
  return Object.assign(app, { ring });
}

describeOnEachEngine('a notification', (engine) => {
  test('rings for those it is for, until they have opened it', async () => {
    const { given, as, api, ring } = await startApp({ engine });
    const [marie, jo] = [await given.user(), await given.user()];
    await ring([marie, marie]);

    const [hers, his] = [as(marie), as(jo)];
    const page = await hers.get('/notifications');
    expect(page.text).toContain('Marie sent this message');
    expect(page.text).toContain('1 unread');
    expect((await his.get('/notifications')).text).toContain('Nothing here');

    const id = /\/notifications\/(\w{26})\/open/.exec(page.text)?.[1] ?? '';
    expect((await api(jo).call('POST', `/api/v1/notifications/${id}/read`)).status).toBe(404);
    const opened = await hers.submitShown(page, {}, { action: `/notifications/${id}/open` });
    expect(opened.url).toContain('/account/notifications');
    expect((await hers.get('/notifications')).text).toContain('You have read everything');
  });

  test('is mailed to those who want mail, in their language', async () => {
    const { given, mailbox, ring } = await startApp({ engine, mail: true });
    const [marie, jean] = [await given.user(), await given.user({ locale: 'fr' })];

    await ring([marie, jean]);

    const letter = await mailbox.next(marie.email);
    expect(letter.subject).toContain('Marie sent this message');
    expect(letter.links[0]).toMatch(/\/account\/notifications$/);
    expect((await mailbox.next(jean.email)).text).toContain('Marie a envoyé ce message');
  });

  test('comes only in the ways that a person has chosen', async () => {
    const { given, as, mailbox, ring, settle } = await startApp({ engine, mail: true });
    const [marie, jo] = [await given.user(), await given.user()];
    const hers = as(marie);
    const action = '/account/notifications';
    await hers.submit(action, { bell: ['test.answered'], mail: [] }, { action });
    const his = as(jo);
    await his.submit(action, { bell: [], mail: ['test.answered', 'no.such-kind'] }, { action });

    await ring([marie, jo]);
    await mailbox.next(jo.email);
    await settle();

    expect(mailbox.letters.map(({ to }) => to)).toEqual([[jo.email]]);
    expect((await hers.get('/notifications')).text).toContain('Marie sent');
    expect((await his.get('/notifications')).text).not.toContain('Marie sent');
  });

  test('is for programs as well', async () => {
    const { given, api, ring } = await startApp({ engine });
    const marie = await given.user();
    await ring([marie]);
    await ring([marie]);
    const program = api(marie);

    const list = (await program.call('GET', '/api/v1/notifications?perPage=1')).json();
    expect(list).toMatchObject({ page: 1, perPage: 1, total: 2, unread: 2 });
    expect(list.items).toMatchObject([
      { kind: 'test.answered', subject: { type: 'ticket', id: '7' }, readAt: null },
    ]);
    expect(list.items[0].text).toContain('Marie sent');

    const read = await program.call('POST', `/api/v1/notifications/${String(list.items[0].id)}/read`);
    expect(read.json().readAt).toMatch(/Z$/);
    expect((await program.call('GET', '/api/v1/notifications?unread=true')).json()).toMatchObject({
      total: 1,
    });
    expect((await program.call('POST', '/api/v1/notifications/read-all')).status).toBe(204);
    expect((await program.call('GET', '/api/v1/notifications')).json()).toMatchObject({
      total: 2,
      unread: 0,
    });
  });

  test('does not come from what was rolled back', async () => {
    const { given, house, db, as } = await startApp({ engine });
    const marie = await given.user();

    const lost = db.transaction(async (tx) => {
      await house.domains.notifications.notify(tx, {
        userIds: [marie.id],
        kind: 'test.answered',
        subject: { type: 'ticket', id: '7' },
        link: '/',
        params: {},
      });
      throw new Error('changed my mind');
    });

    await expect(lost).rejects.toThrow();
    expect((await as(marie).get('/notifications')).text).toContain('Nothing here');
  });
});

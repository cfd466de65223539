import { expect, test } from 'vitest';
import { minutes } from '../support/clock.ts';
import { describeOnEachEngine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

const marie = {
  locale: 'fr',
  organisation: 'Acme',
  name: 'Marie Dupont',
  email: 'marie@acme.test',
  password: 'seven quiet otters',
  timeZone: 'Europe/Paris',
};

describeOnEachEngine('the owner link of a new house', (engine) => {
  test('leads the first person through the set-up to the checklist, in their language, with every right', async () => {
    const { guest, house } = await startTestApp({ engine, isNew: true });
    const path = `/setup/${String(await house.domains.ownerLink.issue())}`;
    const browser = guest();

    const shown = await browser.submit(path, marie, { action: path });

    expect(shown.url).toContain('/welcome');
    expect(shown.text).toContain('Acme est ouvert');
    expect((await browser.get('/admin/users')).text).toContain('Marie Dupont');
    expect((await browser.get('/admin/entities')).text).toContain('Acme');
    const owner = await house.domains.users.findByEmail(marie.email);
    const actor = await house.domains.directory.actorById(owner?.id ?? '');
    expect(actor?.can('anything.that.a.plugin.adds')).toBe(true);
  });

  test('works once, even when ten people hold it, and never again afterwards', async () => {
    const { guest, house, db } = await startTestApp({ engine, isNew: true });
    const { ownerLink, setup } = house.domains;
    const token = String(await ownerLink.issue());

    const ten = await Promise.allSettled(
      Array.from({ length: 10 }, (_, at) =>
        setup.complete(
          token,
          { ...marie, locale: 'fr', origin: '', email: `marie${String(at)}@acme.test` },
          { ip: '192.0.2.7', userAgent: '' },
        ),
      ),
    );

    expect(ten.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await db.knex('users')).toHaveLength(1);
    expect(await ownerLink.issue()).toBeNull();
    expect((await guest().get(`/setup/${token}`)).status).toBe(410);
  });

  test('is replaced by the next one and ends after an hour', async () => {
    const { guest, house, clock } = await startTestApp({ engine, isNew: true });
    const { ownerLink } = house.domains;
    const first = String(await ownerLink.issue());
    const second = String(await ownerLink.issue());

    expect((await guest().get(`/setup/${first}`)).status).toBe(404);
    expect((await guest().get(`/setup/${second}`)).status).toBe(200);
    clock.advance(minutes(61));
    expect((await guest().get(`/setup/${second}`)).status).toBe(404);
  });

  test('does not open by anything that is no link, or another one', async () => {
    const { guest } = await startTestApp({ engine, isNew: true });

    for (const text of [' ', '%00', '%20', 'null', 'lkown_', '0', 'lkown_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN']) {
      const { status } = await guest().get(`/setup/${encodeURI(text)}`);
      expect([text, status === 404 || status === 400]).toEqual([text, true]);
    }
  });

  test('keeps what was typed when the password is weak, except the password', async () => {
    const { guest, house } = await startTestApp({ engine, isNew: true });
    const path = `/setup/${String(await house.domains.ownerLink.issue())}`;

    const shown = await guest().submit(path, { ...marie, password: 'acme' }, { action: path });

    expect(shown.status).toBe(422);
    expect(shown.text).toContain('Marie Dupont');
    expect(shown.text).not.toContain('value="acme"');
    expect((await guest().get(path)).status).toBe(200);
  });
});

describeOnEachEngine('the checklist', (engine) => {
  test('says what is done and what is not, and can be put away', async () => {
    const { as, given } = await startTestApp({ engine });
    const owner = as(await given.owner());

    const shown = await owner.get('/welcome');
    expect(shown.text).toContain('Send a test mail');
    expect(shown.text).toContain('0 of 5 first steps are done');
    await given.invitationKey();
    expect((await owner.get('/welcome')).text).toContain('1 of 5 first steps are done');

    const away = await owner.submitShown(shown, {}, { action: '/welcome/dismiss' });
    expect(away.text).toContain('The list is put away.');
  });
});

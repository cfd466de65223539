import { describe, expect, test } from 'vitest';
import { system } from '../../../src/shared/actor.ts';
import { days, hours } from '../../../test/support/clock.ts';
import { describeOnEachEngine } from '../../../test/support/databases.ts';
import { startTestApp } from '../../../test/support/test-app.ts';
import { isWithin, nextOpening } from '../src/keys/opening-hours.ts';
import { csvOf } from '../src/desk/minting-routes.ts';
import { joinByApi, keyOf, PASSWORD, somebody } from './desk.ts';
import { groupIn, KEYS, member, mint, pluginSetting, rootEntity } from './cases/minters.ts';
import { codeOf, ownerApi, pathOf, words } from './cases/place.ts';

const office = { days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00', timeZone: 'Europe/Paris' };
const at = (iso: string): number => Date.parse(iso);

describe('opening hours', () => {
  test('begin at their first minute, end before their last, and know when they begin again', () => {
    expect(isWithin(office, at('2026-03-02T07:59:59+01:00'))).toBe(false);
    expect(isWithin(office, at('2026-03-02T08:00:00+01:00'))).toBe(true);
    expect(isWithin(office, at('2026-03-02T18:00:00+01:00'))).toBe(false);
    expect(nextOpening(office, at('2026-03-06T18:00:00+01:00'))).toBe(at('2026-03-09T08:00:00+01:00'));
    expect(nextOpening(office, at('2026-03-02T12:00:00+01:00'))).toBeNull();
  });

  test('go past midnight, and keep to the clocks when these are changed', () => {
    const night = { ...office, days: [6], from: '22:00', to: '06:00' };

    expect(isWithin(night, at('2026-03-28T23:00:00+01:00'))).toBe(true);
    // Clocks went forward at two: six o'clock comes an hour early.
    expect(isWithin(night, at('2026-03-29T05:59:00+02:00'))).toBe(true);
    expect(isWithin(night, at('2026-03-29T06:00:00+02:00'))).toBe(false);
  });

  test('of a sheet of keys end in no formula', () => {
    expect(csvOf([{ label: '=1+1', key: 'k', url: 'u' }])).toContain(`"'=1+1","k","u"`);
  });
});

describeOnEachEngine('a key with opening hours', (engine) => {
  test('lets people in during them, tells its holders when it opens, and can be given others', async () => {
    const app = await startTestApp({ engine });
    app.clock.set('2026-03-02T19:30:00+01:00');
    const { id, key } = await app.given.invitationKey({ hours: office });
    const phone = app.guest();

    const page = await phone.get(`/join/${key}`);
    const calendar = await phone.get(/href="(\/join\/step\/opens\.ics[^"]*)"/.exec(page.text)?.[1] ?? '');
    const refused = await joinByApi(app, key, somebody());
    const version = (await keyOf(app, id))['version'];
    const wrong = await (
      await ownerApi(app)
    ).call('PATCH', `${KEYS}/${id}`, {
      version,
      hours: { ...office, to: '25:00' },
    });
    const around = await (await ownerApi(app)).call('PATCH', `${KEYS}/${id}`, { version, hours: null });
    const joined = await joinByApi(app, key, somebody());

    expect(page.status).toBe(403);
    expect(words(page.text)).toContain('closed at this hour');
    expect(page.text).toContain('2026-03-03T07:00:00');
    expect(calendar.text).toContain('DTSTART:20260303T070000Z');
    expect([refused.status, codeOf(refused)]).toEqual([403, 'invitation.outside_hours']);
    expect([wrong.status, around.status, joined.status]).toEqual([400, 200, 201]);
  });

  test('keeps to them at the very moment of joining, also for a form that was open before', async () => {
    const app = await startTestApp({ engine });
    app.clock.set('2026-03-02T17:59:00+01:00');
    const { id, key } = await app.given.invitationKey({ hours: office });
    const phone = app.guest();
    const form = await phone.get(`/join/${key}`);
    app.clock.advance(hours(1));

    const late = await phone.submitShown(form, { email: 'jo@acme.test', name: 'Jo', password: PASSWORD });

    expect(late.status).toBe(403);
    expect(await keyOf(app, id)).toMatchObject({ uses: 0, status: 'outside-hours' });
  });
});

describeOnEachEngine('a preset', (engine) => {
  test('is kept from a key, begins the next one, and is kept by those who may', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);
    const model = await app.given.invitationKey({
      label: 'Interns',
      maxUses: 3,
      approval: 'manual',
      hours: office,
      expiresAt: new Date(app.clock.now() + days(30)).toISOString(),
    });

    const kept = await owner.call('POST', `${KEYS}/presets`, { key: model.id, name: ' Interns  2026 ' });
    const twice = await owner.call('POST', `${KEYS}/presets`, { key: model.id, name: 'interns 2026' });
    app.clock.advance(hours(5));
    const made = await mint(owner, { preset: 'interns 2026', label: 'Spring' });
    const unknown = await mint(owner, { preset: 'none' });
    const supervisor = app.api(await app.given.user({ profile: 'supervisor' }));
    const stranger = await supervisor.call('POST', `${KEYS}/presets`, { key: model.id, name: 'Mine' });
    const renamed = await owner.call('PATCH', `${KEYS}/presets/${String(kept.json().id)}`, {
      name: 'Trainees',
    });
    const gone = await owner.call('DELETE', `${KEYS}/presets/${String(kept.json().id)}`);

    expect([kept.status, twice.status, unknown.status, stranger.status]).toEqual([201, 409, 404, 403]);
    expect(kept.json().name).toBe('Interns 2026');
    expect(made.json()).toMatchObject({ label: 'Spring', maxUses: 3, approval: 'manual', hours: office });
    expect(Date.parse(made.json().expiresAt) - app.clock.now()).toBe(days(30));
    expect([renamed.json().name, gone.status]).toEqual(['Trainees', 204]);
  });
});

// Many pages, each drawn whole: slow where much else runs.
describe('the pages of those who mint', { timeout: 60_000 }, () => {
  for (const locale of ['en', 'fr'] as const) {
    test(`can all be read in ${locale}`, async () => {
      const app = await startTestApp();
      const owner = await ownerApi(app);
      const { id } = await app.given.invitationKey({ hours: office, maxUses: null, expiresAt: null });
      await owner.call('POST', `${KEYS}/presets`, { key: id, name: 'Interns' });
      const admin = await app.given.administrator({ locale });
      const api = app.api(admin);
      const { batch } = (await api.call('POST', `${KEYS}/batch`, { count: 3, label: 'Badge' })).json();
      const staff = (await mint(api, { profile: 'technician', label: 'Desk' })).json();
      const browser = app.as(admin);

      for (const path of [
        '/invitation-keys?tab=all&state=needs-approval&sort=label',
        '/invitation-keys/new?preset=Interns',
        '/invitation-keys/presets',
        '/invitation-keys/purge',
        `/invitation-keys/batches/${String(batch)}`,
        `/invitation-keys/${String(staff.id)}`,
        `/invitation-keys/${id}`,
        `/invitation-keys/${id}/edit`,
      ]) {
        const page = await browser.get(path);
        expect({ path, status: page.status }).toEqual({ path, status: 200 });
        expect(
          page.text.match(
            /registration-key:[\w.-]+|\b(?:batch|presets|purge|mine|field|errors)\.[a-z][\w.-]+(?=<)/g,
          ) ?? [],
        ).toEqual([]);
      }
    });

    test(`of one’s own invitations can be read in ${locale}, and lead from the form to the link and back`, async () => {
      const app = await startTestApp();
      await pluginSetting(app, 'peopleMayInvite', true);
      const person = await app.given.user({ locale });
      const early = await app.as(person).get('/invitation-keys/mine');
      app.clock.advance(days(5));
      const group = await groupIn(app, 'Chess', await rootEntity(app));
      await app.house.domains.groupAdmin.addMember(system, group, person.id);
      const browser = app.as(person);

      const home = await browser.get('/');
      const form = { action: '/invitation-keys/mine' };
      const draft = { label: 'Neighbours', maxUses: '2', groups: group };
      const shown = await browser.submit('/invitation-keys/mine', draft, form);
      const [, key] = /\/join\/(lkinv_[0-9A-Z]{32})/.exec(shown.text) ?? [];
      const joined = await joinByApi(app, key ?? '', somebody());
      const tooMany = await browser.submit('/invitation-keys/mine', { maxUses: '50' }, form);
      const mine = await browser.get('/invitation-keys/mine');
      const [, id] = /mine\/(\w{26})\/revoke/.exec(mine.text) ?? [];
      const revoked = await browser.submitShown(
        mine,
        {},
        { action: `/invitation-keys/mine/${id ?? ''}/revoke` },
      );

      expect(early.status).toBe(200);
      expect(home.text).toContain('/invitation-keys/mine');
      expect([shown.status, joined.status, tooMany.status]).toEqual([200, 201, 422]);
      expect(pathOf(revoked)).toBe('/invitation-keys/mine');
      for (const page of [early, shown, tooMany, revoked])
        expect(
          page.text.match(/registration-key:[\w.-]+|\b(?:mine|errors)\.[a-z][\w.-]+(?=<)/g) ?? [],
        ).toEqual([]);
    });
  }

  test('are not there while nobody may invite', async () => {
    const app = await startTestApp();
    const browser = app.as(await app.given.user());

    expect((await browser.get('/')).text).not.toContain('/invitation-keys/mine');
    expect((await browser.get('/invitation-keys/mine')).status).toBe(403);
  });

  test('show many links once, to their maker, as a list and as a file', async () => {
    const app = await startTestApp();
    const maker = app.as(await app.given.owner());
    const sheet = await maker.submit(
      '/invitation-keys/new',
      { label: 'Badge', count: '12', maxUses: '1', step: 'mint' },
      { action: '/invitation-keys' },
    );
    const path = pathOf(sheet);

    const file = await maker.get(`${path}/csv`);
    const other = await app.as(await app.given.administrator()).get(path);
    app.clock.advance(hours(1));
    const later = await app.as(await app.given.owner()).get(path);

    expect(sheet.text.match(/\/join\/lkinv_[0-9A-Z]{32}/g)).toHaveLength(12);
    expect(sheet.text.match(/<code>lkinv_[0-9A-Z]{32}/g)).toHaveLength(12);
    expect(file.text.split('\r\n')).toHaveLength(14);
    expect(file.text).toContain('"Badge 07"');
    for (const page of [other, later]) expect(page.text).not.toMatch(/lkinv_[0-9A-Z]{32}/);
  });

  test('say of many keys what they add up to, before they are made', async () => {
    const app = await startTestApp();
    const maker = app.as(await app.given.owner());
    const sentence = async (form: Record<string, string>): Promise<string> =>
      words(
        (
          await maker.submit(
            '/invitation-keys/new',
            { ...form, step: 'preview' },
            { action: '/invitation-keys' },
          )
        ).text,
      );

    expect(await sentence({ count: '24', maxUses: '1000' })).toContain('24 keys, 24,000 places in all.');
    expect(await sentence({ count: '1', maxUses: '10' })).not.toContain('places in all');
    expect(await sentence({ count: '501' })).toContain('From 1 to 500 keys at once.');
  });

  test('take back in one go what was revoked in one go, and no more', async () => {
    const app = await startTestApp();
    const admin = await app.given.owner();
    const browser = app.as(admin);
    const sheet = await browser.submit(
      '/invitation-keys/new',
      { label: 'Badge', count: '3', step: 'mint' },
      { action: '/invitation-keys' },
    );
    const listed = async (): Promise<{ id: string; status: string }[]> => {
      const list = await (await ownerApi(app)).call('GET', `${KEYS}?sort=label`);
      return (list.json() as { items: { id: string; status: string }[] }).items;
    };
    const states = async (): Promise<string[]> => (await listed()).map(({ status }) => status);
    const [first] = await listed();
    await (await ownerApi(app)).call('POST', `${KEYS}/${first?.id ?? ''}/revoke`);
    app.clock.advance(hours(0.1));

    const closed = await browser.submit(pathOf(sheet), {}, { action: `${pathOf(sheet)}/revoke` });
    const before = await states();
    const undo = `${pathOf(sheet)}/restore`;
    const stranger = await app.as(await app.given.user()).post(`${undo}?since=1`, {});
    await browser.submitShown(closed, {}, { action: undo });

    expect(before).toEqual(['revoked', 'revoked', 'revoked']);
    expect(stranger.status).toBe(403);
    expect(await states()).toEqual(['revoked', 'active', 'active']);
  });

  test('make a risky key safer with one button, in the form and afterwards', async () => {
    const app = await startTestApp();
    const browser = app.as(await app.given.owner());
    const form = await browser.submit(
      '/invitation-keys/new',
      { label: 'Everybody', unlimited: 'on', expires: 'never', safer: 'unlimited-eternal' },
      { action: '/invitation-keys' },
    );
    const { id } = await app.given.invitationKey({ maxUses: null, expiresAt: null });

    const after = await browser.submit(
      `/invitation-keys/${id}`,
      { risk: 'unlimited-eternal' },
      { action: `/invitation-keys/${id}/safer` },
    );

    expect(words(form.text)).toContain('Up to 25 people can join');
    expect(pathOf(after)).toBe(`/invitation-keys/${id}`);
    expect(await keyOf(app, id)).toMatchObject({ maxUses: 25 });
  });

  test('revoke, extend and clear away what is chosen', async () => {
    const app = await startTestApp();
    const [one, two] = [await app.given.invitationKey(), await app.given.invitationKey()];
    const browser = app.as(await app.given.owner());

    await browser.submit(
      '/invitation-keys',
      { ids: [one.id], act: 'extend' },
      { action: '/invitation-keys/bulk' },
    );
    const extended = await keyOf(app, one.id);
    const revoke = () =>
      browser.submit(
        '/invitation-keys',
        { ids: [one.id, two.id], act: 'revoke' },
        { action: '/invitation-keys/bulk' },
      );
    const closed = await revoke();
    const undo = '/invitation-keys/bulk/restore';
    const reached = await app.as(await app.given.user()).post(`${undo}?ids=${one.id}`, {});
    await browser.submitShown(closed, {}, { action: undo });
    const restored = await keyOf(app, two.id);
    await revoke();
    await browser.submit(
      '/invitation-keys/purge',
      { what: ['revoked'] },
      { action: '/invitation-keys/purge' },
    );
    const list = await (await ownerApi(app)).call('GET', KEYS);
    const stranger = await app
      .as(await app.given.user())
      .post('/invitation-keys/bulk', { ids: one.id, act: 'revoke' });

    expect(Date.parse(String(extended['expiresAt'])) - app.clock.now()).toBe(days(21));
    expect(list.json().total).toBe(0);
    expect([stranger.status, reached.status]).toEqual([403, 403]);
    expect(restored['status']).toBe('active');
  });
});

describeOnEachEngine('a list of keys', (engine) => {
  test('is narrowed to one state and put in order; what it does not know is refused', async () => {
    const app = await startTestApp({ engine });
    const owner = await ownerApi(app);
    const paused = await app.given.invitationKey({ label: 'B paused' });
    await app.given.invitationKey({ label: 'A open' });
    await mint(owner, { label: 'C chosen', customKey: 'WELCOME2027', maxUses: 5 });
    await owner.call('POST', `${KEYS}/${paused.id}/pause`);
    const { api } = await member(app);
    await mint(api, { label: 'D mine' });
    const fresh = await ownerApi(app);
    const labels = async (query: string): Promise<string[]> =>
      ((await fresh.call('GET', `${KEYS}?${query}`)).json() as { items: { label: string }[] }).items.map(
        ({ label }) => label,
      );

    expect(await labels('status=paused')).toEqual(['B paused']);
    expect(await labels('status=custom')).toEqual(['C chosen']);
    expect(await labels('status=member')).toEqual(['D mine']);
    expect(await labels('sort=label')).toEqual(['A open', 'B paused', 'C chosen', 'D mine']);
    expect(await labels('status=paused&search=open')).toEqual([]);
    expect((await fresh.call('GET', `${KEYS}?status=odd`)).status).toBe(400);
    expect((await fresh.call('GET', `${KEYS}?sort=odd`)).status).toBe(400);
  });
});

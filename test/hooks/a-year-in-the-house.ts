import { FormData } from 'undici';
import * as OTPAuth from 'otpauth';
import { expect } from 'vitest';
import { seedDemo } from '../../src/cli/seed/seed-demo.ts';
import { coreCommands, trySecrets } from '../../src/compose-commands.ts';
import { BUILT_IN_PROFILES, ROOT_ENTITY_ID } from '../../src/identity/index.ts';
import { system, type Actor } from '../../src/shared/actor.ts';
import { mailMayLeave } from '../../src/mail/index.ts';
import { organisation } from '../../src/settings/index.ts';
import { attachmentStore } from '../../src/tickets/index.ts';
import { days } from '../support/clock.ts';
import type { Person } from '../support/given.ts';
import { OWNER } from '../support/house.ts';
import { packageOf } from '../plugin-host/packages.ts';
import type { TestApp } from '../support/test-app.ts';

const client = { ip: '127.0.0.1', userAgent: 'test' };
const PASSWORD = 'seventeen green bicycles';

/** Everything that a helpdesk does once: for the test that every hook is fired by what the house does, and by nothing else. */
export async function liveAYear(app: TestApp): Promise<void> {
  const owner = await actorOf(app, await app.given.owner());
  await accounts(app, owner);
  await signIns(app);
  await organisationOf(app, owner);
  await tickets(app);
  await settingsAndPages(app, owner);
  await jobs(app);
  await mails(app);
  await plugins(app, owner);
  await commands(app, owner);
  await app.settle();
}

async function actorOf({ house }: TestApp, { id }: Person): Promise<Actor> {
  const actor = await house.domains.users.actorOf(id);
  if (!actor) throw new Error('Nobody has this id');
  return actor;
}

async function accounts({ given, house }: TestApp, owner: Actor): Promise<void> {
  const { userAdmin, accounts: own } = house.domains;
  const { id } = await given.user({ name: 'Jo Martin', password: PASSWORD });
  const person = await userAdmin.get(owner, id);
  await userAdmin.update(owner, id, { ...person, name: 'Joanna Martin', timeZone: '' });
  await userAdmin.setAttributes(owner, id, { phone: '+33 1 23 45 67 89' });
  await userAdmin.setStatus(owner, id, 'disabled');
  await userAdmin.setStatus(owner, id, 'active');
  await userAdmin.anonymise(owner, id);
  await expect(
    own.updateProfile(owner, { name: '', locale: 'en', timeZone: '', theme: 'auto', version: 0 }),
  ).rejects.toThrow();
}

async function signIns(app: TestApp): Promise<void> {
  const { given, house, clock, guest } = app;
  const {
    signIn,
    sessions,
    accounts: own,
    secondFactors,
    resets,
    accessTokens,
    identityLinks,
  } = house.domains;
  const person = await given.user({ email: 'ada@example.org', password: PASSWORD });
  const actor = await actorOf(app, person);
  const wrong = { email: person.email, password: 'not this one' };
  await expect(signIn.signIn(wrong, client, '/')).rejects.toThrow('sign-in.wrong');
  await signIn.signIn({ email: person.email, password: PASSWORD }, client, '/');
  const [first] = await sessions.listOwn(actor);
  if (!first) throw new Error('There is no session');
  const session = { id: first.id, authenticatedAt: first.authenticatedAt };
  await own.changePassword(actor, session, { current: PASSWORD, password: `${PASSWORD} again` }, client);
  await sessions.signOut(actor, session);

  const { link } = await resets.sendFor(system, person.id);
  expect(link).toBeNull();
  const { links } = await readResetMail(app, person);
  await resets.reset(new URL(links[0] ?? '').pathname.split('/').at(-1) ?? '', PASSWORD);

  const user = await own.own(actor);
  const { secret } = await secondFactors.enrol(user);
  const code = new OTPAuth.TOTP({ secret: OTPAuth.Secret.fromBase32(secret) });
  await secondFactors.turnOn(actor, user, code.generate({ timestamp: clock.now() }));
  await secondFactors.turnOff(actor, user);

  const identity = { issuer: 'https://id.example', subject: '1', email: null, emailVerified: false };
  await identityLinks.link(actor, user, { ...identity, provider: 'any.one' }, 'Any');
  const [linked] = await identityLinks.list(user.id);
  await identityLinks.unlink(actor, user, linked?.id ?? '');

  const draft = { name: 'script', scopes: ['*'], expiresAt: clock.now() + days(1) };
  const { token, secret: bearer } = await accessTokens.create(actor, person.id, draft);
  const program = guest();
  program.headers.set('authorization', `Bearer ${bearer}`);
  expect((await program.call('GET', '/api/v1/me')).status).toBe(200);
  await accessTokens.revoke(actor, token.id);
}

async function readResetMail(app: TestApp, { email }: Person): Promise<{ links: string[] }> {
  await app.settle();
  for (;;) {
    const mail = await app.mailbox.next(email);
    if (mail.links.some((link) => link.includes('/reset/')))
      return { links: mail.links.filter((link) => link.includes('/reset/')) };
  }
}

async function organisationOf({ given, house }: TestApp, owner: Actor): Promise<void> {
  const { entityAdmin, groupAdmin, profileAdmin, memberships, userAdmin } = house.domains;
  const { db } = house.ground;
  const entity = await entityAdmin.create(system, { name: 'Lyon', parentId: ROOT_ENTITY_ID });
  const other = await entityAdmin.create(system, { name: 'South', parentId: ROOT_ENTITY_ID });
  await entityAdmin.rename(system, entity.id, { name: 'Lyon 2', version: entity.version });
  await entityAdmin.move(system, entity.id, { parentId: other.id, version: entity.version + 1 });
  await entityAdmin.remove(system, entity.id);

  const person = await given.user();
  const group = await groupAdmin.create(system, { name: 'Network', entityId: ROOT_ENTITY_ID });
  await groupAdmin.addMember(system, group.id, person.id);
  await groupAdmin.removeMember(system, group.id, person.id);
  await groupAdmin.rename(system, group.id, { name: 'Networks', version: group.version });
  await groupAdmin.remove(system, group.id);

  const profile = await profileAdmin.create(owner, {
    name: 'Reader',
    kind: 'staff',
    rights: ['ticket.read'],
  });
  await profileAdmin.update(owner, profile.id, { name: 'Readers', kind: 'staff', rights: [], version: 1 });
  await profileAdmin.remove(owner, profile.id);

  const grant = { userId: person.id, profileId: BUILT_IN_PROFILES.technician, entityId: ROOT_ENTITY_ID };
  await db.transaction((tx) => memberships.grant(tx, { ...grant, recursive: true }, { actor: owner }));
  const [held] = (await memberships.grantsOf(person.id)).filter(
    ({ profileId }) => profileId === grant.profileId,
  );
  await memberships.revoke(owner, held?.id ?? '');
  await userAdmin.list(owner, {}, { page: 1, perPage: 1 });
}

async function tickets(app: TestApp): Promise<void> {
  const { given, house, as, api } = app;
  const { tickets: desk } = house.domains;
  const technician = await given.technician();
  const requester = await given.user();
  const [helper, asker] = [await actorOf(app, technician), await actorOf(app, requester)];

  const form = new FormData();
  form.set('file', new File(['a page of text'], 'notes.txt', { type: 'text/plain' }));
  const uploaded = await api(requester).upload('/api/v1/attachments', form);
  const [attachment] = uploaded.json().items ?? [uploaded.json()];
  await given.setting(attachmentStore, 'elsewhere');
  expect((await api(requester).upload('/api/v1/attachments', form)).status).toBe(503);
  await given.setting(attachmentStore, '');
  const { ticket } = await given.ticket({ requester, attachments: [attachment.id] });
  const { number } = ticket;
  expect((await as(technician).get(`/attachments/${String(attachment.id)}`)).status).toBe(200);

  const assignees = { users: [technician.id], groups: [] };
  await desk.tickets.changeNow(helper, number, { urgency: 4, assignees });
  await desk.followUps.add(asker, number, { body: 'It still jams.', visibility: 'public' });
  await desk.solutions.propose(helper, number, { body: 'New rollers.' });
  await desk.solutions.refuse(asker, number, { reason: 'No change.' });
  await desk.solutions.propose(helper, number, { body: 'A new printer.' });
  await desk.solutions.accept(asker, number);
  await as(technician).get(`/tickets/${String(number)}`);
  await as(technician).get('/tickets?status=all');
  await as(await given.owner()).get('/tickets/export.csv');
  await as(technician).get('/');
  const owner = await actorOf(app, await given.owner());
  const category = await desk.categories.create(owner, { entityId: ROOT_ENTITY_ID, name: 'Printing' });
  await desk.categories.update(owner, category.id, { version: category.version, archived: true });
}

async function settingsAndPages({ given, house, as, guest }: TestApp, owner: Actor): Promise<void> {
  await house.ground.settings.change(owner, [{ token: organisation, value: 'Example & Sons' }]);
  await as(await given.owner()).get('/admin/users');
  await guest().call('GET', '/api/v1/openapi.json');
}

async function jobs({ house, clock }: TestApp): Promise<void> {
  const { jobs: scheduler } = house.domains;
  const ran = Promise.withResolvers<undefined>();
  const broke = Promise.withResolvers<undefined>();
  const undo = [
    scheduler.every({
      id: 'test.good',
      everyMs: 1000,
      run: () => {
        ran.resolve(undefined);
        return Promise.resolve();
      },
    }),
    scheduler.every({
      id: 'test.bad',
      everyMs: 1000,
      run: () => {
        broke.resolve(undefined);
        return Promise.reject(new Error('not today'));
      },
    }),
  ];
  scheduler.start();
  await new Promise((resolve) => setTimeout(resolve, 300));
  clock.advance(120_000);
  await Promise.all([ran.promise, broke.promise]);
  await scheduler.stop();
  for (const task of undo) task();
}

async function mails(app: TestApp): Promise<void> {
  const { db, hooks } = app.house.ground;
  const { mail } = app.house.domains;
  const to = { email: 'kept@example.org' };
  const undo = hooks.onVeto('keeper', mailMayLeave, (one) =>
    one.to === to.email ? { code: 'mail.bad-address' } : null,
  );
  const draft = { template: 'mail/test', model: { sender: 'Ada' }, locale: 'en', kind: 'test' };
  await db.transaction((tx) => mail.queue(tx, { ...draft, to }));
  await db.transaction((tx) => mail.queue(tx, { ...draft, to: { email: 'sent@example.org' } }));
  await app.settle();
  undo();
}

async function plugins({ house }: TestApp, owner: Actor): Promise<void> {
  const { plugins: host, installer, uninstaller } = house;
  await installer.stage(owner, await packageOf('parcel', '1.0.0'));
  await installer.use(owner, 'parcel', '1.0.0');
  await uninstaller.uninstall(owner, 'parcel', 'purge');
  await host.disable(owner, 'registration-key');
  await host.purge(owner, 'registration-key');
  await host.enable(owner, 'registration-key');
}

async function commands({ house }: TestApp, owner: Actor): Promise<void> {
  const all = coreCommands(house, { onProblem: () => undefined });
  const doctor = all.find(({ name }) => name === 'doctor');
  const nothing = {
    args: [],
    options: {},
    print: () => undefined,
    readStdin: () => Promise.resolve(''),
    readFile: () => Promise.resolve(Buffer.alloc(0)),
  };
  await doctor?.run({ actor: owner, ...nothing });
  await trySecrets(house);
  // It gathers the scenes of everybody, and then has no clock to play them by.
  const story = { ...house.ground, ...house.domains, clock: null as never, incoming: '' };
  const until = house.ground.clock.now();
  await expect(seedDemo(story, { founder: owner, password: OWNER.password, until })).rejects.toThrow();
}

import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import manifest from '../plugin.json' with { type: 'json' };
import { auditOf, commandsOf, me, type RunCommand } from '../../../test/cli/shell.ts';
import { days } from '../../../test/support/clock.ts';
import { startTestApp, type TestApp } from '../../../test/support/test-app.ts';
import { joinByApi, joinByBrowser, keyOf, somebody } from './desk.ts';

const NOBODY = '01K00000000000000000000000';

interface Desk {
  app: TestApp;
  run: RunCommand;
  /** What a command prints, which must succeed. */
  did: <T = Printed>(words: string, stdin?: string) => Promise<T>;
}
/** What commands print of one thing; each has some of it. */
interface Printed {
  id: string;
  key: string;
  keyId: string;
  name: string;
  secret: string;
  events: string[];
  isOn: boolean;
}

async function desk(options: Parameters<typeof startTestApp>[0] = {}): Promise<Desk> {
  const app = await startTestApp(options);
  const run = commandsOf(app.house);
  return {
    app,
    run,
    did: async <T = Printed>(words: string, stdin?: string) => {
      const ended = await run(`${words} --json`, stdin === undefined ? {} : { stdin });
      expect(ended.err, words).toBe('');
      return ended.json() as T;
    },
  };
}

/** What was done from the command line, in order. */
const actsOf = async ({ app }: Desk): Promise<string[]> =>
  (await auditOf({ url: app.databaseUrl }, me)).map(({ action }) => action.replace('invitation-', ''));

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(await mkdtemp(join(inject('folder'), 'lists-')), name);
  await writeFile(path, text);
  return path;
}

describe('from the command line', () => {
  test('a preset is kept, renamed, used for many keys at once, and removed', async () => {
    const here = await desk();
    const { did, run } = here;
    const { id } = await did('invite create --label Fair --max-uses 3');

    await did(`invite save-preset ${id} --name "Spring fair"`);
    const renamed = await did('invite rename-preset "spring fair" --name Fair');
    const made = await did('invite batch Fair --count 3 --label Stand');
    const listed = await did('invite presets');
    await did('invite remove-preset Fair');
    const gone = await run('invite batch Fair --count 1');

    expect(renamed).toMatchObject({ name: 'Fair', maxUses: 3 });
    expect(made).toHaveLength(3);
    expect(listed).toMatchObject([{ name: 'Fair' }]);
    expect(gone.code).toBe(66);
    expect(await did('invite presets')).toEqual([]);
    expect((await actsOf(here)).filter((act) => act.startsWith('preset'))).toEqual([
      'preset.saved',
      'preset.renamed',
      'preset.removed',
    ]);
  });

  test('the pages on the way are added, changed, put in order and removed', async () => {
    const here = await desk();
    const { did, run } = here;
    const rules = await fileOf('rules.md', 'Be **kind**.');

    const first = await did(`invite step-add ${rules} --title "House rules" --agreement "I agree."`);
    const last = await did(
      'invite step-add - --title Parking --phase before --for named',
      'Behind the house.',
    );
    const edited = await did(`invite step-edit ${last.id} --title "Where to park"`);
    const moved = await did(`invite step-move ${last.id} up`);
    const wrong = await run(`invite step-move ${last.id} sideways`);
    await did(`invite step-remove ${first.id}`);

    expect(first).toMatchObject({ phase: 'before', everywhere: true, body: 'Be **kind**.' });
    expect(edited).toMatchObject({ edition: 2, everywhere: false, body: 'Behind the house.' });
    expect(moved).toMatchObject([{ title: 'Where to park' }, { title: 'House rules', agreement: true }]);
    expect(wrong.code).toBe(64);
    expect(await did('invite steps')).toMatchObject([{ title: 'Where to park', for: 'named' }]);
    expect(await did(`invite step ${last.id}`)).toMatchObject({ title: 'Where to park' });
    expect((await actsOf(here)).filter((act) => act.startsWith('step'))).toEqual([
      'step.added',
      'step.added',
      'step.edited',
      'step.removed',
    ]);
  });

  test('many keys are closed, prolonged and cleared away; what could not be is named, and nothing at all is a failure', async () => {
    const here = await desk();
    const { app, did, run } = here;
    const ids: string[] = [];
    for (const label of ['A', 'B', 'C'])
      ids.push((await did(`invite create --label ${label} --expires 2d`)).id);
    const [a = '', b = '', c = ''] = ids;

    const longer = await did(`invite extend ${a} ${b} --days 30`);
    const closed = await did('invite revoke-many -', `${a}\n${b}, ${NOBODY}\n`);
    const again = await run(`invite revoke-many ${a} --json`);
    const wrong = await run(`invite extend ${c} --days 0`);
    app.clock.advance(days(3));
    const purged = await did('invite purge --what expired,revoked');

    expect(longer).toEqual({ done: 2, skipped: [] });
    expect(closed).toEqual({ done: 2, skipped: [`${NOBODY} invitation.not_found`] });
    expect([again.code, wrong.code]).toEqual([1, 64]);
    expect(again.err).toContain('invitation.already_revoked');
    expect(purged).toEqual({ purged: 3 });
    expect(await did('invite list --status all')).toEqual([]);
  });

  test('a second administrator agrees, a revocation is taken back, a used key is deleted with its history kept', async () => {
    const here = await desk();
    const { app, did, run } = here;
    const admin = await app.given.user({ profile: 'super-admin' });
    const made = await app.api(admin).call('POST', '/api/v1/invitation-keys', {
      profile: 'technician',
      email: 'tech@acme.test',
      maxUses: 1,
    });
    const { id: staff } = made.json() as { id: string };
    const { id, key } = await did('invite create --label Lobby --email-proof none');
    await joinByApi(app, key, somebody());

    const agreed = await did(`invite agree ${staff}`);
    await did(`invite revoke ${id}`);
    const restored = await did(`invite restore ${id}`);
    const kept = await run(`invite delete ${id}`);
    const deleted = await did(`invite delete ${id} --keep-history`);

    expect(agreed).toMatchObject({ id: staff, status: 'active' });
    expect(restored).toMatchObject({ status: 'active', uses: 1 });
    expect(kept.code).toBe(1);
    expect(deleted).toEqual({ deleted: id });
    expect(await actsOf(here)).toEqual(
      expect.arrayContaining(['key.agreed', 'key.restored', 'key.deleted']) as unknown,
    );
  });

  test('copies are made, closed, opened and shown again, and the owner’s notices are chosen', async () => {
    const here = await desk();
    const { app, did } = here;
    const { id } = await did('invite create --label Open --email-proof none');

    const poster = await did(`invite copy ${id} "Front door"`);
    const joined = await joinByApi(app, poster.key, somebody());
    await did(`invite copy-close ${id} ${poster.id}`);
    const closed = await joinByApi(app, poster.key, somebody());
    await did(`invite copy-reopen ${id} ${poster.id}`);
    const shown = await did(`invite copy-reveal ${id} ${poster.id}`);
    const byApi = await app
      .api(await app.given.owner())
      .call('POST', `/api/v1/invitation-keys/${id}/copies/${poster.id}/reveal`);

    expect([joined.status, closed.status]).toEqual([201, 410]);
    expect([shown.key, (byApi.json() as { key: string }).key]).toEqual([poster.key, poster.key]);
    expect(await did(`invite copies ${id}`)).toMatchObject([
      { name: 'Front door', joined: 1, closedAt: null },
    ]);
    expect(await did(`invite notices ${id}`)).toEqual({ joins: 'digest', warnings: true });
    expect(await did(`invite notices ${id} --joins each --warnings off`)).toEqual({
      joins: 'each',
      warnings: false,
    });
    expect(await did(`invite notices ${id}`)).toEqual({ joins: 'each', warnings: false });
    expect(await actsOf(here)).toEqual(
      expect.arrayContaining([
        'key.copy-made',
        'key.copy-closed',
        'key.copy-reopened',
        'key.notices-chosen',
      ]) as unknown,
    );
  });

  test('a table, Discourse’s too, becomes a round; people are written to, again, and one of them once more', async () => {
    const here = await desk({ mail: true });
    const { app, did, run } = here;
    const table = await fileOf('staff.csv', 'email;name\njo@acme.test;Jo\nno address;Nobody\n');
    const discourse = await fileOf('invites.csv', 'ann@acme.test,,\nbob@acme.test,,\n');

    const read = await did(`invite people ${discourse}`);
    await did(`invite round-discard ${read.id}`);
    const sent = await did(`invite people ${table} --start shared --label Staff --message Welcome`);
    const [first] = await did<Printed[]>(`invite invited ${sent.keyId} --missing`);
    await app.mailbox.next('jo@acme.test');
    app.clock.advance(days(1));
    const round = await did(`invite round-again ${sent.id}`);
    const early = await run(`invite round-again ${sent.id}`);
    const once = await did(`invite resend ${sent.keyId} JO@acme.test`);
    const nobody = await run(`invite resend ${sent.keyId} x@acme.test`);
    const missing = await run('invite people no-such-file.csv');

    expect(read).toMatchObject({ state: 'draft' });
    expect(sent).toMatchObject({ kind: 'shared', label: 'Staff' });
    expect(first).toMatchObject({ email: 'jo@acme.test', mails: 1 });
    expect(round).toMatchObject({ kind: 'again' });
    expect(once).toMatchObject({ email: 'jo@acme.test', mails: 3 });
    expect([early.code, nobody.code, missing.code]).toEqual([1, 66, 66]);
    expect(await actsOf(here)).toEqual(
      expect.arrayContaining(['round.started', 'key.mailed-again']) as unknown,
    );
  });

  test('who is on a list is nudged, or taken off it', async () => {
    const here = await desk({ mail: true });
    const { app, did, run } = here;
    const list = await fileOf('class.txt', 'a@acme.test\nb@acme.test');
    const { keyId } = await did(`invite people ${list} --start roster --no-mail --keep-addresses`);

    await did(`invite unlist ${keyId} b@acme.test`);
    const nudged = await did(`invite nudge ${keyId}`);
    const letter = await app.mailbox.next('a@acme.test');
    const gone = await run(`invite unlist ${keyId} b@acme.test`);

    expect(nudged).toMatchObject({ kind: 'nudge' });
    expect(letter.links[0]).toContain('/join/lkmail_');
    expect(await did(`invite roster ${keyId} --missing`)).toEqual([{ address: 'a@acme.test' }]);
    expect(gone.code).toBe(1);
  });

  test('people who wait are let in or turned away, and a held place is confirmed or ended, as programs do it too', async () => {
    const here = await desk({ mail: true });
    const { app, did, run } = here;
    const { key } = await app.given.invitationKey({ approval: 'manual', emailProof: 'none' });
    const { id: proving, key: held } = await app.given.invitationKey({ emailProof: 'required' });
    for (const name of ['Ann', 'Bob', 'Cleo']) await joinByApi(app, key, somebody({ name }));
    for (const name of ['Dan', 'Eve', 'Flo']) await joinByApi(app, held, somebody({ name }));
    const named = (list: { id: string; name: string }[], name: string): string =>
      list.find((one) => one.name === name)?.id ?? '';
    const api = app.api(await app.given.owner());

    const waiting = await did<Printed[]>('invite approvals');
    const approved = await did(`invite approve ${named(waiting, 'Ann')} ${NOBODY}`);
    const declined = await did(`invite decline ${named(waiting, 'Bob')} --reason "Not this time"`);
    const byApi = await api.call('POST', '/api/v1/invitation-keys/approvals', {
      ids: [named(waiting, 'Cleo'), named(waiting, 'Ann')],
      decision: 'approve',
    });
    const again = await run(`invite approve ${named(waiting, 'Ann')}`);
    const unconfirmed = await did<Printed[]>('invite unconfirmed');
    const confirmed = await did(`invite confirm ${named(unconfirmed, 'Dan')}`);
    await did(`invite dismiss ${named(unconfirmed, 'Eve')}`);
    const listed = await api.call('GET', '/api/v1/invitation-keys/unconfirmed');
    const { status } = await api.call(
      'DELETE',
      `/api/v1/invitation-keys/unconfirmed/${named(unconfirmed, 'Flo')}`,
    );

    expect(approved).toEqual({ done: 1, skipped: [`${NOBODY} invitation.nothing_waits`] });
    expect(declined).toEqual({ done: 1, skipped: [] });
    expect(byApi.json()).toMatchObject({ done: 1, skipped: [{ code: 'invitation.decided_already' }] });
    expect(again.code).toBe(1);
    expect(confirmed).toMatchObject({ status: 'active' });
    expect(listed.json()).toMatchObject({ total: 1, items: [{ name: 'Flo', how: 'new' }] });
    expect(status).toBe(204);
    expect(await keyOf(app, proving)).toMatchObject({ uses: 1 });
    expect((await api.call('GET', '/api/v1/invitation-keys/approvals')).json()).toMatchObject({ total: 0 });
    expect(await actsOf(here)).toEqual(
      expect.arrayContaining(['key.approved', 'key.declined', 'key.confirmed-by-hand']) as unknown,
    );
  });

  test('whoever asks for a way in gets one, or a no', async () => {
    const here = await desk({ mail: true });
    const { app, did } = here;
    const { key } = await app.given.invitationKey({
      expiresAt: new Date(app.clock.now() + days(1)).toISOString(),
    });
    app.clock.advance(days(2));
    for (const name of ['Ann', 'Bob']) {
      const browser = app.guest();
      const closed = await browser.get(`/join/${key}`);
      await browser.submitShown(
        closed,
        { name, email: `${name}@acme.test`, message: 'Please' },
        { action: '/join/step/ask' },
      );
    }

    const [first, second] = await did<Printed[]>('invite requests');
    const granted = await did(`invite grant ${first?.id ?? ''} --message "Here you are"`);
    await did(`invite refuse ${second?.id ?? ''} --reason "Ask HR"`);
    const joined = await joinByBrowser(app.guest(), granted.key, { email: 'ann@acme.test' });

    expect(first).toMatchObject({ email: 'Ann@acme.test', message: 'Please', reason: 'expired' });
    expect(granted).toMatchObject({ mailed: true });
    expect(joined.status).toBe(200);
    expect(await did('invite requests')).toEqual([]);
    expect(await actsOf(here)).toEqual(
      expect.arrayContaining(['key.request-granted', 'key.request-declined']) as unknown,
    );
  });

  test('undoing a leak is turned back by its id', async () => {
    const here = await desk();
    const { app, did } = here;
    const { id, key } = await did('invite create --email-proof none');
    const since = new Date(app.clock.now() - 1000).toISOString();
    const jo = somebody();
    await joinByApi(app, key, jo);

    const undone = await did(`invite undo ${id} --since ${since} --yes`);
    const closed = await app.house.domains.users.findByEmail(jo.email);
    const reversed = await did(`invite undo-reverse ${undone.id}`);

    expect(closed).toMatchObject({ status: 'disabled' });
    expect(reversed).toMatchObject({ state: 'reversed' });
    expect(await app.house.domains.users.findByEmail(jo.email)).toMatchObject({ status: 'active' });
  });

  test('every command explains itself, and says of an id that is none that it does not exist', async () => {
    const { app, run } = await desk({ mail: true });
    const commands = app.house.commands.all().filter(({ name }) => name.startsWith('invite '));
    expect(commands.map(({ name }) => name).sort()).toEqual([...manifest.commands].sort());

    const help = await run('invite --help');
    for (const { name, summary, args = '' } of commands) {
      expect(help.out).toContain(name.replace('invite ', ''));
      expect(summary, name).toMatch(/^[A-Z].{10,}[^.]$/);
      if (!/^<(id|ids\.\.\.|undo|request)>/.test(args)) continue;
      const more = /<(copy|address|addresses|name|who)>/.test(args)
        ? ' somebody@acme.test'
        : / <way>/.test(args)
          ? ' up'
          : '';
      const since = name === 'invite undo' ? ' --since 2026-01-01T00:00:00Z' : '';
      const { code, err } = await run(`${name} ${NOBODY}${more}${since} --json`);
      expect([66, 1], `${name}: ${err}`).toContain(code);
      expect(err, name).toMatch(/not_found|nothing_waits|unknown|none|request_unknown|no_/);
    }
  });
});

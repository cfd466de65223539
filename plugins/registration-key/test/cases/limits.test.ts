import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { commandsOf } from '../../../../test/cli/shell.ts';
import { describeOnEachEngine } from '../../../../test/support/databases.ts';
import type { Answer } from '../../../../test/support/http-client.ts';
import { startTestApp, type TestApp } from '../../../../test/support/test-app.ts';
import { joinByApi, keyOf, redemptionsOf, somebody, statusesOf } from '../desk.ts';
import { audited, codeOf, ownerApi } from './place.ts';

const LONG = 60_000;
const MINUTE_MS = 60_000;
const UNKNOWN = 'lkinv_WR0ZKX7BHVCNRDJ23KYQFM817EGYTPJN';

/** Keys put straight into their table, four of a kind in turn: good, over, full, closed. */
async function manyKeys(app: TestApp, count: number): Promise<void> {
  await app.given.invitationKey({ label: 'Sample' });
  const now = app.clock.now();
  const [sample] = await app.db.knex<Record<string, unknown>, Record<string, unknown>[]>('invite_key');
  const kinds = [{}, { expires_at: now - 1 }, { max_uses: 1, uses: 1, seat_seq: 1 }, { revoked_at: now }];
  const rows = Array.from({ length: count }, (_, at) => ({
    ...sample,
    ...kinds[at % kinds.length],
    id: `01K0000000000000000${String(at).padStart(7, '0')}`,
    lookup: Buffer.alloc(32).fill(String(at)),
    label: `Batch ${String(at)}`,
    search_text: `batch ${String(at)}`,
    created_at: now - at,
  }));
  await app.db.transaction(async (tx) => {
    for (let at = 0; at < rows.length; at += 200)
      await tx.knex('invite_key').insert(
        rows.slice(at, at + 200).map((row, offset) => {
          const lookup = Buffer.alloc(32);
          lookup.writeUInt32BE(at + offset);
          return { ...row, lookup };
        }),
      );
    const words = rows.map(({ id }) => ({ word: 'batch', key_id: id }));
    for (let at = 0; at < words.length; at += 500)
      await tx.knex('invite_key_word').insert(words.slice(at, at + 500));
  });
}

/** Every cell of every table, as bytes and as text. */
async function dumpOf(app: TestApp): Promise<Buffer[]> {
  const { dialect } = app.db;
  const tables: string[] =
    dialect.name === 'sqlite'
      ? await app.db.knex('sqlite_master').where({ type: 'table' }).pluck('name')
      : await app.db
          .knex('information_schema.tables')
          .whereRaw('table_schema = DATABASE()')
          .pluck('table_name');
  const cells: Buffer[] = [];
  for (const table of tables) {
    for (const row of (await app.db.knex(table).catch(() => [])) as Record<string, unknown>[]) {
      for (const value of Object.values(row)) {
        if (value instanceof Uint8Array) cells.push(Buffer.from(value));
        else if (value !== null) cells.push(Buffer.from(JSON.stringify(value)));
      }
    }
  }
  return cells;
}

describeOnEachEngine('limits, leaks and lists', (engine) => {
  test(
    'D01 thirty newcomers behind one address all join within a minute, and the breaker stays calm',
    { timeout: LONG },
    async () => {
      const app = await startTestApp({ engine });
      const { id, key } = await app.given.invitationKey({ maxUses: 40 });

      const answers = await Promise.all(Array.from({ length: 30 }, () => joinByApi(app, key, somebody())));
      await app.house.domains.jobs.runNow('registration-key.watch-keys');

      expect(statusesOf(answers)).toEqual({ 201: 30 });
      expect(await keyOf(app, id)).toMatchObject({ status: 'active', uses: 30 });
    },
  );

  test(
    'D02 who guesses is stopped, whatever they write into X-Forwarded-For, and nobody else is',
    { timeout: LONG },
    async () => {
      const app = await startTestApp({ engine, config: { TRUST_PROXY: 'loopback' } });
      const { key } = await app.given.invitationKey();
      const check = (text: string, from: string): Promise<number> =>
        app
          .request()
          .post('/api/v1/invitation-keys/check')
          .set('X-Forwarded-For', from)
          .send({ key: text })
          .then(({ status }) => status);

      const guesses: number[] = [];
      for (let at = 0; at < 60; at += 1) guesses.push(await check(UNKNOWN, '203.0.113.7'));
      // What the visitor wrote themselves stands before the address that the proxy saw.
      const disguised = await check(UNKNOWN, '198.51.100.1, 203.0.113.7');
      const neighbour = await check(key, '192.0.2.9');

      expect(guesses.filter((status) => status === 429).length).toBeGreaterThan(20);
      expect(disguised).toBe(429);
      expect(neighbour).toBe(200);
    },
  );

  test(
    'D03 a limiter that does not answer closes the door with 503 and says when to come back',
    { timeout: LONG },
    async () => {
      const app = await startTestApp({ engine });
      const { key } = await app.given.invitationKey();
      const away = new Error('The store of the counters is away');
      const consume = vi.spyOn(RateLimiterMemory.prototype, 'consume').mockRejectedValue(away);
      const get = vi.spyOn(RateLimiterMemory.prototype, 'get').mockRejectedValue(away);
      onTestFinished(() => {
        consume.mockRestore();
        get.mockRestore();
      });

      const guess = await app.guest().call('POST', '/api/v1/invitation-keys/check', { key: UNKNOWN });
      const typed = await app.guest().submit('/join', { key: UNKNOWN }, { action: '/join/step/open' });
      const custom = await app.guest().call('POST', '/api/v1/invitation-keys/check', { key: 'WELCOME2027' });
      const holder = await app.guest().call('POST', '/api/v1/invitation-keys/check', { key });

      for (const refused of [guess, typed, custom]) {
        expect(refused.status).toBe(503);
        expect(refused.headers['retry-after']).toBe('30');
      }
      expect(guess.json()).toMatchObject({ code: 'limits.away' });
      expect(holder.status).toBe(200);
    },
  );

  test(
    'D07 a dump of the database holds no key and nothing to test a guess with',
    { timeout: LONG },
    async () => {
      const app = await startTestApp({ engine });
      const { key } = await app.given.invitationKey();
      const custom = await app.given.invitationKey({
        customKey: 'WELCOME2027',
        approval: 'manual',
        emailProof: 'required',
      });
      await joinByApi(app, key, somebody());
      const { createHash } = await import('node:crypto');

      const cells = await dumpOf(app);

      for (const text of [key, key.slice(6), custom.key, 'WELCOME2027']) {
        const traces = [
          Buffer.from(text),
          ...['sha256', 'sha1', 'md5', 'sha512'].map((name) => createHash(name).update(text).digest()),
        ];
        expect(cells.some((cell) => traces.some((trace) => cell.includes(trace)))).toBe(false);
      }
    },
  );

  test(
    'D09 five thousand keys are listed, narrowed, searched and paged, and none is lost',
    { timeout: LONG },
    async () => {
      const app = await startTestApp({ engine });
      await manyKeys(app, 5000);
      const api = await ownerApi(app);
      const list = async (query: string) => {
        const answer = await api.call('GET', `/api/v1/invitation-keys?${query}`);
        return answer.json() as { total: number; items: { id: string }[] };
      };

      const active = await list('status=active&perPage=100');
      const finished = await list('status=finished&perPage=100');
      const found = await list('search=sample');
      // A word that so many have is walked through in the order of the list, and counted another way.
      const common = await list('search=batch&perPage=50&page=2');
      const commonAndOpen = await list('status=active&search=batch+batch');
      const first = await list('status=all&perPage=50&page=1');
      const second = await list('status=all&perPage=50&page=2');
      const again = await list('status=all&perPage=50&page=2');
      const { count: open } = (await app.db
        .knex('invite_key')
        .whereNull('revoked_at')
        .where((w) => void w.whereNull('expires_at').orWhere('expires_at', '>', app.clock.now()))
        .whereRaw('uses < max_uses')
        .count({ count: '*' })
        .first()) as { count: unknown };

      await app.db.transaction(async (tx) => {
        const toBegin = { not_before: app.clock.now() + MINUTE_MS };
        await tx
          .knex('invite_key')
          .whereNull('revoked_at')
          .where({ uses: 0 })
          .update({ ...toBegin, expires_at: null });
      });
      const toBegin = await list('status=scheduled&page=2');
      const oldestToBegin = await list('status=scheduled&sort=oldest');

      // Totals stop at a thousand and one, which pages show as "1,000+".
      expect([Number(open), active.total, finished.total]).toEqual([1251, 1001, 1001]);
      expect(found.items).toHaveLength(1);
      expect([common.total, common.items.length, commonAndOpen.total]).toEqual([1001, 50, 1001]);
      expect(first.items.filter(({ id }) => second.items.some((one) => one.id === id))).toEqual([]);
      expect(again.items).toEqual(second.items);
      // Two of four have yet to begin, and the sample is the newest of all.
      const ids = Array.from({ length: 2499 }, (_, at) => 4 * Math.floor(at / 2) + (at % 2));
      const shown = ({ items }: typeof toBegin) => items.map(({ id }) => Number(id.slice(-7)));
      expect([toBegin.total, shown(toBegin)]).toEqual([1001, ids.slice(24, 49)]);
      expect(shown(oldestToBegin)).toEqual([4997, ...ids.reverse().slice(0, 24)]);
    },
  );

  test(
    'D10 a filter that does not exist is refused and not taken for another',
    { timeout: LONG },
    async () => {
      const app = await startTestApp({ engine });
      const { id } = await app.given.invitationKey();
      const api = await ownerApi(app);

      const keys = await api.call('GET', '/api/v1/invitation-keys?status=sleeping');
      const people = await api.call('GET', `/api/v1/invitation-keys/${id}/history?kind=nothing`);

      expect([keys.status, people.status]).toEqual([400, 400]);
      expect(codeOf(keys)).toBe('input.invalid');
    },
  );

  test(
    'D11 showing a link again needs the right and a recent login, is on record, and is counted',
    { timeout: LONG },
    async () => {
      const app = await startTestApp({ engine });
      const owner = await app.given.owner();
      const { id, url } = await app.given.invitationKey();
      const reader = app.api(await app.given.user({ profile: 'supervisor' }));
      const browser = app.as(owner);
      const page = await browser.get(`/invitation-keys/${id}`);
      app.clock.advance(16 * MINUTE_MS);

      const denied = await reader.call('POST', `/api/v1/invitation-keys/${id}/reveal`);
      const asked = await browser.submitShown(page, {}, { action: `/invitation-keys/${id}/reveal` });
      const api = app.api(owner);
      const answers: number[] = [];
      for (let at = 0; at < 61; at += 1)
        answers.push((await api.call('POST', `/api/v1/invitation-keys/${id}/reveal`)).status);

      expect(denied.status).toBe(403);
      expect(asked.url).toContain('/confirm-identity');
      expect(asked.text).not.toContain(url);
      expect(answers.slice(0, 60).every((status) => status === 200)).toBe(true);
      expect(answers[60]).toBe(429);
      const entries = await audited(app, 'invitation-key.revealed');
      expect(entries).toHaveLength(60);
      expect(entries[0]).toMatchObject({ actor_id: owner.id, subject_id: id });
    },
  );

  test(
    'D12 a redemption is on record with key, person, inviter, time, process and place, and without a secret',
    { timeout: LONG },
    async () => {
      const app = await startTestApp({ engine });
      const owner = await app.given.owner();
      const { id, key } = await app.given.invitationKey();
      const newcomer = somebody();
      await joinByApi(app, key, newcomer);
      const [row] = (await redemptionsOf(app, id)).items;

      const history = await (
        await ownerApi(app)
      ).call('GET', `/api/v1/invitation-keys/${id}/history?kind=redeemed`);
      const [event] = (history.json() as { items: Record<string, unknown>[] }).items;

      expect(event).toMatchObject({
        kind: 'redeemed',
        actorId: owner.id,
        after: { userId: row?.['userId'], inviterId: owner.id, seat: 1 },
        node: app.house.ground.node,
      });
      expect(String(event?.['at'])).toMatch(/Z$/);
      expect(String(event?.['network'])).toMatch(/\/24$|\/48$/);
      expect(history.text).not.toContain(key.slice(6));
      expect(history.text).not.toContain(newcomer.password);
    },
  );

  test(
    'D13 when the keys of the house are changed, old links still work and every row moves over',
    { timeout: LONG },
    async () => {
      const app = await startTestApp({ engine });
      const random = await app.given.invitationKey();
      const custom = await app.given.invitationKey({
        customKey: 'WELCOME2027',
        approval: 'manual',
        emailProof: 'required',
      });
      const { keys } = app.house.ground;
      await keys.renewAll();

      const before = await joinByApi(app, random.key, somebody());
      await app.house.domains.jobs.runNow('registration-key.renew-secrets');
      const after = await joinByApi(app, random.key, somebody());
      const shown = await (await ownerApi(app)).call('POST', `/api/v1/invitation-keys/${random.id}/reveal`);
      const check = await app.guest().call('POST', '/api/v1/invitation-keys/check', { key: custom.key });
      const rows = await app.db
        .knex('invite_key')
        .select<{ lookup_key: unknown; copy_key: unknown }[]>('lookup_key', 'copy_key');

      expect([before.status, after.status, check.status]).toEqual([201, 201, 200]);
      expect((shown.json() as { url: string }).url).toBe(random.url);
      expect(rows.map((row) => [Number(row.lookup_key), Number(row.copy_key)])).toEqual([
        [2, 2],
        [2, 2],
      ]);
    },
  );

  test(
    'D13 copies, lists and forms that wait move over by themselves; what was shown once or mailed, when somebody shows it',
    { timeout: LONG },
    async () => {
      const app = await startTestApp({ engine, mail: true });
      const api = await ownerApi(app);
      const once = await app.given.invitationKey({ showOnce: true });
      const { id, key } = await app.given.invitationKey({ approval: 'manual', emailProof: 'required' });
      const copy = (
        await api.call('POST', `/api/v1/invitation-keys/${id}/copies`, { name: 'Poster' })
      ).json();
      await api.call('POST', `/api/v1/invitation-keys/${id}/invited`, { emails: ['jo@acme.test'] });
      const [link = ''] = (await app.mailbox.next('jo@acme.test')).links;
      const mailed = link.split('/').at(-1) ?? '';
      const unproven = await app.given.invitationKey({ approval: 'manual' });
      await joinByApi(app, unproven.key, somebody());
      const rounds = '/api/v1/invitation-keys/rounds';
      const list = (await api.call('POST', rounds, { people: 'a@acme.test\nb@acme.test' })).json() as {
        id: string;
      };
      const roster = { kind: 'roster', mails: false, keepsAddresses: true };
      await api.call('POST', `${rounds}/${list.id}/start`, roster);
      await app.house.domains.jobs.runNow('registration-key.send-rounds');
      await app.house.ground.keys.renewAll();

      await app.house.domains.jobs.runNow('registration-key.renew-secrets');
      for (const shown of [once.key, String(copy.key), mailed]) await app.guest().get(`/join/${shown}`);
      const opened = await digestsOf(app);
      await app.house.domains.jobs.runNow('registration-key.note-openings');
      const written = await digestsOf(app);
      const again = await app.guest().get(`/join/${once.key}`);

      expect(key).toMatch(/^lkinv_/);
      expect(opened).toMatchObject({ invite_key: [1, 2, 2, 2], invite_copy: [2], invite_mailing: [1] });
      expect(written).toEqual({
        invite_key: [2, 2, 2, 2],
        invite_copy: [2],
        invite_mailing: [2],
        invite_roster_entry: [2, 2],
        invite_attempt: [2],
      });
      expect(again.text).toContain('name="redeemId"');
    },
  );

  test('D15 a foreign page can neither mint, revoke nor redeem', { timeout: LONG }, async () => {
    const app = await startTestApp({ engine });
    const { id, key } = await app.given.invitationKey();
    const owner = app.as(await app.given.owner());
    const newcomer = app.guest();
    await newcomer.get(`/join/${key}`);
    const foreign = { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' };
    const { email, name, password } = somebody();
    const form = new URLSearchParams({ email, name, password }).toString();

    // Also with the right token of the form: where it comes from is asked on its own.
    const page = await owner.get(`/invitation-keys/${id}`);
    const token = encodeURIComponent(/name="_csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '');
    const pause = (headers: Record<string, string>): Promise<Answer> =>
      owner.send(`/invitation-keys/${id}/pause`, { method: 'POST', headers, body: `_csrf=${token}` });
    const stolen = await pause(foreign);
    const own = { ...foreign, origin: app.origin };

    const answers = [
      await owner.send('/invitation-keys', { method: 'POST', headers: foreign, body: 'kind=team' }),
      await owner.send(`/invitation-keys/${id}/revoke`, { method: 'POST', headers: foreign, body: '' }),
      await owner.send(`/invitation-keys/${id}/undo`, {
        method: 'POST',
        headers: foreign,
        body: 'action=suspend',
      }),
      await newcomer.send('/join', { method: 'POST', headers: foreign, body: form }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    expect(stolen.status).toBe(403);
    expect(await keyOf(app, id)).toMatchObject({ status: 'active', uses: 0 });
    expect((await pause(own)).status).toBe(303);
  });

  test(
    'D17 after a restore nobody joins until it is released, and the seats of the lost day are back',
    { timeout: LONG },
    async () => {
      const app = await startTestApp({ engine });
      const { id, key } = await app.given.invitationKey({ maxUses: 1 });
      const run = commandsOf(app.house);
      const archive = join(await mkdtemp(join(inject('folder'), 'backup-')), 'yesterday.tar.gz');
      await run(`backup --output ${archive}`);
      await joinByApi(app, key, somebody());
      const full = await joinByApi(app, key, somebody());

      await run(`restore ${archive} --force`);
      const held = await joinByApi(app, key, somebody());
      await run('release');
      const again = await joinByApi(app, key, somebody());

      expect([full.status, codeOf(full)]).toEqual([410, 'invitation.used_up']);
      expect([held.status, codeOf(held)]).toEqual([503, 'invitation.paused']);
      expect(again.status).toBe(201);
      expect(await keyOf(app, id)).toMatchObject({ uses: 1, maxUses: 1 });
    },
  );
});

/** By which keys of the house the rows of each table are digested or sealed. */
async function digestsOf(app: TestApp): Promise<Record<string, number[]>> {
  const columns = {
    invite_key: 'lookup_key',
    invite_copy: 'lookup_key',
    invite_mailing: 'lookup_key',
    invite_roster_entry: 'mac_key',
    invite_attempt: 'draft_key',
  };
  const found: Record<string, number[]> = {};
  for (const [table, column] of Object.entries(columns)) {
    const made: unknown[] = await app.db.knex(table).orderBy(column).pluck(column);
    found[table] = made.map(Number);
  }
  return found;
}

import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { createGunzip, createGzip } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { describe, expect, inject, test } from 'vitest';
import { system } from '../../src/shared/actor.ts';
import { describeOnEachEngine, openDatabase, type Engine } from '../support/databases.ts';
import { OWNER } from '../support/house.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { packageOf } from '../plugin-host/packages.ts';
import { auditOf, commandsOf, me, openShell, type RunCommand } from './shell.ts';

const LONG = { timeout: 90_000 };

const newFolder = (): Promise<string> => mkdtemp(join(inject('folder'), 'backup-'));
const otherEngine = (engine: Engine): Engine => {
  const other = inject('engines').find((one) => one !== engine);
  return other ?? engine;
};

/** A house in which something has happened, with an attachment and an umlaut. */
async function livedIn(engine: Engine): Promise<TestApp> {
  const app = await startTestApp({ engine });
  const { given, house } = app;
  const requester = await given.user({ name: 'Jürgen Großmann', email: 'juergen@example.org' });
  await given.invitationKey({ label: 'Büro Köln', maxUses: 3 });
  const actor = await house.domains.users.actorOf(requester.id);
  if (!actor) throw new Error('The requester is gone');
  const path = join(await newFolder(), 'notes.txt');
  await writeFile(path, 'It hums. Größe: 7');
  const file = { field: 'file', name: 'Notizen.txt', mediaType: 'text/plain', size: 18, path };
  const [attachment] = await house.domains.tickets.attachments.keep(actor, [file]);
  await house.domains.tickets.tickets.create(actor, {
    title: 'Der Drucker brummt 🖨',
    description: 'Seit *heute* früh.',
    attachments: attachment ? [attachment.id] : [],
  });
  await house.domains.sessions.start(requester.id, { ip: '127.0.0.1', userAgent: 'test' });
  return app;
}

async function backupOf(app: TestApp): Promise<string> {
  const archive = join(await newFolder(), 'house.tar.gz');
  const made = await commandsOf(app.house)(`backup --output ${archive} --json`);
  expect(made.err).toBe('');
  expect(made.json()).toMatchObject({ file: archive, attachments: 1 });
  return archive;
}

/** The command line of a house whose server has been stopped. */
const stopped =
  ({ house, db }: TestApp): RunCommand =>
  async (words) => {
    await db.transaction((tx) => tx.knex('plugin_node').delete());
    return commandsOf(house)(words);
  };

/** What people put there, as rows; not what belongs to one process or engine. */
async function contentOf(url: string): Promise<Record<string, unknown>> {
  const db = openDatabase(url);
  const tables = [
    'users',
    'grants',
    'tickets',
    'timeline_entries',
    'attachments',
    'invite_key',
    'wrapped_key',
  ];
  const content: Record<string, unknown> = {};
  for (const table of tables) {
    const rows: Record<string, unknown>[] = await db.knex(table);
    content[table] = rows.map((row) => JSON.stringify(row, bytesAsHex)).sort();
  }
  return content;
}

const bytesAsHex = (_name: string, value: unknown): unknown => {
  const isBytes = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
  if (isBytes && 'data' in value) return Buffer.from(value.data as number[]).toString('hex');
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
};

describeOnEachEngine('a backup', (engine) => {
  for (const where of ['the same engine', 'the other engine'] as const) {
    test(
      `brings everything back into an empty house on ${where}, and lets nothing out yet`,
      LONG,
      async () => {
        const old = await livedIn(engine);
        const archive = await backupOf(old);
        const target = where === 'the same engine' ? engine : otherEngine(engine);
        const app = await startTestApp({ engine: target, isNew: true });

        const restored = await stopped(app)(`restore ${archive} --json`);

        expect(restored.err).toBe('');
        expect(restored.json()).toMatchObject({ restored: archive, engine });
        expect(await contentOf(app.databaseUrl)).toEqual(await contentOf(old.databaseUrl));
        expect(await app.db.knex('sessions')).toEqual([]);
        expect(await app.db.knex('background_hold')).toMatchObject([{ name: 'restore' }]);
        const { people, tickets } = {
          people: app.house.domains.userAdmin,
          tickets: app.house.domains.tickets,
        };
        expect(
          (await people.list(system, { search: 'juergen' }, { page: 1, perPage: 5 })).items,
        ).toHaveLength(1);
        expect(
          (await tickets.lists.list(system, filterFor('drucker'), { page: 1, perPage: 5 })).items,
        ).toHaveLength(1);
        const [attachment]: { id: string }[] = await app.db.knex('attachments');
        const { content } = await tickets.attachments.open(system, attachment?.id ?? '');
        expect(await text(content)).toBe('It hums. Größe: 7');
        expect((await auditOf({ url: app.databaseUrl }, me)).map(({ action }) => action)).toContain(
          'backup.restored',
        );
      },
    );
  }

  test('pauses invitations until somebody releases them', LONG, async () => {
    const old = await startTestApp({ engine });
    const archive = join(await newFolder(), 'house.tar.gz');
    const { key } = await old.given.invitationKey();
    await commandsOf(old.house)(`backup --output ${archive}`);
    const latchkey = commandsOf(old.house);
    const check = async (): Promise<unknown> =>
      (await old.guest().call('POST', '/api/v1/invitation-keys/check', { key })).json();
    await latchkey(`restore ${archive} --force`);

    const before = await check();
    const released = await latchkey('release --json');
    const again = await latchkey('release --json');

    expect(before).not.toEqual(await check());
    expect(JSON.stringify(before)).toMatch(/paused/);
    expect(released.json()).toEqual({ released: true });
    expect(again.json()).toEqual({ released: false });
    expect(await old.db.knex('background_hold')).toEqual([]);
    expect((await auditOf({ url: old.databaseUrl }, me)).map(({ action }) => action)).toContain(
      'backup.released',
    );
  });

  test(
    'takes no evidence away: what happened since the backup stays written, and what it has more is added',
    LONG,
    async () => {
      const app = await startTestApp({ engine });
      const event = (id: string) => ({
        id,
        key_id: 'K',
        entity_id: 'N',
        kind: 'refused',
        at: 1,
        node: 'n',
        network: '',
      });
      const write = (id: string) =>
        app.db.transaction(async (tx) => tx.knex('invite_event').insert(event(id)));
      await write('BEFORE');
      const archive = await backupOf(await livedIn(engine));
      const mine = join(await newFolder(), 'mine.tar.gz');
      await commandsOf(app.house)(`backup --output ${mine}`);
      await write('AFTER');

      const own = await commandsOf(app.house)(`restore ${mine} --force`);
      const other = await commandsOf(app.house)(`restore ${archive} --force`);

      expect([own.code, other.code]).toEqual([0, 0]);
      expect(await app.db.knex('invite_event').orderBy('id').pluck('id')).toEqual(['AFTER', 'BEFORE']);
    },
  );

  test(
    'never takes the place of people who are there, nor is it put under a server that runs, unless that is said',
    LONG,
    async () => {
      const old = await livedIn(engine);
      const archive = await backupOf(old);
      const app = await startTestApp({ engine });
      await app.given.user({ email: 'new@example.org' });
      const before = await contentOf(app.databaseUrl);

      const underServer = await commandsOf(app.house)(`restore ${archive}`);
      const refused = await stopped(app)(`restore ${archive}`);

      expect(underServer.code).toBe(1);
      expect(underServer.err).toContain(`Running on this database: ${app.house.ground.node}.`);
      expect(underServer.err).toContain('Stop each of them first');
      expect(refused.code).toBe(1);
      expect(refused.err).toContain('There are people in this database already');
      expect(await contentOf(app.databaseUrl)).toEqual(before);

      await app.house.plugins.converge();
      const forced = await commandsOf(app.house)(`restore ${archive} --force --json`);

      expect(forced.code).toBe(0);
      expect(forced.json()).toMatchObject({ restartThese: app.house.ground.node });
      expect(await app.house.domains.users.findByEmail('new@example.org')).toBeNull();
      expect(await auditOf({ url: app.databaseUrl })).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ action: 'user.created', subject_label: 'new@example.org' }),
          expect.objectContaining({ action: 'ticket.created' }),
        ]),
      );
    },
  );

  test(
    'with rows of a plugin that is not here is refused by name, or brought without them',
    LONG,
    async () => {
      const old = await startTestApp({ engine });
      const archive = join(await newFolder(), 'house.tar.gz');
      await old.db.execute('CREATE TABLE notes_note (id INTEGER NOT NULL PRIMARY KEY)');
      await old.db.transaction((tx) => tx.knex('notes_note').insert({ id: 7 }));
      await commandsOf(old.house)(`backup --output ${archive}`);
      const app = await startTestApp({ engine, isNew: true });
      const latchkey = stopped(app);

      const refused = await latchkey(`restore ${archive}`);
      const people = await app.db.knex('users');
      const restored = await latchkey(`restore ${archive} --skip-unknown`);

      expect(refused.code).toBe(64);
      expect(refused.err).toContain('notes_note');
      expect(people).toEqual([]);
      expect(restored.code).toBe(0);
      expect(await app.db.knex('users')).toHaveLength(1);
    },
  );

  test('brings the packages of plugins along, and their tables', LONG, async () => {
    const old = await startTestApp({ engine });
    const packed = await packageOf('parcel', '1.0.0', {
      files: {
        'migrations/0001-stamps.ts': `export const migration = { name: '0001-stamps',
          up: ['CREATE TABLE IF NOT EXISTS parcel_stamp (id {id} NOT NULL PRIMARY KEY, worth INTEGER NOT NULL)'],
          down: ['DROP TABLE IF EXISTS parcel_stamp'] };`,
      },
    });
    await old.house.installer.stage(system, packed);
    await old.house.installer.use(system, 'parcel', '1.0.0');
    await old.db.transaction((tx) => tx.knex('parcel_stamp').insert({ id: 'A', worth: 5 }));
    const archive = join(await newFolder(), 'house.tar.gz');
    await commandsOf(old.house)(`backup --output ${archive}`);
    const app = await startTestApp({ engine, isNew: true });

    const restored = await stopped(app)(`restore ${archive} --json`);
    await app.house.plugins.converge();

    expect(restored.err).toBe('');
    expect(await app.db.knex('parcel_stamp')).toMatchObject([{ id: 'A', worth: 5 }]);
    expect(await app.house.plugins.find('parcel', 'en')).toMatchObject({ state: 'enabled' });
  });

  test('that is damaged, newer or no backup at all is refused, and nothing has changed', LONG, async () => {
    const old = await livedIn(engine);
    const archive = await backupOf(old);
    const app = await startTestApp({ engine });
    const before = await contentOf(app.databaseUrl);
    const latchkey = commandsOf(app.house);
    const refusals = {
      row: await rewritten(archive, (name, body) =>
        name === 'tables/users.ndjson' ? body.replace('juergen', 'juergem') : body,
      ),
      missing: await rewritten(archive, (name, body) => (name === 'tables/tickets.ndjson' ? null : body)),
      added: await rewritten(archive, (name, body) => body, { 'files/zz/stranger': 'Hello' }),
      outside: await rewritten(archive, (name, body) => body, { '../../outside': 'Hello' }),
      newer: await rewritten(archive, (name, body) =>
        name === 'manifest.json' ? body.replace(/"version": "[^"]+"/, '"version": "99.0.0"') : body,
      ),
      manifest: await rewritten(archive, (name, body) => (name === 'manifest.json' ? '{"format":1}' : body)),
      cut: await cutShort(archive),
      text: await plainText(),
      nowhere: join(await newFolder(), 'nothing.tar.gz'),
    };

    for (const [how, file] of Object.entries(refusals)) {
      const refused = await latchkey(`restore ${file} --force`);
      expect(refused.code, how).toBe(how === 'nowhere' ? 66 : 64);
      expect(refused.err, how).toMatch(how === 'nowhere' ? /no file/ : /Nothing was changed/);
    }

    expect(await contentOf(app.databaseUrl)).toEqual(before);
    expect(await app.db.knex('background_hold')).toEqual([]);
  });
});

describe('the archive', () => {
  test(
    'is for its owner’s eyes, holds no key, and is named after its time unless said otherwise',
    LONG,
    async () => {
      const { latchkey, dataDir } = await openShell();

      const made = await latchkey('backup --json');
      const named = await latchkey(`backup --output ${join(dataDir, 'mine.tar.gz')}`);
      const twice = await latchkey(`backup --output ${join(dataDir, 'mine.tar.gz')}`);

      const { file } = made.json() as { file: string };
      const [name = ''] = await readdir(join(dataDir, 'backups'));
      expect(file).toBe(join(dataDir, 'backups', name));
      expect(name).toMatch(/^latchkey-\d{4}-\d\d-\d\dT.+\.tar\.gz$/);
      const key = (await readFile(join(dataDir, 'key'), 'utf8')).trim();
      const unpacked = await text(createReadStream(file).pipe(createGunzip()));
      expect(unpacked).not.toContain(key);
      expect(named.code).toBe(0);
      // What is there already is somebody's backup.
      expect(twice.code).toBe(1);
      expect(twice.err).toMatch(/mine\.tar\.gz/);
    },
  );

  test('of a house with an owner lets them sign in at the place it is brought to', LONG, async () => {
    const { latchkey } = await openShell({ LATCHKEY_KEY: 'a'.repeat(64) });
    const old = await startTestApp();
    await old.given.invitationKey({ label: 'Fair' });
    const archive = join(await newFolder(), 'house.tar.gz');
    await commandsOf(old.house)(`backup --output ${archive}`);

    const restored = await latchkey(`restore ${archive} --json`);
    const listed = await latchkey('user list --json');
    const invitations = await latchkey('invite list --json');
    const doctor = await latchkey('doctor --json');

    expect(restored.code).toBe(0);
    expect(listed.json()).toMatchObject([{ email: OWNER.email }]);
    expect(invitations.json()).toMatchObject([{ label: 'Fair' }]);
    expect(doctor.json()).toEqual(
      expect.arrayContaining([expect.objectContaining({ check: 'keys', result: 'ok' })]),
    );
  });
});

type Rewrite = (name: string, body: string) => string | null;

/** The archive with some of its files changed, left out or added. */
async function rewritten(
  archive: string,
  change: Rewrite,
  added: Record<string, string> = {},
): Promise<string> {
  const target = join(await newFolder(), 'changed.tar.gz');
  const [reader, writer] = [extract(), pack()];
  reader.on('entry', ({ name }, content, next) => {
    void text(content).then((body) => {
      const after = change(name, body);
      if (after !== null) writer.entry({ name }, after);
      next();
    });
  });
  reader.on('finish', () => {
    for (const [name, body] of Object.entries(added)) writer.entry({ name }, body);
    writer.finalize();
  });
  await Promise.all([
    pipeline(createReadStream(archive), createGunzip(), reader),
    pipeline(writer, createGzip(), createWriteStream(target)),
  ]);
  return target;
}

async function cutShort(archive: string): Promise<string> {
  const target = join(await newFolder(), 'cut.tar.gz');
  const whole = await readFile(archive);
  await writeFile(target, whole.subarray(0, whole.length / 2));
  return target;
}

async function plainText(): Promise<string> {
  const target = join(await newFolder(), 'letter.txt');
  await writeFile(target, 'Dear administrator');
  return target;
}

const filterFor = (q: string) => ({
  q,
  status: 'all' as const,
  assignee: '',
  category: '',
  entity: '',
  priority: null,
  requester: '',
  from: '',
  to: '',
  sort: 'attention' as const,
  descending: false,
});

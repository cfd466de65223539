import { createHash } from 'node:crypto';
import { describe, expect, inject, test } from 'vitest';
import { planTickets } from '../../src/cli/seed/ticket-plans.ts';
import { randomFrom } from '../../src/cli/seed/random.ts';
import { freshDatabase, openDatabase, type Engine } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';
import { commandsOf, openShell, type Ended, type Shell } from './shell.ts';

const LONG = { timeout: 180_000 };
const UNTIL = Date.parse('2026-11-21');
const DAY = 86_400_000;

interface Seeded {
  url: string;
  ended: Ended;
  shell: Shell;
}

async function seed(engine: Engine, until = '2026-11-21'): Promise<Seeded> {
  const { url } = await freshDatabase(engine, { empty: true });
  const shell = await openShell({ LATCHKEY_DATABASE_URL: url });
  return { url, shell, ended: await shell.latchkey(`seed demo --until ${until} --json`) };
}

/** What people see of a database: names in place of ids, and nothing secret. */
async function storyIn(url: string): Promise<Record<string, unknown[]>> {
  const { knex } = openDatabase(url);
  const people: { id: string; email: string }[] = await knex('users').select('id', 'email');
  const emailOf = new Map(people.map(({ id, email }) => [id, email]));
  const rows = async (table: string, columns: string[], by: string[]): Promise<unknown[]> => {
    const found: Record<string, unknown>[] = await knex(table).select(columns).orderBy(by);
    return found.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          typeof value === 'string' ? (emailOf.get(value) ?? value) : value,
        ]),
      ),
    );
  };
  return {
    users: await rows('users', ['number', 'email', 'name', 'locale', 'created_at'], ['number']),
    entities: await rows('entities', ['number', 'name'], ['number']),
    tickets: await rows(
      'tickets',
      [
        'number',
        'title',
        'description',
        'status',
        'priority',
        'requester_id',
        'created_at',
        'solved_at',
        'closed_at',
        'version',
      ],
      ['number'],
    ),
    timeline: await rows(
      'timeline_entries',
      ['kind', 'visibility', 'author_name', 'body', 'state', 'written_at'],
      ['written_at', 'kind', 'author_name', 'body'],
    ),
    keys: await rows(
      'invite_key',
      ['label', 'max_uses', 'uses', 'expires_at', 'created_at'],
      ['created_at', 'label'],
    ),
    audit: await rows('audit_entries', ['at', 'actor_name', 'action'], ['at', 'action', 'actor_name']),
    notifications: await rows('notification', ['user_id', 'kind', 'created_at'], ['created_at', 'kind']).then(
      (found) => found.map((row) => JSON.stringify(row)).sort(),
    ),
  };
}

const fingerprint = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex');

describe('the demo', () => {
  test('is the same on every empty database, whatever the engine', LONG, async () => {
    const engines: Engine[] = ['sqlite', ...inject('engines')];
    const seeded: Seeded[] = [];
    for (const engine of engines) seeded.push(await seed(engine));

    const stories = await Promise.all(seeded.map(({ url }) => storyIn(url)));

    for (const { ended } of seeded) expect(ended).toMatchObject({ code: 0, err: '' });
    const [first] = stories;
    for (const part of Object.keys(first ?? {})) {
      const prints = stories.map((story) => fingerprint(story[part]));
      expect(new Set(prints).size, part).toBe(1);
    }
  });

  test(
    'is an organisation to believe in, with invitations in every state and somebody who waits',
    LONG,
    async () => {
      const today = new Date().toISOString().slice(0, 10);
      const { url, ended, shell } = await seed('sqlite', today);
      const until = Date.parse(today);
      const { knex } = openDatabase(url);
      const invitations = (await shell.latchkey('invite list --json')).json() as { status: string }[];
      const seats: { status: string }[] = await knex('invite_redemption').select('status');
      const countBy = async (table: string, column: string): Promise<Record<string, number>> => {
        const rows: { name: string; count: number }[] = await knex(table)
          .select({ name: column })
          .count({ count: '*' })
          .groupBy(column);
        return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
      };

      const { password, signIn, ...summary } = ended.json() as {
        password: string;
        signIn: { role: string; email: string }[];
      };
      const statuses = await countBy('tickets', 'status');
      const span: { first: number; last: number }[] = await knex('tickets')
        .min({ first: 'created_at' })
        .max({ last: 'updated_at' });

      expect(summary).toEqual({ organisation: 'Acme Instruments', people: 40, tickets: 200 });
      expect(password).toMatch(/^\w{16}$/);
      expect(signIn.map(({ role }) => role)).toEqual(
        expect.arrayContaining(['Owner', 'Administrator', 'Supervisor', 'Technician', 'Employee']),
      );
      expect(await knex('users')).toHaveLength(40);
      expect(await knex('entities')).toHaveLength(4);
      expect(await knex('tickets')).toHaveLength(200);
      for (const status of ['new', 'open', 'pending', 'on-hold', 'solved', 'closed'])
        expect(statuses[status], status).toBeGreaterThan(0);
      expect(statuses['closed']).toBeGreaterThan(100);
      expect(span[0]?.first).toBeGreaterThan(until - 90 * DAY);
      expect(span[0]?.last).toBeGreaterThan(until - 2 * DAY);
      expect(span[0]?.last).toBeLessThan(until);
      expect(Object.keys(await countBy('timeline_entries', 'visibility'))).toEqual(
        expect.arrayContaining(['public', 'private']),
      );
      expect(Object.keys(await countBy('timeline_entries', 'kind'))).toEqual(
        expect.arrayContaining(['follow-up', 'solution', 'change']),
      );
      expect((await knex('attachments')).length).toBeGreaterThan(5);
      expect((await knex('ticket_views')).length).toBeGreaterThan(2);
      expect((await knex('notification')).length).toBeGreaterThan(100);
      expect(new Set(invitations.map(({ status }) => status))).toEqual(
        new Set(['active', 'scheduled', 'expired', 'used-up', 'paused', 'revoked']),
      );
      expect(seats.map(({ status }) => status).sort()).toEqual([
        ...Array<string>(12).fill('active'),
        'declined',
        'pending_approval',
      ]);
    },
  );

  test('lets everybody sign in with the one password that was given, and sends no mail', LONG, async () => {
    const app = await startTestApp({ isNew: true, mail: true });
    const password = 'six quiet lamps at noon';

    const ended = await commandsOf(app.house)('seed demo --password-stdin --json', {
      stdin: `${password}\n`,
    });
    await app.settle();

    expect(JSON.stringify(ended.json())).not.toContain(password);
    for (const email of [
      'helene.marchand@acme.example',
      'karim.benali@acme.example',
      'theo.bonnet@acme.example',
    ]) {
      const page = await app.guest().submit('/login', { email, password });
      expect(page.url, email).not.toContain('/login');
    }
    const owner = await app.house.domains.users.findByEmail('helene.marchand@acme.example');
    const browser = app.as(owner ?? { id: '', email: '', name: '' });
    for (const path of ['/', '/tickets', '/tickets/200', '/invitation-keys', '/notifications']) {
      const page = await browser.get(path);
      expect(page.status, path).toBe(200);
      expect(page.text, path).not.toContain('⟦');
    }
    expect(app.mailbox.letters).toEqual([]);
  });

  test('keeps its hands off a house in which people live, and says what to do', LONG, async () => {
    const { house, db } = await startTestApp();
    const latchkey = commandsOf(house);

    const refused = await latchkey('seed demo');
    const before = await db.knex('users');
    const forced = await latchkey('seed demo --force --json');
    const twice = await latchkey('seed demo --force');

    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/LATCHKEY_DATA_DIR.+--force/s);
    expect(before).toHaveLength(1);
    expect(forced.code).toBe(0);
    expect(await db.knex('users')).toHaveLength(41);
    // The house keeps the name that its owner gave it.
    expect(await db.knex('entities').where({ number: 0 })).toMatchObject([{ name: 'Example' }]);
    expect(twice.code).toBe(1);
  });

  test('refuses what is no day, and a password that is none', LONG, async () => {
    const latchkey = commandsOf((await startTestApp({ isNew: true })).house);

    const day = await latchkey('seed demo --until tomorrow');
    const password = await latchkey('seed demo --password-stdin', { stdin: 'short' });

    expect(day).toMatchObject({ code: 64 });
    expect(day.err).toContain('2026-11-21');
    expect(password.code).toBe(64);
  });
});

test('every ticket of the demo has its details filled in, and its steps in order', () => {
  const plans = planTickets(randomFrom(7), { from: UNTIL - 90 * DAY, until: UNTIL }, 500);

  for (const { title, description, at, steps } of plans) {
    const texts = [title, description, ...steps.map((step) => ('body' in step ? step.body : ''))];
    expect(texts.join('\n')).not.toMatch(/[{}]/);
    const times = [at, ...steps.map((step) => step.at)];
    expect([...times].sort((one, other) => one - other)).toEqual(times);
  }
});

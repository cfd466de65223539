import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { latchkey } from '../support/command-line.ts';
import { describeOnEachEngine, freshDatabase, openDatabase } from '../support/databases.ts';
import { MASTER_KEY } from '../support/house.ts';
import { HttpClient, type Answer } from '../support/http-client.ts';
import { startMailbox } from '../support/mailbox.ts';
import { isTelling } from '../support/run-logs.ts';
import { startServer } from '../support/server.ts';

const PASSWORDS = {
  owner: 'seven quiet otters',
  newcomer: 'nine slow green tractors',
  wrong: 'eleven wrong guesses',
  next: 'twelve calm blue herons',
};
const CUSTOM_KEY = 'QUIETAUTUMN2031';
const METRICS_TOKEN = 'a-long-token-for-prometheus';

describeOnEachEngine('a house in which everything has happened once', (engine) => {
  test('D05 tells no secret in its logs, metrics, audit log, mail queue, error pages or database', async () => {
    const { url } = await freshDatabase(engine, { empty: true });
    const mailbox = await startMailbox();
    const env = {
      LATCHKEY_DATABASE_URL: url,
      LATCHKEY_KEY: MASTER_KEY,
      LATCHKEY_METRICS_TOKEN: METRICS_TOKEN,
    };
    const server = await startServer({
      env: {
        ...env,
        LATCHKEY_LOG_LEVEL: 'trace',
        LATCHKEY_SMTP_URL: mailbox.url,
        LATCHKEY_MAIL_FROM: 'desk@acme.test',
      },
    });
    const secrets = new Set<string>([...Object.values(PASSWORDS), CUSTOM_KEY, MASTER_KEY, METRICS_TOKEN]);
    const failures: Answer[] = [];
    const keepTokens = (text: string): void => {
      for (const [token] of text.matchAll(/\blk[a-z]+_[0-9A-Z]{32}\b/gi)) secrets.add(token);
    };

    // The house is opened by its owner link.
    const ownerLink = new URL(server.ownerLink ?? '').pathname;
    keepTokens(ownerLink);
    const owner = new HttpClient(server.url);
    await owner.submit(
      ownerLink,
      {
        locale: 'en',
        organisation: 'Acme',
        name: 'Marie Dupont',
        email: 'marie@acme.test',
        password: PASSWORDS.owner,
        timeZone: 'Europe/Paris',
      },
      { action: ownerLink },
    );
    failures.push(await owner.get(ownerLink));

    // A program of hers mints keys, mails one and shows it again.
    const { token } = (await latchkey(['token', 'create', '--user', 'marie@acme.test', '--name', 'story'], {
      ...env,
      LATCHKEY_DATA_DIR: server.dataDir,
    })) as { token: string };
    keepTokens(token);
    const program = new HttpClient(server.url);
    program.headers.set('authorization', `Bearer ${token}`);
    const mint = async (more: object): Promise<{ id: string; key: string }> => {
      const draft = { label: 'Story', maxUses: 5, profile: 'self-service', ...more };
      const answer = await program.call('POST', '/api/v1/invitation-keys', draft);
      expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
      return answer.json();
    };
    const { id, key } = await mint({ emailProof: 'required' });
    const closed = await mint({ emailProof: 'none' });
    const custom = await program.call('POST', '/api/v1/invitation-keys', {
      label: 'Custom',
      maxUses: 5,
      profile: 'self-service',
      customKey: CUSTOM_KEY,
    });
    for (const secret of [key, closed.key]) keepTokens(secret);
    await program.call('POST', `/api/v1/invitation-keys/${id}/reveal`);
    const { key: copy } = (
      await program.call('POST', `/api/v1/invitation-keys/${id}/copies`, { name: 'Poster' })
    ).json() as { key: string };
    keepTokens(copy);
    const batch = await program.call('POST', '/api/v1/invitation-keys/batch', { count: 2, maxUses: 1 });
    keepTokens(batch.text);
    const factor = await owner.get('/account/security/second-factor');
    secrets.add(secretOn(factor.text));
    await program.call('POST', `/api/v1/invitation-keys/${closed.id}/revoke`);
    await owner.submit(
      `/invitation-keys/${id}`,
      { addresses: 'kim@acme.test', message: 'Welcome!' },
      { action: `/invitation-keys/${id}/send` },
    );
    const invitation = await mailbox.next('kim@acme.test');
    keepTokens(invitation.text);

    // Somebody joins, confirms by mail, forgets the password and is told by mail how to go on.
    const phone = new HttpClient(server.url);
    await phone.submit(
      `/join/${key}`,
      { email: 'jo@acme.test', name: 'Jo Martin', password: PASSWORDS.newcomer },
      { action: '/join' },
    );
    const confirmation = await mailbox.next('jo@acme.test');
    keepTokens(confirmation.text);
    const confirmLink = new URL(confirmation.links[0] ?? '', server.url).pathname;
    await phone.submit(confirmLink, {});
    await phone.submit('/forgot', { email: 'jo@acme.test' }, { action: '/forgot' });
    const reset = await untilMail(mailbox.next, 'jo@acme.test', /lkrst_/);
    keepTokens(reset);
    const resetLink = /\/reset\/\S+/.exec(reset)?.[0] ?? '';
    await phone.submit(resetLink, { password: PASSWORDS.next }, { action: '/reset' });
    for (const browser of [owner, phone]) for (const value of browser.cookies.values()) secrets.add(value);

    // What an administrator has written down of requests, of theirs, with a key in hand.
    owner.headers.set('x-latchkey-trace', '1');
    for (const path of [`/join/${key}`, `/join/${CUSTOM_KEY}`, `/join/${key.slice(6)}`, `/nowhere/${key}`])
      await owner.get(path);
    await owner.submit('/join', { key: CUSTOM_KEY }, { action: '/join/step/open' });
    owner.headers.delete('x-latchkey-trace');

    // All that can go wrong goes wrong with a secret in hand.
    const stranger = new HttpClient(server.url);
    const bodies = [
      { key, redeemId: 'no uuid', email: 'a@b.test', name: 'A', password: PASSWORDS.wrong },
      {
        key: closed.key,
        redeemId: crypto.randomUUID(),
        email: 'a@b.test',
        name: 'A',
        password: PASSWORDS.wrong,
      },
      {
        key: `${key}X`,
        redeemId: crypto.randomUUID(),
        email: 'a@b.test',
        name: 'A',
        password: PASSWORDS.wrong,
      },
      {
        key: CUSTOM_KEY,
        redeemId: crypto.randomUUID(),
        email: 'a@b.test',
        name: [],
        password: PASSWORDS.wrong,
      },
    ];
    for (const body of bodies) failures.push(await stranger.call('POST', '/api/v1/join', body));
    for (const path of [
      `/join/${closed.key}`,
      `/join/${key.slice(0, -1)}`,
      `/nowhere/${key}`,
      `/api/v1/invitation-keys/${key}`,
      resetLink,
      confirmLink,
      ownerLink,
    ]) {
      failures.push(await stranger.get(path));
    }
    failures.push(
      await stranger.submit(
        '/login',
        { email: 'marie@acme.test', password: PASSWORDS.wrong },
        { action: '/login' },
      ),
    );
    failures.push(
      await stranger.send('/api/v1/me', { method: 'GET', headers: { authorization: `Bearer ${token}x` } }),
    );

    const places: [name: string, path: string, shows: string][] = [
      ['audit page', '/admin/audit', 'Jo Martin'],
      ['mail queue', '/admin/mail', 'kim@acme.test'],
      ['background page', '/admin/background', '</html>'],
      ['traces', '/admin/hooks/traces', '/join/:key'],
      ['costs of hooks', '/admin/hooks/costs', '</html>'],
      ['notices', '/notifications', '</html>'],
      ['list of keys', '/invitation-keys?tab=all', 'Story'],
      ['page of a key', `/invitation-keys/${id}`, 'kim@acme.test'],
      ['history of a key', `/invitation-keys/${id}/history`, '</html>'],
      ['copies of a key', `/invitation-keys/${id}/copies`, 'Poster'],
      ['people', '/admin/users', 'Jo Martin'],
      ['tokens', '/account/tokens', 'story'],
      ['network and support', '/admin/network/support', '</html>'],
    ];
    const metrics = await program.send('/metrics', {
      method: 'GET',
      headers: { authorization: `Bearer ${METRICS_TOKEN}` },
    });
    const seen = new Map<string, string>([
      ['metrics', metrics.text],
      ['health', (await stranger.get('/readyz')).text],
      ['key list', (await program.call('GET', '/api/v1/invitation-keys')).text],
      ['key', (await program.call('GET', `/api/v1/invitation-keys/${id}`)).text],
      ...failures.map(({ url: at, status, text }, index): [string, string] => [
        `answer ${String(index)} (${String(status)}, ${new URL(at).pathname.split('/')[1] ?? ''})`,
        text,
      ]),
    ]);
    for (const [name, path, shows] of places) {
      const answer = await owner.get(path);
      expect([name, answer.status, answer.text.includes(shows)]).toEqual([name, 200, true]);
      seen.set(name, answer.text);
    }
    const traces = [...(seen.get('traces') ?? '').matchAll(/href="(\/admin\/hooks\/traces\/[^"]+)"/g)];
    expect(traces.length).toBeGreaterThan(3);
    for (const [, path = ''] of traces) seen.set(path, (await owner.get(path)).text);
    await server.stop();
    seen.set('log', server.logs.join('\n').replaceAll(/Owner link: \S+/g, ''));
    seen.set('database', await dumpOf(url));

    expect([200, 201, 422]).toContain(custom.status);
    expect(
      [...secrets]
        .filter((secret) => secret.startsWith('lk'))
        .map((secret) => secret.slice(0, 5))
        .sort(),
    ).toEqual(expect.arrayContaining(['lkcfm', 'lkinv', 'lkmai', 'lkown', 'lkpat', 'lkrst']));
    expect(seen.get('log')?.length).toBeGreaterThan(1_000);
    expect(tellers(seen, secrets)).toEqual([]);
    for (const [place, text] of seen) expect([place, isTelling(text)]).toEqual([place, false]);
  }, 120_000);
});

/** Of the second factor, as the page shows it in groups. */
const secretOn = (page: string): string =>
  (/<code class="mono">(.*?)<\/code>/s.exec(page)?.[1] ?? '').replace(/<[^>]*>|[^A-Z2-7]/g, '');

/** Where which kind of secret is to be read, with its prefix or without. */
function tellers(seen: ReadonlyMap<string, string>, secrets: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (const [place, text] of seen) {
    for (const secret of secrets) {
      const bare = secret.replace(/^lk[a-z]+_/, '');
      if (bare.length >= 8 && text.toLowerCase().includes(bare.toLowerCase()))
        found.push(`${place}: ${secret.slice(0, 6)}…`);
    }
  }
  return found;
}

async function untilMail(
  next: (to: string) => Promise<{ text: string }>,
  to: string,
  pattern: RegExp,
): Promise<string> {
  for (;;) {
    const { text } = await next(to);
    if (pattern.test(text)) return text;
  }
}

/** Every row of every table; of SQLite also the file as it lies there, freed pages included. */
async function dumpOf(url: string): Promise<string> {
  const { knex, dialect } = openDatabase(url);
  const tables = (
    dialect.name === 'sqlite'
      ? await knex('sqlite_master').where({ type: 'table' }).pluck('name')
      : await knex('information_schema.tables').whereRaw('table_schema = DATABASE()').pluck('table_name')
  ) as string[];
  const parts: string[] = [];
  for (const table of tables) {
    const rows: Record<string, unknown>[] = await knex(table);
    for (const row of rows)
      for (const value of Object.values(row))
        parts.push(value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value));
  }
  if (dialect.name === 'sqlite') {
    const file = url.slice('sqlite:'.length);
    for (const part of [file, `${file}-wal`]) parts.push(await readFile(part, 'latin1').catch(() => ''));
  }
  return parts.join('\n');
}

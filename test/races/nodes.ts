import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { latchkey } from '../support/command-line.ts';
import { freshDatabase, openDatabase, type Engine } from '../support/databases.ts';
import { MASTER_KEY, OWNER } from '../support/house.ts';
import { HttpClient, type Answer } from '../support/http-client.ts';
import type { TestServer } from '../support/server-process.ts';
import { startServer } from '../support/server.ts';

export interface Contender {
  email: string;
  redeemId: string;
}

/** How it went for somebody: `cut` is when the server was gone before it answered. */
export interface Outcome extends Contender {
  result: 'joined' | 'cut' | (string & {});
}

/** Nobody may mint more than a hundred keys an hour. */
const MINTS_OF_ONE = 90;

/** One house on one database, and as many server processes as a test wants. */
export class Nodes {
  readonly db: Database;
  readonly urls: readonly [string, ...string[]];
  #token: Promise<string> | null = null;
  #minted = 0;
  #contenders = 0;

  /** One address of the same database for each server, in turn. */
  constructor(urls: readonly [string, ...string[]]) {
    this.urls = urls;
    this.db = openDatabase(urls[0]);
  }

  static async on(engine: Engine): Promise<Nodes> {
    const { url } = await freshDatabase(engine);
    return new Nodes([url]);
  }

  start(at = 0): Promise<TestServer> {
    return startServer({ env: this.#env(at) });
  }

  async mint(node: TestServer, seats: number): Promise<{ id: string; key: string }> {
    if (this.#minted > 0 && this.#minted % MINTS_OF_ONE === 0) this.#token = this.#anotherMintersToken();
    this.#minted += 1;
    const wanted = { label: 'Race', maxUses: seats, profile: 'self-service', emailProof: 'none' };
    const answer = await this.asOwner(node, 'POST', '/api/v1/invitation-keys', wanted);
    if (answer.status !== 201) throw new Error(`Minting answered ${String(answer.status)}: ${answer.text}`);
    return answer.json();
  }

  async asOwner(
    node: TestServer,
    ...request: [method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown]
  ): Promise<Answer> {
    const program = new HttpClient(node.url);
    program.headers.set('authorization', `Bearer ${await (this.#token ??= this.#tokenOf(OWNER.email))}`);
    const answer = await program.call(...request);
    await program.close();
    return answer;
  }

  newcomers(count: number): Contender[] {
    return Array.from({ length: count }, () => {
      this.#contenders += 1;
      return { email: `contender${String(this.#contenders)}@example.org`, redeemId: randomUUID() };
    });
  }

  /** Everybody at once, each at the next node in turn. */
  async storm(
    nodes: readonly TestServer[],
    key: string,
    contenders: readonly Contender[],
    onOutcome: (outcome: Outcome) => void = () => undefined,
  ): Promise<Outcome[]> {
    const clients = nodes.map(({ url }) => new HttpClient(url, { connections: contenders.length }));
    const outcomes = await Promise.all(
      contenders.map(async (contender, at) => {
        const client = clients[at % clients.length];
        const outcome = { ...contender, result: client ? await tryToJoin(client, key, contender) : 'cut' };
        onOutcome(outcome);
        return outcome;
      }),
    );
    await Promise.all(clients.map((client) => client.close()));
    return outcomes;
  }

  /** How many accounts each of these addresses has. */
  async accountsOf(contenders: readonly Contender[]): Promise<Map<string, number>> {
    const emails = contenders.map(({ email }) => email);
    const rows = (await this.db.knex('users').whereIn('email_norm', emails).pluck('email_norm')) as string[];
    return new Map(emails.map((email) => [email, rows.filter((row) => row === email).length]));
  }

  /** What the key's row and its list of people say; a key that is gone has nobody. */
  async seatsOf(keyId: string): Promise<{ uses: number; people: number }> {
    const key = await this.db
      .knex('invite_key')
      .where({ id: keyId })
      .first<{ uses: number } | undefined>('uses');
    const people = (await this.db
      .knex('invite_redemption')
      .where({ key_id: keyId })
      .whereNotNull('user_id')
      .pluck('user_id')) as string[];
    return { uses: key?.uses ?? 0, people: new Set(people).size };
  }

  #env(at: number): Record<string, string> {
    return {
      LATCHKEY_DATABASE_URL: this.urls[at % this.urls.length] ?? this.urls[0],
      LATCHKEY_KEY: MASTER_KEY,
    };
  }

  async #anotherMintersToken(): Promise<string> {
    const email = `minter${String(this.#minted)}@example.org`;
    await this.command('user', 'create', '--email', email, '--name', 'Minter', '--profile', 'super-admin');
    return this.#tokenOf(email);
  }

  async #tokenOf(email: string): Promise<string> {
    const { token } = (await this.command('token', 'create', '--user', email, '--name', 'races')) as {
      token: string;
    };
    return token;
  }

  /** `latchkey <words>` on this house, on a machine of its own. */
  async command(...words: string[]): Promise<unknown> {
    const dataDir = await mkdtemp(join(inject('folder'), 'cli-'));
    return latchkey(words, { ...this.#env(0), LATCHKEY_DATA_DIR: dataDir });
  }
}

export async function tryToJoin(
  client: HttpClient,
  key: string,
  { email, redeemId }: Contender,
): Promise<string> {
  const draft = { key, redeemId, email, name: 'Connie Tender', password: 'nine slow green tractors' };
  try {
    const answer = await client.call('POST', '/api/v1/join', draft);
    return answer.status === 201 ? 'joined' : String(answer.json().code ?? answer.status);
  } catch {
    return 'cut';
  }
}

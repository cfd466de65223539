import { randomBytes } from 'node:crypto';
import { digestOf, sameBytes, type Host } from 'latchkey/plugin-api';

/** A challenge that is ours, for this key and this visitor, and still good. */
export interface Challenge {
  text: string;
  difficulty: number;
  issuedAt: number;
}

/** For whom it was made: an answer is worth nothing to anybody else. */
export interface Recipient {
  keyId: string;
  binding: string;
}

export const LIFE_MS = 30 * 60_000;
const PURPOSE = 'challenge|1';

/** Challenges carry everything themselves, signed; only those that were answered are written down. */
export class Challenges {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  make(recipient: Recipient, difficulty: number): Challenge {
    const issuedAt = this.#host.clock.now();
    const facts = [
      '1',
      issuedAt.toString(36),
      String(difficulty),
      randomBytes(12).toString('base64url'),
    ].join('.');
    const { digest } = this.#host.keys.mac(PURPOSE, signed(facts, recipient));
    return { text: `${facts}.${digest.toString('base64url')}`, difficulty, issuedAt };
  }

  /** Null for what is not ours, is for somebody else, or is too old. */
  read(text: string, recipient: Recipient): Challenge | null {
    const match = /^(1\.([0-9a-z]{1,10})\.(\d{1,2})\.[\w-]{16})\.([\w-]{43})$/.exec(text);
    const [, facts = '', issued = '', difficulty = '', mac = ''] = match ?? [];
    if (!match) return null;
    const sent = Buffer.from(mac, 'base64url');
    const own = this.#host.keys.macs(PURPOSE, signed(facts, recipient));
    const issuedAt = parseInt(issued, 36);
    const isOurs = own.some(({ digest }) => sameBytes(digest, sent));
    const isGood = this.#host.clock.now() < issuedAt + LIFE_MS;
    return isOurs && isGood ? { text, difficulty: Number(difficulty), issuedAt } : null;
  }

  /** False for the second to come with it, on whatever node. */
  async spend({ text, issuedAt }: Challenge): Promise<boolean> {
    const row = { digest: digestOf(text), expires_at: issuedAt + LIFE_MS };
    try {
      await this.#host.transaction(async (tx) => {
        await tx.knex('pow_spent').insert(row);
      });
      return true;
    } catch (error) {
      if (this.#host.db.dialect.isDuplicate(error)) return false;
      throw error;
    }
  }

  async isSpent({ text }: Challenge): Promise<boolean> {
    const row: unknown = await this.#host.db
      .knex('pow_spent')
      .where({ digest: digestOf(text) })
      .first('expires_at');
    return row !== undefined;
  }

  async forgetSpent(): Promise<void> {
    const now = this.#host.clock.now();
    await this.#host.transaction(async (tx) => {
      await tx.knex('pow_spent').where('expires_at', '<=', now).delete();
    });
  }
}

const signed = (facts: string, { keyId, binding }: Recipient): string => `${facts}|${keyId}|${binding}`;

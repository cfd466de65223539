import {
  InvalidInputError,
  mintToken,
  NotFoundError,
  type Host,
  type Limit,
  type Mac,
} from 'latchkey/plugin-api';
import type { InvitationKey } from './invitation-key.ts';
import { findKey, findKeyByLookup, type KeySecret } from './key-repository.ts';
import { readKeyText, type KeyText } from './key-text.ts';
import { ShownAgain } from './shown-again.ts';
import { findCopyByLookup } from '../copies/copy-repository.ts';
import { throughCopy } from '../copies/copy.ts';
import { ThisTurn } from './this-turn.ts';
import { findMailingByLookup, type Mailing } from '../mailings/mailing-repository.ts';

const PURPOSE = {
  key: 'invite|1',
  custom: 'invite-custom|1',
  mailed: 'invite-mailed|1',
  explain: 'invite-explain|1',
};

/** Only what is not found counts, never a success and never the refusal of a key that exists: a whole class sits behind one address. */
const UNKNOWN_KEYS: Limit = { name: 'unknown-key', points: 30, perSeconds: 60 };

type Readable = Pick<Exclude<KeyText, { kind: 'malformed' }>, 'kind' | 'normal'>;

/** What a text opened: the key, and the mailing if it came by mail. */
export interface Opened {
  key: InvitationKey;
  mailing: Mailing | null;
  /** The copy whose link it was. */
  copyId?: string | null;
}

/** Turns what people hold into a key, and keys into what is stored of them. */
export class KeyDoor {
  readonly #host: Host;
  // A class that sends its forms in at once asks for one row, by one digest.
  readonly #byText: ThisTurn<Opened | null, Readable>;
  readonly shownAgain: ShownAgain;

  constructor(host: Host) {
    this.#host = host;
    this.shownAgain = new ShownAgain(host);
    this.#byText = new ThisTurn((_text, read) => this.#find(read));
  }

  /**
   * Judges offline, then looks once. Whether the key is still good is not asked here.
   * @throws {InvalidInputError} `invitation.malformed`, {NotFoundError} `invitation.unknown`, {TooManyError}
   */
  async open(typed: string, network: string): Promise<Opened> {
    const read = readKeyText(typed);
    if (read.kind === 'malformed') {
      throw malformed(read.reason, read.suspect?.group);
    }
    const { limits } = this.#host;
    // What can be guessed is not even looked up for somebody who guesses.
    if (read.kind === 'custom') await limits.check(UNKNOWN_KEYS, network);
    const opened = await this.#byText.find(`${read.kind} ${read.normal}`, read);
    if (opened !== null) return opened;
    await limits.count(UNKNOWN_KEYS, network);
    throw new NotFoundError('invitation.unknown');
  }

  /** A new random key: its text, shown now, and what is kept of it. */
  mint(
    context: SealContext,
    { showOnce }: { showOnce: boolean },
  ): { text: string; secret: KeySecret; hint: string } {
    const text = mintToken('lkinv_');
    return { text, ...this.#secretOf(text, PURPOSE.key, context, { showOnce }), hint: text.slice(6, 10) };
  }

  /** A key that a person chose. Its hint gives nothing away. */
  custom(
    normal: string,
    context: SealContext,
    { showOnce }: { showOnce: boolean },
  ): { text: string; secret: KeySecret; hint: string } {
    return { text: normal, ...this.#secretOf(normal, PURPOSE.custom, context, { showOnce }), hint: '' };
  }

  /** A further secret for a key that is there already. */
  mintCopy(
    context: string,
    { showOnce }: { showOnce: boolean },
  ): { text: string; secret: KeySecret; hint: string } {
    const text = mintToken('lkinv_');
    const { lookup, copy } = this.sealCopyAgain(text, context);
    return { text, secret: { lookup, copy: showOnce ? null : copy }, hint: text.slice(6, 10) };
  }

  /** The text of a copy under the newest keys of the house. */
  sealCopyAgain(text: string, context: string): KeySecret {
    const { keys } = this.#host;
    return { lookup: keys.mac(PURPOSE.key, text), copy: keys.seal(text, context) };
  }

  /** The same text under the newest keys of the house. */
  sealAgain(text: string, key: SealContext & { weak: boolean }): KeySecret {
    return this.#secretOf(text, key.weak ? PURPOSE.custom : PURPOSE.key, key, { showOnce: false }).secret;
  }

  mintMailed(): { text: string; lookup: Mac } {
    const text = mintToken('lkmail_');
    return { text, lookup: this.#host.keys.mac(PURPOSE.mailed, text) };
  }

  explainCode(keyId: string): string {
    const { digest } = this.#host.keys.mac(PURPOSE.explain, keyId);
    return Array.from(digest.subarray(0, 4), (byte) => SYMBOLS.charAt(byte % SYMBOLS.length)).join('');
  }

  async #find(read: Readable): Promise<Opened | null> {
    const lookups = this.#host.keys.macs(PURPOSE[read.kind], read.normal);
    const opened = await (read.kind === 'mailed' ? this.#findMailed(lookups) : this.#findKey(lookups));
    if (opened !== null) this.shownAgain.note(placeOf(opened), lookups);
    return opened;
  }

  async #findKey(lookups: readonly Mac[]): Promise<Opened | null> {
    const key = await findKeyByLookup(this.#host.db, lookups);
    return key === null ? this.#findCopied(lookups) : { key, mailing: null };
  }

  /** A key's own link costs one look-up, as ever; only what is not found there may be a copy's. */
  async #findCopied(lookups: readonly Mac[]): Promise<Opened | null> {
    const { db } = this.#host;
    const copy = await findCopyByLookup(db, lookups);
    const key = copy === null ? null : await findKey(db, copy.keyId);
    return key === null || copy === null
      ? null
      : { key: throughCopy(key, copy), mailing: null, copyId: copy.id };
  }

  /** A mailed link lives as long as the secret of its key: replacing that ends them all. */
  async #findMailed(lookups: readonly Mac[]): Promise<Opened | null> {
    const { db } = this.#host;
    const mailing = await findMailingByLookup(
      db,
      lookups.map(({ digest }) => digest),
    );
    const key = mailing === null ? null : await findKey(db, mailing.keyId);
    return key === null || mailing === null || key.generation !== mailing.generation
      ? null
      : { key, mailing };
  }

  #secretOf(
    text: string,
    purpose: string,
    context: SealContext,
    { showOnce }: { showOnce: boolean },
  ): { secret: KeySecret } {
    const { keys } = this.#host;
    return {
      secret: {
        lookup: keys.mac(purpose, text),
        copy: showOnce ? null : keys.seal(text, contextOf(context)),
      },
    };
  }
}

const placeOf = ({ mailing, copyId }: Opened): 'invite_key' | 'invite_copy' | 'invite_mailing' =>
  mailing !== null ? 'invite_mailing' : copyId ? 'invite_copy' : 'invite_key';

/** Says which group of four to look at, where one wrong symbol explains it. Never repeats what was typed. */
function malformed(reason: string, group: number | undefined): InvalidInputError {
  if (group === undefined) return new InvalidInputError('invitation.malformed', { params: { reason } });
  const code = 'invitation.malformed_group';
  return new InvalidInputError('invitation.malformed', {
    params: { reason, group },
    fields: [{ field: 'key', code, params: { group } }],
  });
}

export interface SealContext {
  id: string;
  entityId: string;
  generation: number;
}

/** Row, entity and generation are bound into the sealed copy, so that it cannot be moved to another row. */
export const contextOf = ({ id, entityId, generation }: SealContext): string =>
  `invite-copy|${id}|${entityId}|${String(generation)}`;

const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

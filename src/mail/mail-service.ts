import { redact } from '../crypto/tokens.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import { boxOf, type SealedColumns } from '../crypto/sealed-columns.ts';
import type { Database, Queryable, Tx } from '../db/database.ts';
import { failureText, listHolds } from '../jobs/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, ForbiddenError, InvalidInputError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import type { Page, PageRequest } from '../shared/page.ts';
import type { MailContext, RenderedMail } from '../views/index.ts';
import type { AuditService } from '../audit/index.ts';
import type { MailContent, MailDelivery, MailDraft, MailState } from './mail.ts';
import {
  findDeliveries,
  findDelivery,
  findLatestDelivery,
  insertMail,
  listDeliveries,
  mailStats,
  requeueMail,
  type MailStats,
} from './mail-repository.ts';
import { replyOf, type MailTransport } from './smtp-transport.ts';

export interface MailRenderer {
  renderMail(name: string, model: object, context: MailContext): RenderedMail;
}

/** What a mail says of the house; reads with `db`, which may be an open transaction. */
export type MailSite = (db: Queryable) => Promise<Omit<MailContext, 'locale'>>;

interface Deps {
  db: Database;
  clock: Clock;
  keys: KeyRing;
  renderer: MailRenderer;
  audit: Pick<AuditService, 'record'>;
  site: MailSite;
  /** Null without SMTP: mail is off, and whoever would have sent a link shows it instead. */
  transport: MailTransport | null;
  /** The sender's address. */
  from: string;
}

export interface TestResult {
  isTaken: boolean;
  /** What the SMTP server answered, or why it could not be asked. */
  answer: string;
}

/** Writes mails down so that they leave exactly when what they speak of is true. */
export class MailService {
  readonly #deps: Deps;
  readonly #whenQueued = new Set<() => void>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  get isOn(): boolean {
    return this.#deps.transport !== null;
  }

  get from(): string {
    return this.#deps.from;
  }

  /** What lies sealed, for whoever tries all of it. */
  sealed(): SealedColumns[] {
    const columns = { ciphertext: 'ciphertext', nonce: 'nonce', keyId: 'key_id' };
    return [
      {
        table: 'mail',
        id: 'id',
        keys: this.#deps.keys,
        boxOf: (row) => boxOf(row, columns),
        contextOf: ({ id }) => contextOf(String(id)),
      },
    ];
  }

  /** Renders and seals the mail in this transaction; it leaves after commit. Without SMTP it is only noted. Returns its id. */
  async queue(tx: Tx, draft: MailDraft): Promise<string> {
    const { clock, keys } = this.#deps;
    const id = newId();
    const sealed = this.isOn
      ? keys.seal(JSON.stringify(await this.#contentOf(tx, draft)), contextOf(id))
      : null;
    const { kind, reference = null } = draft;
    await insertMail(tx, { id, kind, reference, recipient: draft.to.email, writtenAt: clock.now() }, sealed);
    tx.onCommit(() => {
      for (const task of this.#whenQueued) task();
    });
    return id;
  }

  /** The newest mail about `reference`, for the screen that shows it. */
  delivery(reference: string): Promise<MailDelivery | null> {
    return findLatestDelivery(this.#deps.db, reference);
  }

  /** Many at once, by the ids that `queue` gave. */
  async deliveries(ids: readonly string[]): Promise<Map<string, MailDelivery>> {
    return new Map((await findDeliveries(this.#deps.db, ids)).map((mail) => [mail.id, mail]));
  }

  /** By the id that `queue` gave. */
  find(id: string): Promise<MailDelivery | null> {
    return findDelivery(this.#deps.db, id);
  }

  list(actor: Actor, page: PageRequest & { state?: MailState | undefined }): Promise<Page<MailDelivery>> {
    assertManages(actor);
    return listDeliveries(this.#deps.db, page);
  }

  /** After a restore nothing leaves until somebody has released it. */
  async isHeld(): Promise<boolean> {
    return (await listHolds(this.#deps.db)).length > 0;
  }

  stats(): Promise<MailStats> {
    return mailStats(this.#deps.db);
  }

  /** Sends what failed, or was given up, once more. */
  async retry(actor: Actor, id: string): Promise<void> {
    assertManages(actor);
    const { db, clock, audit } = this.#deps;
    await db.transaction(async (tx) => {
      if (!(await requeueMail(tx, id, clock.now()))) throw new ConflictError('mail.not-retryable');
      await audit.record(tx, actor, { action: 'mail.retried', subject: { type: 'mail', id, label: id } });
      tx.onCommit(() => {
        for (const task of this.#whenQueued) task();
      });
    });
  }

  /** Sends a mail now, past the queue, and says what the server answered. */
  async test(actor: Actor, to: string, locale = actor.locale): Promise<TestResult> {
    assertManages(actor);
    const { db, renderer, site, transport, audit, from } = this.#deps;
    if (transport === null) throw new ConflictError('mail.off');
    const house = await site(db);
    const rendered = renderer.renderMail('mail/test', { sender: actor.name }, { ...house, locale });
    const sender = { name: house.organisation.name, address: from };
    const result = await attempt(() =>
      transport.send({ ...rendered, to: { email: to }, from: sender, messageId: messageIdOf(newId(), from) }),
    );
    const subject = { type: 'mail', id: 'test', label: to };
    await db.transaction((tx) =>
      audit.record(tx, actor, { action: 'mail.tested', subject, after: { ...result } }),
    );
    return result;
  }

  /** For the courier: `task` runs after each commit that queued something. */
  whenQueued(task: () => void): () => void {
    this.#whenQueued.add(task);
    return () => void this.#whenQueued.delete(task);
  }

  async #contentOf(tx: Tx, { to, template, model, locale, replyTo }: MailDraft): Promise<MailContent> {
    assertAddress(to.email);
    const { renderer, site } = this.#deps;
    const rendered = renderer.renderMail(template, model, { ...(await site(tx)), locale });
    return { to, ...rendered, ...(replyTo === undefined ? {} : { replyTo }) };
  }
}

/** What sealed content is bound to: it cannot be moved to another row. */
export const contextOf = (id: string): string => `mail|${id}`;

/** The same for every attempt, so that a mail which was taken twice is shown once. */
export const messageIdOf = (id: string, from: string): string =>
  `<${id.toLowerCase()}@${from.split('@').at(-1) ?? 'localhost'}>`;

function assertManages(actor: Actor): void {
  if (!actor.can('mail.manage')) throw new ForbiddenError('mail.manage');
}

/** Whatever a form let through, a line break or a second address does not get into a header. */
function assertAddress(email: string): void {
  if (/[\s,;<>]/.test(email) || !email.includes('@')) {
    throw new InvalidInputError('mail.bad-address', {
      fields: [{ field: 'email', code: 'mail.bad-address' }],
    });
  }
}

async function attempt(send: () => Promise<string>): Promise<TestResult> {
  try {
    return { isTaken: true, answer: redact(await send()) };
  } catch (error) {
    return { isTaken: false, answer: redact(replyOf(error) ?? failureText(error)) };
  }
}

import { redact } from '../crypto/tokens.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import type { Database } from '../db/database.ts';
import type { Hooks } from '../hooks/index.ts';
import { failureText, pauseAfter, Poller } from '../jobs/index.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../shared/clock.ts';
import { VetoError } from '../shared/errors.ts';
import { mailGivenUp, mailHandedOver, mailMayLeave, mailOutgoing } from './mail-hooks.ts';
import type { MailContent } from './mail.ts';
import { claimMails, recordFailure, recordHandedOver, type ClaimedMail } from './mail-repository.ts';
import { contextOf, messageIdOf, type MailService, type MailSite } from './mail-service.ts';
import { isFinal, replyOf, type MailTransport } from './smtp-transport.ts';

interface CourierLimits {
  atOnce: number;
  /** Longer than the SMTP server may be silent. */
  leaseMs: number;
  attempts: number;
  firstPauseMs: number;
  longestPauseMs: number;
  idleMs: number;
}

interface Deps {
  db: Database;
  clock: Clock;
  log: Log;
  keys: KeyRing;
  mail: MailService;
  site: MailSite;
  transport: MailTransport;
  hooks?: Pick<Hooks, 'filter' | 'veto' | 'emit'>;
  limits?: Partial<CourierLimits>;
}

const USUAL: CourierLimits = {
  atOnce: 4,
  leaseMs: 5 * 60_000,
  attempts: 15,
  firstPauseMs: 30_000,
  longestPauseMs: 4 * 3_600_000,
  idleMs: 2_000,
};

const LONGEST_TEXT = 500;

/** Takes mails from the queue to the SMTP server. When that is down they wait, up to about a day. */
export class Courier {
  readonly #deps: Deps;
  readonly #limits: CourierLimits;
  readonly #poller: Poller;
  #unhear: (() => void) | null = null;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#limits = { ...USUAL, ...deps.limits };
    this.#poller = new Poller({
      work: () => this.#round(),
      idleMs: this.#limits.idleMs,
      log: deps.log,
      name: 'mail',
    });
  }

  start(): void {
    this.#unhear ??= this.#deps.mail.whenQueued(() => {
      this.#poller.nudge();
    });
    this.#poller.start();
  }

  /** Finishes what is on its way. */
  async stop(): Promise<void> {
    this.#unhear?.();
    this.#unhear = null;
    await this.#poller.stop();
    this.#deps.transport.close();
  }

  /** Sends all that is due now and returns: for tests and for the command line. */
  async drain(): Promise<void> {
    while (await this.#round());
  }

  async #round(): Promise<boolean> {
    const { db, clock } = this.#deps;
    const { leaseMs, atOnce: limit } = this.#limits;
    const claimed = await claimMails(db, { now: clock.now(), leaseMs, limit });
    await Promise.all(claimed.map((mail) => this.#send(mail)));
    return claimed.length > 0;
  }

  async #send(mail: ClaimedMail): Promise<void> {
    const { log, transport } = this.#deps;
    try {
      const reply = fit(await transport.send(await this.#outgoing(mail)));
      await this.#recordHandedOver(mail, reply);
    } catch (error) {
      log.warn(
        { mail: mail.id, attempts: mail.attempts, problem: failureText(error) },
        'A mail could not be sent',
      );
      await this.#recordFailure(mail, error);
    }
  }

  /** Taken, but the database is away: it is sent again under the same Message-ID once the lease has run out. */
  async #recordHandedOver(mail: ClaimedMail, reply: string): Promise<void> {
    const { db, clock, log, hooks } = this.#deps;
    try {
      await db.transaction(async (tx) => {
        if (!(await recordHandedOver(tx, mail, { at: clock.now(), reply }))) return;
        await hooks?.emit(tx, mailHandedOver, factsOf(mail), { aggregate: `mail:${mail.id}` });
      });
    } catch (error) {
      log.error({ mail: mail.id, error }, 'That a mail was taken could not be recorded');
    }
  }

  async #outgoing(claimed: ClaimedMail): Promise<Parameters<MailTransport['send']>[0]> {
    const { db, keys, mail, site } = this.#deps;
    const { id, sealed } = claimed;
    if (!sealed) throw new Error('The content of this mail is gone');
    const written = JSON.parse(keys.open(sealed, contextOf(id))) as MailContent;
    const content = await this.#judged(claimed, written);
    const { organisation } = await site(db);
    return {
      ...content,
      from: { name: organisation.name, address: mail.from },
      messageId: messageIdOf(id, mail.from),
    };
  }

  /** What a link in it opens is between the house and its reader: such a mail is not shown to listeners. */
  async #judged(mail: ClaimedMail, content: MailContent): Promise<MailContent> {
    const { hooks } = this.#deps;
    if (!hooks) return content;
    await hooks.veto(mailMayLeave, factsOf(mail));
    const isSecret = redact(content.text) !== content.text || redact(content.html) !== content.html;
    return isSecret ? content : hooks.filter(mailOutgoing, content, { id: mail.id, kind: mail.kind });
  }

  async #recordFailure(mail: ClaimedMail, error: unknown): Promise<void> {
    const { db, clock, hooks } = this.#deps;
    const { attempts, firstPauseMs: firstMs, longestPauseMs: longestMs } = this.#limits;
    const isOver =
      isFinal(error) || error instanceof VetoError || mail.sealed === null || mail.attempts >= attempts;
    const said = replyOf(error);
    const failure = {
      state: isOver ? ('dead' as const) : ('failed' as const),
      dueAt: clock.now() + (isOver ? 0 : pauseAfter(mail.attempts, { firstMs, longestMs })),
      problem: failureText(error),
      reply: said === null ? null : fit(said),
    };
    const told = { ...factsOf(mail), problem: failure.problem };
    await db.transaction(async (tx) => {
      if (!(await recordFailure(tx, mail, failure)) || !isOver) return;
      await hooks?.emit(tx, mailGivenUp, told, { aggregate: `mail:${mail.id}` });
    });
  }
}

const factsOf = ({ id, kind, recipient }: ClaimedMail): { id: string; kind: string; to: string } => ({
  id,
  kind,
  to: recipient,
});

const fit = (text: string): string => redact(text).slice(0, LONGEST_TEXT);

import type { AuditService } from '../audit/index.ts';
import { digestOf } from '../crypto/digest.ts';
import { mint } from '../crypto/mint.ts';
import { check } from '../crypto/tokens.ts';
import type { Database, Tx } from '../db/database.ts';
import { limitKeyOf } from '../http/client-address.ts';
import type { RateLimits } from '../http/rate-limit.ts';
import type { Log } from '../log.ts';
import type { MailDraft, MailService } from '../mail/index.ts';
import { system, type Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { GoneError, NotFoundError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import type { Directory } from './directory.ts';
import { listGrantsOf } from './directory-repository.ts';
import { normaliseEmail } from './email.ts';
import type { PasswordGate } from './password-gate.ts';
import { deleteSessionsOf } from './session-repository.ts';
import type { User } from './user.ts';
import { assertMayManageUser } from './user-policy.ts';
import { findUser, findUserByEmail, setPasswordHash } from './user-repository.ts';
import { findOpenSecret, replaceSecret, spendSecret } from './user-secret-repository.ts';
import type { UserSecret } from './user-secret.ts';
import { subjectOf, type UserService } from './user-service.ts';

interface Deps {
  db: Database;
  clock: Clock;
  log: Pick<Log, 'warn'>;
  audit: AuditService;
  directory: Directory;
  gate: PasswordGate;
  users: UserService;
  mail: Pick<MailService, 'isOn' | 'queue'>;
  limits: RateLimits;
  site: () => Promise<{ origin: string }>;
}

/** Longer than ten minutes, since mail is slow where helpdesks are (ASVS 6.5.5 wants a reason). */
const LIFE_MS = 30 * 60_000;
/** A link handed over on paper or by chat needs more time. */
const HANDED_LIFE_MS = 24 * 60 * 60_000;
const perAccount = { name: 'reset-account', points: 3, perSeconds: 3600 };
const perNetwork = { name: 'reset-network', points: 10, perSeconds: 3600 };

/** For those who forgot their password, and for those who never had one. */
export class PasswordResetService {
  readonly #deps: Deps;
  readonly #sending = new Set<Promise<void>>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Answers before it looks: nobody learns from the answer, or from how long it took, whether there is an account. */
  async request(email: string, { ip }: { ip: string }): Promise<void> {
    const { limits, log } = this.#deps;
    const emailNorm = normaliseEmail(email);
    await limits.count(perNetwork, limitKeyOf(ip));
    if (emailNorm === null) return;
    const sent = this.#sendIfKnown(emailNorm)
      .catch((error: unknown) => {
        log.warn({ error }, 'A password reset could not be sent');
      })
      .finally(() => this.#sending.delete(sent));
    this.#sending.add(sent);
  }

  /** Once all that was asked for is written down; for tests and for closing. */
  async settled(): Promise<void> {
    await Promise.all(this.#sending);
  }

  /** By an administrator: mailed where mail is on, else a link to hand over, shown once. */
  async sendFor(actor: Actor, userId: string): Promise<{ link: string | null }> {
    const { db, directory, audit, mail } = this.#deps;
    const user = await findUser(db, userId);
    if (user?.status !== 'active') throw new NotFoundError('user.not-found');
    assertMayManageUser(actor, user, {
      grants: await listGrantsOf(db, userId),
      directory: await directory.snapshot(),
    });
    const { token, secret } = this.#mint(user, mail.isOn ? LIFE_MS : HANDED_LIFE_MS);
    const link = await this.#linkOf(token);
    await db.transaction(async (tx) => {
      await replaceSecret(tx, secret, { digest: digestOf(token), codeDigest: null });
      if (mail.isOn) await this.#queue(tx, user, link);
      await audit.record(tx, actor, {
        action: 'user.reset-sent',
        subject: subjectOf(user),
        after: { byMail: mail.isOn },
      });
    });
    return { link: mail.isOn ? null : link };
  }

  /** @throws {GoneError} when this link sets no password any more. */
  async assertOpen(token: string): Promise<{ user: User; secret: UserSecret }> {
    const { db, clock } = this.#deps;
    const checked = check(token, 'lkrst_');
    const secret = checked.ok
      ? await findOpenSecret(db, { digest: digestOf(checked.normal), purpose: 'reset', now: clock.now() })
      : null;
    const user = secret && (await findUser(db, secret.userId));
    if (!secret || user?.status !== 'active') throw new GoneError('reset.over');
    return { user, secret };
  }

  /** Spends the link. Signs nobody in, switches no second factor off, ends every session. */
  async reset(token: string, password: string): Promise<void> {
    const { db, clock, users, gate, audit } = this.#deps;
    const { user, secret } = await this.assertOpen(token);
    users.checkPassword(user, password);
    const hash = await gate.hash(password, { lane: 'sign-in' });
    await db.transaction(async (tx) => {
      if (!(await spendSecret(tx, secret.id, clock.now()))) throw new GoneError('reset.over');
      await setPasswordHash(tx, user.id, hash);
      await deleteSessionsOf(tx, user.id);
      await audit.record(tx, system, { action: 'user.password-reset', subject: subjectOf(user) });
      await this.#deps.mail.queue(tx, passwordChangedMail(user));
    });
  }

  async #sendIfKnown(emailNorm: string): Promise<void> {
    const { db, limits, mail } = this.#deps;
    const user = await findUserByEmail(db, emailNorm);
    if (user?.status !== 'active' || !mail.isOn) return;
    await limits.count(perAccount, user.id);
    const { token, secret } = this.#mint(user, LIFE_MS);
    const link = await this.#linkOf(token);
    await db.transaction(async (tx) => {
      await replaceSecret(tx, secret, { digest: digestOf(token), codeDigest: null });
      await this.#queue(tx, user, link);
    });
  }

  #mint(user: User, lifeMs: number): { token: string; secret: UserSecret } {
    const now = this.#deps.clock.now();
    const secret: UserSecret = {
      id: newId(),
      userId: user.id,
      purpose: 'reset',
      email: user.email,
      triesLeft: 1,
      createdAt: now,
      expiresAt: now + lifeMs,
      usedAt: null,
    };
    return { token: mint('lkrst_'), secret };
  }

  async #linkOf(token: string): Promise<string> {
    return `${(await this.#deps.site()).origin}/reset/${token}`;
  }

  async #queue(tx: Tx, user: User, link: string): Promise<void> {
    await this.#deps.mail.queue(tx, {
      to: { email: user.email, name: user.name },
      template: 'identity/mail/reset',
      model: { name: user.name, link, minutes: LIFE_MS / 60_000 },
      locale: user.locale,
      kind: 'password-reset',
      reference: user.id,
    });
  }
}

/** Whoever did not do it should hear of it. */
export const passwordChangedMail = ({ email, name, locale, id }: User): MailDraft => ({
  to: { email, name },
  template: 'identity/mail/password-changed',
  model: { name },
  locale,
  kind: 'password-changed',
  reference: id,
});

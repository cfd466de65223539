import { randomInt } from 'node:crypto';
import type { AuditService } from '../audit/index.ts';
import { digestOf } from '../crypto/digest.ts';
import { mint } from '../crypto/mint.ts';
import { check } from '../crypto/tokens.ts';
import type { Database, Tx } from '../db/database.ts';
import type { RateLimits } from '../http/rate-limit.ts';
import type { MailService } from '../mail/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, GoneError, InvalidInputError, NotFoundError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import { normaliseEmail, tidyEmail } from './email.ts';
import type { User } from './user.ts';
import { findUser, findUserByEmail, setEmail } from './user-repository.ts';
import {
  findOpenSecret,
  findOpenSecretOf,
  hasCode,
  replaceSecret,
  spendSecret,
  spendSecretTry,
} from './user-secret-repository.ts';
import type { UserSecret } from './user-secret.ts';
import { subjectOf } from './user-service.ts';

interface Deps {
  db: Database;
  clock: Clock;
  audit: AuditService;
  mail: Pick<MailService, 'isOn' | 'queue'>;
  limits: RateLimits;
  site: () => Promise<{ origin: string }>;
}

const LIFE_MS = 60 * 60_000;
const TRIES = 5;
const perAccount = { name: 'confirm-account', points: 3, perSeconds: 3600 };

/** Somebody shows that they read a mailbox: the one they have, or the one they want to change to. */
export class EmailConfirmationService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The address that waits to be confirmed. */
  async pendingOf(userId: string): Promise<string | null> {
    const { db, clock } = this.#deps;
    return (await findOpenSecretOf(db, { userId, purpose: 'confirm', now: clock.now() }))?.email ?? null;
  }

  /** Sends a code and a link to `email`. Whether somebody else has it is told only to whoever reads it. */
  async send(user: User, email: string): Promise<void> {
    const { db, clock, mail, limits } = this.#deps;
    if (!mail.isOn) throw new ConflictError('email.mail-off');
    const emailNorm = normaliseEmail(email);
    if (emailNorm === null)
      throw new InvalidInputError('input.invalid', { fields: [{ field: 'email', code: 'user.email' }] });
    await limits.count(perAccount, user.id);
    const now = clock.now();
    const secret: UserSecret = {
      id: newId(),
      userId: user.id,
      purpose: 'confirm',
      email: tidyEmail(email),
      triesLeft: TRIES,
      createdAt: now,
      expiresAt: now + LIFE_MS,
      usedAt: null,
    };
    const token = mint('lkcfm_');
    const code = String(randomInt(1_000_000)).padStart(6, '0');
    const { origin } = await this.#deps.site();
    await db.transaction(async (tx) => {
      await replaceSecret(tx, secret, { digest: digestOf(token), codeDigest: codeDigestOf(secret.id, code) });
      await mail.queue(tx, {
        to: { email: secret.email, name: user.name },
        template: 'identity/mail/confirm-email',
        model: {
          name: user.name,
          link: `${origin}/confirm-email/${token}`,
          code: `${code.slice(0, 3)} ${code.slice(3)}`,
        },
        locale: user.locale,
        kind: 'confirm-address',
        reference: user.id,
      });
    });
  }

  async assertOpen(token: string): Promise<UserSecret> {
    const { db, clock } = this.#deps;
    const checked = check(token, 'lkcfm_');
    const secret = checked.ok
      ? await findOpenSecret(db, { digest: digestOf(checked.normal), purpose: 'confirm', now: clock.now() })
      : null;
    if (!secret) throw new GoneError('confirm.over');
    return secret;
  }

  async confirmByLink(actor: Actor, token: string): Promise<void> {
    const secret = await this.assertOpen(token);
    await this.#deps.db.transaction((tx) => this.#confirm(tx, actor, secret));
  }

  async confirmByCode(actor: Actor, typed: string): Promise<void> {
    const { db, clock } = this.#deps;
    const userId = actor.userId ?? '';
    const secret = await findOpenSecretOf(db, { userId, purpose: 'confirm', now: clock.now() });
    if (!secret || !(await db.transaction((tx) => spendSecretTry(tx, secret.id))))
      throw new GoneError('confirm.over');
    const code = typed.replace(/\D/g, '');
    if (!(await hasCode(db, secret.id, codeDigestOf(secret.id, code)))) {
      throw new InvalidInputError('input.invalid', {
        fields: [{ field: 'code', code: 'confirm.wrong-code' }],
      });
    }
    await db.transaction((tx) => this.#confirm(tx, actor, secret));
  }

  async #confirm(tx: Tx, actor: Actor, secret: UserSecret): Promise<void> {
    const { clock, audit, mail } = this.#deps;
    if (!(await spendSecret(tx, secret.id, clock.now()))) throw new GoneError('confirm.over');
    const user = await findUser(tx, secret.userId);
    const emailNorm = normaliseEmail(secret.email);
    if (!user || emailNorm === null) throw new NotFoundError('user.not-found');
    const holder = await findUserByEmail(tx, emailNorm);
    if (holder && holder.id !== user.id) throw new ConflictError('user.exists');
    await setEmail(tx, user.id, { email: secret.email, emailNorm, verifiedAt: clock.now() });
    const isNew = user.emailNorm !== emailNorm;
    await audit.record(tx, actor, {
      action: isNew ? 'user.email-changed' : 'user.email-confirmed',
      subject: subjectOf(user),
      ...(isNew ? { before: { email: user.email }, after: { email: secret.email } } : {}),
    });
    if (!isNew) return;
    await mail.queue(tx, {
      to: { email: user.email, name: user.name },
      template: 'identity/mail/email-changed',
      model: { name: user.name, email: secret.email },
      locale: user.locale,
      kind: 'email-changed',
      reference: user.id,
    });
  }
}

const codeDigestOf = (id: string, code: string): Buffer => digestOf(`confirm|${id}|${code}`);

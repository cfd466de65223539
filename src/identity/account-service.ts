import type { AuditService } from '../audit/index.ts';
import type { Database } from '../db/database.ts';
import type { Hooks } from '../hooks/index.ts';
import type { SessionInfo } from '../http/route.ts';
import type { MailService } from '../mail/index.ts';
import type { Actor } from '../shared/actor.ts';
import { ConflictError, InvalidInputError, NotFoundError, type FieldProblem } from '../shared/errors.ts';
import { isTimeZone } from '../shared/time-zone.ts';
import { userChange } from './access-hooks.ts';
import type { PasswordGate } from './password-gate.ts';
import { passwordChangedMail } from './password-reset-service.ts';
import type { ClientFacts, SessionCookie, SessionService } from './session-service.ts';
import type { SignInService } from './sign-in-service.ts';
import { themes, type Theme, type User } from './user.ts';
import { findPasswordHash, findUser, setPasswordHash, updateUser } from './user-repository.ts';
import { isOurLocale, nameProblems, subjectOf, tidyName, type UserService } from './user-service.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  audit: AuditService;
  gate: PasswordGate;
  users: UserService;
  sessions: SessionService;
  signIn: SignInService;
  mail: Pick<MailService, 'queue'>;
}

export interface OwnProfile {
  name: string;
  locale: string;
  /** Empty: the house's. */
  timeZone: string;
  theme: string;
  version: number;
}

/** What people do with their own account. */
export class AccountService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async own(actor: Actor): Promise<User> {
    const user = actor.userId === null ? null : await findUser(this.#deps.db, actor.userId);
    if (!user) throw new NotFoundError('user.not-found');
    return user;
  }

  /** Whoever came by a passkey may have none. */
  async hasPassword(user: User): Promise<boolean> {
    return (await findPasswordHash(this.#deps.db, user.id)) !== null;
  }

  async updateProfile(actor: Actor, asked: OwnProfile): Promise<void> {
    const { db, audit, hooks } = this.#deps;
    const { name, locale, timeZone } = asked;
    const about = { userId: actor.userId ?? '', actorId: actor.userId };
    const draft = { ...asked, ...(await hooks.filter(userChange, { name, locale, timeZone }, about)) };
    const fields = profileProblems(draft);
    const theme = asTheme(draft.theme);
    if (fields.length > 0 || theme === null) throw new InvalidInputError('input.invalid', { fields });
    const user = await this.own(actor);
    const facts = {
      ...user,
      name: tidyName(draft.name),
      locale: draft.locale,
      timeZone: draft.timeZone || null,
      theme,
    };
    await db.transaction(async (tx) => {
      if (!(await updateUser(tx, { id: user.id, version: draft.version }, facts)))
        throw new ConflictError('user.changed');
      await audit.record(tx, actor, {
        action: 'user.changed',
        subject: subjectOf(user),
        before: shown(user),
        after: shown(facts),
      });
    });
  }

  /** Ends all other sessions, and gives this one a new token. */
  async changePassword(
    actor: Actor,
    session: SessionInfo,
    { current, password }: { current: string; password: string },
    client: ClientFacts,
  ): Promise<{ cookie: SessionCookie }> {
    const { db, audit, gate, users, sessions, signIn, mail } = this.#deps;
    const user = await this.own(actor);
    await signIn.assertPassword(user, current, client, 'current');
    users.checkPassword(user, password);
    const hash = await gate.hash(password, { lane: 'sign-in' });
    await db.transaction(async (tx) => {
      await setPasswordHash(tx, user.id, hash);
      await sessions.keepOnly(tx, user.id, session);
      await audit.record(tx, actor, { action: 'user.password-changed', subject: subjectOf(user) });
      await mail.queue(tx, passwordChangedMail(user));
    });
    return sessions.confirm(actor, session);
  }
}

export function profileProblems({
  name,
  locale,
  timeZone,
}: Omit<OwnProfile, 'version' | 'theme'>): FieldProblem[] {
  const problems = nameProblems(name);
  if (!isOurLocale(locale)) problems.push({ field: 'locale', code: 'user.locale' });
  if (timeZone !== '' && !isTimeZone(timeZone)) problems.push({ field: 'timeZone', code: 'user.time-zone' });
  return problems;
}

const asTheme = (typed: string): Theme | null => themes.find((theme) => theme === typed) ?? null;

const shown = ({
  name,
  locale,
  timeZone,
  theme,
}: Pick<User, 'name' | 'locale' | 'timeZone' | 'theme'>): Record<string, unknown> => ({
  name,
  locale,
  timeZone,
  theme,
});

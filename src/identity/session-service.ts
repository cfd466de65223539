import { randomBytes } from 'node:crypto';
import type { AuditService } from '../audit/index.ts';
import { digestOf } from '../crypto/digest.ts';
import type { Database, Tx } from '../db/database.ts';
import type { Hooks } from '../hooks/index.ts';
import { networkOf } from '../http/client-address.ts';
import { SESSION_COOKIE } from '../http/cookies.ts';
import type { SessionInfo } from '../http/route.ts';
import type { SettingsService } from '../settings/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ForbiddenError, NotFoundError, UnauthenticatedError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import { sessionLife, signInMayComplete, userSignedOut } from './access-hooks.ts';
import type { Directory } from './directory.ts';
import { localSignIn } from './identity-settings.ts';
import { hasSecondFactor } from './second-factor-repository.ts';
import { isAlive, lifeFor, TOUCH_EVERY_MS, type Session } from './session.ts';
import {
  deleteAllSessions,
  deleteSession,
  deleteSessionsBefore,
  deleteSessionsOf,
  findSessionByDigest,
  insertSession,
  listSessionsOf,
  markAuthenticated,
  moveToEpoch,
  touchSession,
} from './session-repository.ts';
import { factsOf, isOpen, type User } from './user.ts';
import { userSignedIn } from './user-hooks.ts';
import { listIdentitiesOf } from './user-identity-repository.ts';
import { subjectOf } from './user-service.ts';
import { endAllCredentials, findUser, touchUser } from './user-repository.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  audit: AuditService;
  directory: Directory;
  settings: Pick<SettingsService, 'get'>;
}

export interface ClientFacts {
  ip: string;
  userAgent: string;
}

export interface SessionCookie {
  name: string;
  value: string;
  /** Seconds. */
  maxAge: number;
}

/** By what somebody has shown who they are. */
export type Proof =
  | 'password'
  | 'password-and-code'
  | 'passkey'
  | 'new-account'
  | 'provider'
  | 'provider-and-code'
  /** An administrator has said that this provider asks for a second factor itself. */
  | 'provider-strong';

/** These are two factors in themselves. */
const STRONG: readonly Proof[] = ['password-and-code', 'passkey', 'provider-and-code', 'provider-strong'];
/** These are not ours to judge, so they count also where ours do not. */
const BY_PROVIDER: readonly Proof[] = ['provider', 'provider-and-code', 'provider-strong'];

const TOKEN = /^[\w-]{43}$/;

/** Who is signed in, where, and until when. */
export class SessionService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * The only way to a session. An account with a second factor gets none without it, whatever path led here
   * (test: "a second factor is asked for on every way in").
   */
  async completeLogin(userId: string, proof: Proof, client: ClientFacts): Promise<{ cookie: SessionCookie }> {
    const { db, hooks, audit, clock, directory } = this.#deps;
    const user = await findUser(db, userId);
    if (!user || !isOpen(user, clock.now())) throw new UnauthenticatedError('sign-in.wrong');
    if (!STRONG.includes(proof) && (await hasSecondFactor(db, userId)))
      throw new ForbiddenError('sign-in.second-factor');
    if (!BY_PROVIDER.includes(proof)) await this.#assertMayComeSo(user, proof);
    const actor = await directory.actorOf(user);
    const facts = factsOf(user);
    await hooks.veto(signInMayComplete, { user: facts, proof, network: networkOf(client.ip) });
    const about = { user: facts, isStaff: actor.isStaff };
    const life = await hooks.filter(sessionLife, lifeFor(actor), about);
    const { token, session } = begin(user, client, { now: clock.now(), ...life });
    await db.transaction(async (tx) => {
      await insertSession(tx, session, { digest: digestOf(token) });
      await touchUser(tx, user.id, session.createdAt);
      await audit.record(tx, actor, {
        action: 'user.signed-in',
        subject: subjectOf(user),
        network: session.network,
      });
      const payload = { user: factsOf(user), network: session.network };
      await hooks.emit(tx, userSignedIn, payload, { aggregate: `user:${user.id}` });
    });
    const maxAge = Math.floor((session.expiresAt - session.createdAt) / 1000);
    return { cookie: { name: SESSION_COOKIE, value: token, maxAge } };
  }

  /** Whether passwords and passkeys let anybody in. @throws {ForbiddenError} `sign-in.local-off` */
  async assertLocalIsOn(): Promise<void> {
    if (!(await this.#deps.settings.get(localSignIn))) throw new ForbiddenError('sign-in.local-off');
  }

  /** Whoever has just made an account by the word of a provider has come through it. */
  async #assertMayComeSo({ id }: User, proof: Proof): Promise<void> {
    const cameByProvider = proof === 'new-account' && (await listIdentitiesOf(this.#deps.db, id)).length > 0;
    if (!cameByProvider) await this.assertLocalIsOn();
  }

  /** For whoever has just made the account. */
  async start(userId: string, client: ClientFacts): Promise<{ cookie: SessionCookie }> {
    return this.completeLogin(userId, 'new-account', client);
  }

  async bySession(token: string): Promise<{ actor: Actor; session: SessionInfo } | null> {
    const { db, clock, directory } = this.#deps;
    if (!TOKEN.test(token)) return null;
    const session = await findSessionByDigest(db, digestOf(token));
    const user = session && (await findUser(db, session.userId));
    if (!user || !isAlive(session, user, clock.now())) return null;
    await this.#touch(session);
    return {
      actor: await directory.actorOf(user),
      session: { id: session.id, authenticatedAt: session.authenticatedAt },
    };
  }

  /** The person has proven themselves again: the session gets a new token, as after every change of what it may do. */
  async confirm(actor: Actor, session: SessionInfo): Promise<{ cookie: SessionCookie }> {
    const { db, clock, audit } = this.#deps;
    const user = actor.userId === null ? null : await findUser(db, actor.userId);
    if (!user) throw new UnauthenticatedError('access.sign-in');
    const token = newToken();
    await db.transaction(async (tx) => {
      await markAuthenticated(tx, session.id, { digest: digestOf(token), at: clock.now() });
      await audit.record(tx, actor, { action: 'user.identity-confirmed', subject: subjectOf(user) });
    });
    return {
      cookie: { name: SESSION_COOKIE, value: token, maxAge: lifeFor({ isStaff: true }).absoluteMs / 1000 },
    };
  }

  async listOwn(actor: Actor): Promise<Session[]> {
    return actor.userId === null ? [] : listSessionsOf(this.#deps.db, actor.userId, this.#deps.clock.now());
  }

  async listOf(userId: string): Promise<Session[]> {
    return listSessionsOf(this.#deps.db, userId, this.#deps.clock.now());
  }

  async endOwn(actor: Actor, sessionId: string): Promise<void> {
    const { db } = this.#deps;
    const userId = actor.userId ?? '';
    const ended = await db.transaction((tx) => deleteSession(tx, { id: sessionId, userId }));
    if (!ended) throw new NotFoundError('session.not-found');
  }

  /** Leaves the one that asks for it. */
  async endOthers(actor: Actor, session: SessionInfo): Promise<void> {
    const userId = actor.userId ?? '';
    await this.#deps.db.transaction(async (tx) => {
      await endAllCredentials(tx, userId);
      await this.keepOnly(tx, userId, session);
    });
  }

  /** After the account's epoch was raised: this session goes on in the new one, the others are gone. */
  async keepOnly(tx: Tx, userId: string, session: SessionInfo): Promise<void> {
    await deleteSessionsOf(tx, userId, { except: session.id });
    const user = await findUser(tx, userId);
    if (user) await moveToEpoch(tx, session.id, user.authEpoch);
  }

  /** After a restore: whoever was signed in when the backup was made is not any more. */
  async endEverybodys(tx: Tx): Promise<void> {
    await deleteAllSessions(tx);
  }

  async signOut(actor: Actor, session: SessionInfo): Promise<void> {
    const userId = actor.userId ?? '';
    const { db, hooks } = this.#deps;
    await db.transaction(async (tx) => {
      if (!(await deleteSession(tx, { id: session.id, userId }))) return;
      await hooks.emit(tx, userSignedOut, { userId }, { aggregate: `user:${userId}` });
    });
  }

  /** For a job: rows of sessions that are over. */
  async sweep(): Promise<void> {
    const { db, clock } = this.#deps;
    await db.transaction((tx) => deleteSessionsBefore(tx, clock.now()));
  }

  /** At most once a minute, and never at the price of the page that was asked for. */
  async #touch(session: Session): Promise<void> {
    const { db, clock } = this.#deps;
    const now = clock.now();
    const before = now - TOUCH_EVERY_MS;
    if (session.seenAt >= before) return;
    try {
      await db.transaction(async (tx) => {
        if (await touchSession(tx, session.id, { before, now })) await touchUser(tx, session.userId, now);
      });
    } catch {
      // The database is busy; the next request will do.
    }
  }
}

const newToken = (): string => randomBytes(32).toString('base64url');

function begin(
  user: User,
  { ip, userAgent }: ClientFacts,
  { now, idleMs, absoluteMs }: { now: number; idleMs: number; absoluteMs: number },
): { token: string; session: Session } {
  const session: Session = {
    id: newId(),
    userId: user.id,
    authEpoch: user.authEpoch,
    createdAt: now,
    seenAt: now,
    authenticatedAt: now,
    idleMs,
    expiresAt: now + absoluteMs,
    network: networkOf(ip),
    userAgent: userAgent.slice(0, 255),
  };
  return { token: newToken(), session };
}

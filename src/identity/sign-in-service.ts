import { randomBytes } from 'node:crypto';
import { digestOf } from '../crypto/digest.ts';
import type { Database } from '../db/database.ts';
import type { Hooks } from '../hooks/index.ts';
import { limitKeyOf } from '../http/client-address.ts';
import type { Clock } from '../shared/clock.ts';
import { InvalidInputError, UnauthenticatedError } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import { signInFailed, signInMayBegin } from './access-hooks.ts';
import type { Directory } from './directory.ts';
import { normaliseEmail } from './email.ts';
import type { PasswordGate } from './password-gate.ts';
import type { SecondFactorService } from './second-factor-service.ts';
import type { ClientFacts, SessionCookie, SessionService } from './session-service.ts';
import {
  deleteStep,
  findStepByDigest,
  insertStep,
  spendTry,
  type SignInStep,
} from './sign-in-step-repository.ts';
import type { SignInThrottle } from './sign-in-throttle.ts';
import { isOpen, type User } from './user.ts';
import { findPasswordHash, findUser, findUserByEmail, replaceHash } from './user-repository.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  gate: PasswordGate;
  throttle: SignInThrottle;
  sessions: SessionService;
  directory: Directory;
  secondFactors: SecondFactorService;
  /** Whether people of the desk must have a second factor. */
  staffNeedsSecondFactor: () => Promise<boolean>;
}

export interface Credentials {
  email: string;
  password: string;
}

/** Signed in, or one step short of it. */
export type SignedIn =
  | { kind: 'session'; cookie: SessionCookie }
  | { kind: 'step'; step: 'code' | 'enrol'; cookie: SessionCookie };

export const STEP_COOKIE = 'sign-in';

const STEP_LIFE_MS = 10 * 60_000;
const STEP_TRIES = 5;

/** From an address and a password to a session. */
export class SignInService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The same answer after the same work, whether the address is unknown, the password wrong, or the account closed. */
  async signIn({ email, password }: Credentials, client: ClientFacts, next: string): Promise<SignedIn> {
    const { db, throttle, hooks, sessions } = this.#deps;
    await sessions.assertLocalIsOn();
    const emailNorm = normaliseEmail(email) ?? '';
    const network = limitKeyOf(client.ip);
    await throttle.count(emailNorm, network);
    await hooks.veto(signInMayBegin, { emailNorm, network });
    const user = emailNorm === '' ? null : await findUserByEmail(db, emailNorm);
    if (!(await this.#isTheirs(user, password))) {
      await this.#tellFailed(user, network);
      throw new UnauthenticatedError('sign-in.wrong');
    }
    await throttle.forget(emailNorm, network);
    if (!user) throw new UnauthenticatedError('sign-in.wrong');
    return this.goOn(user, 'password', { client, next });
  }

  /** Once they have shown who they are: in, or one step short of it where a second factor is asked for. */
  async goOn(
    user: User,
    proof: SignInStep['proof'] | 'provider-strong',
    { client, next }: { client: ClientFacts; next: string },
  ): Promise<SignedIn> {
    const { sessions } = this.#deps;
    const step = proof === 'provider-strong' ? null : await this.#stepFor(user);
    if (proof === 'provider-strong' || step === null)
      return { kind: 'session', ...(await sessions.completeLogin(user.id, proof, client)) };
    return { kind: 'step', step, cookie: await this.#askFor(step, user, { proof, next }) };
  }

  /** Throws unless this is the password of the person who is signed in already. Counted like a sign-in. */
  async assertPassword(user: User, password: string, client: ClientFacts, field = 'password'): Promise<void> {
    const { throttle } = this.#deps;
    const network = limitKeyOf(client.ip);
    await throttle.count(user.emailNorm, network);
    if (!(await this.#isTheirs(user, password))) {
      const wrong = { field, code: 'sign-in.wrong-password' };
      throw new InvalidInputError('input.invalid', { fields: [wrong] });
    }
    await throttle.forget(user.emailNorm, network);
  }

  /** The account that gave its password and owes the rest. */
  async pending(stepToken: string | undefined): Promise<{ step: SignInStep; user: User } | null> {
    const { db, clock } = this.#deps;
    if (stepToken === undefined || !/^[\w-]{43}$/.test(stepToken)) return null;
    const step = await findStepByDigest(db, digestOf(stepToken));
    if (!step || step.expiresAt <= clock.now() || step.triesLeft <= 0) return null;
    const user = await findUser(db, step.userId);
    return user && isOpen(user, clock.now()) && user.authEpoch === step.authEpoch ? { step, user } : null;
  }

  /** The second step: a code of the app, or one of the recovery codes. */
  async finish(
    stepToken: string | undefined,
    code: string,
    client: ClientFacts,
  ): Promise<{ cookie: SessionCookie; next: string }> {
    const { db, secondFactors, sessions } = this.#deps;
    const pending = await this.pending(stepToken);
    if (!pending) throw new UnauthenticatedError('sign-in.start-again');
    const { step, user } = pending;
    if (!(await db.transaction((tx) => spendTry(tx, step.id))))
      throw new UnauthenticatedError('sign-in.start-again');
    const isRight =
      step.kind === 'enrol'
        ? await secondFactors.confirmFirst(user, code)
        : await secondFactors.accepts(user, code);
    if (!isRight) throw new UnauthenticatedError('sign-in.wrong-code');
    await db.transaction((tx) => deleteStep(tx, step.id));
    const { cookie } = await sessions.completeLogin(user.id, `${step.proof}-and-code`, client);
    return { cookie, next: step.nextPath };
  }

  /** Costs a write only where somebody listens. */
  async #tellFailed(user: User | null, network: string): Promise<void> {
    const { db, hooks } = this.#deps;
    if (!hooks.isHeard(signInFailed)) return;
    const userId = user?.id ?? null;
    const about = { aggregate: `sign-in:${userId ?? 'nobody'}` };
    await db.transaction((tx) => hooks.emit(tx, signInFailed, { userId, network }, about));
  }

  async #isTheirs(user: User | null, password: string): Promise<boolean> {
    const { db, gate, clock } = this.#deps;
    const hash = user && isOpen(user, clock.now()) ? await findPasswordHash(db, user.id) : null;
    const isRight = await gate.verify(hash, password);
    if (isRight && user && hash !== null && gate.isOutdated(hash)) await this.#rehash(user, password, hash);
    return isRight;
  }

  async #rehash(user: User, password: string, from: string): Promise<void> {
    const { db, gate } = this.#deps;
    const to = await gate.hash(password, { lane: 'sign-in' });
    await db.transaction((tx) => replaceHash(tx, user.id, { from, to }));
  }

  async #stepFor(user: User): Promise<'code' | 'enrol' | null> {
    const { secondFactors, staffNeedsSecondFactor, directory } = this.#deps;
    if (await secondFactors.isOnFor(user.id)) return 'code';
    if (!(await staffNeedsSecondFactor())) return null;
    return (await directory.actorOf(user)).isStaff ? 'enrol' : null;
  }

  async #askFor(
    kind: 'code' | 'enrol',
    user: User,
    { proof, next }: { proof: SignInStep['proof']; next: string },
  ): Promise<SessionCookie> {
    const { db, clock } = this.#deps;
    const token = randomBytes(32).toString('base64url');
    const step: SignInStep = {
      id: newId(),
      userId: user.id,
      authEpoch: user.authEpoch,
      kind,
      proof,
      triesLeft: STEP_TRIES,
      nextPath: next.slice(0, 500),
      expiresAt: clock.now() + STEP_LIFE_MS,
    };
    await db.transaction((tx) => insertStep(tx, step, { digest: digestOf(token) }));
    return { name: STEP_COOKIE, value: token, maxAge: STEP_LIFE_MS / 1000 };
  }
}

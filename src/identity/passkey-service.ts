import type { AuditService } from '../audit/index.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import type { Database, Tx } from '../db/database.ts';
import { limitKeyOf } from '../http/client-address.ts';
import type { RateLimits } from '../http/rate-limit.ts';
import type { SessionInfo } from '../http/route.ts';
import type { MailDraft, MailService } from '../mail/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, InvalidInputError, NotFoundError, UnauthenticatedError } from '../shared/errors.ts';
import type { Directory } from './directory.ts';
import { listGrantsOf } from './directory-repository.ts';
import { ROOT_ENTITY_ID } from './entity.ts';
import { CounterWentBack, PasskeyCeremony, refused, type Held, type Offer } from './passkey-ceremony.ts';
import {
  deletePasskey,
  findPasskey,
  insertAnswered,
  insertPasskey,
  listPasskeysOf,
  renamePasskey,
  usePasskey,
} from './passkey-repository.ts';
import { MOST_PASSKEYS, passkeyOf, type NewPasskey, type Passkey } from './passkey.ts';
import type { ClientFacts, SessionCookie, SessionService } from './session-service.ts';
import { isOpen, type User } from './user.ts';
import { listIdentitiesOf } from './user-identity-repository.ts';
import type { UserAdminService } from './user-admin-service.ts';
import { assertMayManageUser } from './user-policy.ts';
import { findPasswordHash, findUser } from './user-repository.ts';
import { subjectOf } from './user-service.ts';

interface Deps {
  db: Database;
  clock: Clock;
  audit: AuditService;
  directory: Directory;
  keys: KeyRing;
  sessions: SessionService;
  mail: Pick<MailService, 'queue'>;
  limits: RateLimits;
  site: () => Promise<{ origin: string }>;
  userAdmin: Pick<UserAdminService, 'get' | 'managed'>;
}

type Cookies = ReadonlyMap<string, string>;

/** Only refusals count, so that a whole office behind one address signs in. */
const WRONG_ANSWERS = { name: 'passkey-wrong', points: 30, perSeconds: 600 };

/** Signing in with what a device keeps. It is two factors at once: the device, and the finger, face or PIN that opens it. */
export class PasskeyService {
  readonly #deps: Deps;
  readonly #ceremony: PasskeyCeremony;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#ceremony = new PasskeyCeremony(deps);
  }

  /** Whether browsers make passkeys for the address of this house at all. */
  async isPossible(): Promise<boolean> {
    return (await this.#ceremony.relyingParty()) !== null;
  }

  /** One's own, and whether each works under today's address. */
  async list(userId: string): Promise<(Passkey & { isForHere: boolean })[]> {
    const party = await this.#ceremony.relyingParty();
    const all = await listPasskeysOf(this.#deps.db, userId);
    return all.map((passkey) => ({ ...passkey, isForHere: passkey.rpId === party?.id }));
  }

  async askForAnother(user: User, session: SessionInfo): Promise<Offer> {
    const exclude = await listPasskeysOf(this.#deps.db, user.id);
    return this.#ceremony.askForNew(
      { purpose: 'add', binding: session.id },
      { ...user, exclude, organisation: await this.#organisation() },
    );
  }

  async add(
    actor: Actor,
    user: User,
    {
      answer,
      name,
      session,
      cookies,
    }: { answer: string; name: string; session: SessionInfo; cookies: Cookies },
  ): Promise<void> {
    const { db } = this.#deps;
    const tidy = tidyName(name);
    if ((await listPasskeysOf(db, user.id)).length >= MOST_PASSKEYS)
      throw new ConflictError('passkey.too-many', { params: { count: MOST_PASSKEYS } });
    const held: Held = { purpose: 'add', binding: session.id, cookies };
    const { made, challenge } = await this.#ceremony.readNew(answer, held);
    await this.#once(challenge, (tx) => this.#write(tx, actor, user, { made, name: tidy }));
  }

  async rename(actor: Actor, user: User, id: string, name: string): Promise<void> {
    const tidy = tidyName(name);
    await this.#deps.db.transaction(async (tx) => {
      if (!(await renamePasskey(tx, { id, userId: user.id }, tidy)))
        throw new NotFoundError('passkey.not-found');
      await this.#record(tx, actor, user, 'user.passkey-renamed', { name: tidy });
    });
  }

  /** The last way in stays: whoever has no password sets one before the last passkey goes. */
  async remove(actor: Actor, user: User, id: string): Promise<void> {
    await this.#deps.db.transaction(async (tx) => {
      await this.#remove(tx, actor, user, id);
      const isLast = (await listPasskeysOf(tx, user.id)).length === 0;
      if (isLast && !(await this.#hasOtherWay(tx, user.id))) throw new ConflictError('passkey.last');
    });
  }

  async #remove(tx: Tx, actor: Actor, user: User, id: string): Promise<void> {
    const passkey = (await listPasskeysOf(tx, user.id)).find((one) => one.id === id);
    if (!passkey || !(await deletePasskey(tx, { id, userId: user.id })))
      throw new NotFoundError('passkey.not-found');
    await this.#record(tx, actor, user, 'user.passkey-removed', { name: passkey.name });
    await this.#deps.mail.queue(tx, passkeyMail('passkey-removed', user, passkey.name));
  }

  /** For administrators of that account. */
  async listOf(actor: Actor, userId: string): Promise<Passkey[]> {
    const { db, directory, userAdmin } = this.#deps;
    const user = await userAdmin.get(actor, userId);
    const grants = await listGrantsOf(db, userId);
    assertMayManageUser(actor, user, { grants, directory: await directory.snapshot() });
    return listPasskeysOf(db, userId);
  }

  /** For somebody who lost the device. Their last way in may go: whoever manages the account can send them a new one. */
  async removeOf(actor: Actor, userId: string, id: string): Promise<void> {
    const { db, userAdmin } = this.#deps;
    await db.transaction(async (tx) => {
      await this.#remove(tx, actor, await userAdmin.managed(tx, actor, userId), id);
    });
  }

  async #hasOtherWay(tx: Tx, userId: string): Promise<boolean> {
    const hasPassword = (await findPasswordHash(tx, userId)) !== null;
    return hasPassword || (await listIdentitiesOf(tx, userId)).length > 0;
  }

  askForSignIn(): Promise<Offer> {
    return this.#ceremony.askForProof({ purpose: 'sign-in', binding: '' }, { allow: [] });
  }

  /** Whoever answers is who the device says; unknown, wrong, old and repeated answers look the same. */
  async signIn(
    answer: string,
    cookies: Cookies,
    client: ClientFacts,
  ): Promise<{ cookie: SessionCookie; forget: Offer['cookie'] }> {
    const user = await this.#proven(answer, { purpose: 'sign-in', binding: '', cookies }, client);
    const { cookie } = await this.#deps.sessions.completeLogin(user.id, 'passkey', client);
    return { cookie, forget: this.#ceremony.forget };
  }

  async askForConfirmation(user: User, session: SessionInfo): Promise<Offer> {
    const allow = await listPasskeysOf(this.#deps.db, user.id);
    return this.#ceremony.askForProof({ purpose: 'confirm', binding: session.id }, { allow });
  }

  async confirm(
    actor: Actor,
    session: SessionInfo,
    answer: string,
    { cookies, client }: { cookies: Cookies; client: ClientFacts },
  ): Promise<{ cookie: SessionCookie }> {
    const held: Held = { purpose: 'confirm', binding: session.id, cookies };
    const user = await this.#proven(answer, held, client);
    if (user.id !== actor.userId) throw wrong();
    return this.#deps.sessions.confirm(actor, session);
  }

  /** For whoever is about to get an account. */
  async offer(person: { email: string; name: string }, { binding }: { binding: string }): Promise<Offer> {
    const organisation = await this.#organisation();
    return this.#ceremony.askForNew({ purpose: 'join', binding }, { ...person, organisation, exclude: [] });
  }

  /** Verified and the challenge spent; nobody's yet. */
  async accept(
    answer: string,
    { cookies, binding }: { cookies: Cookies; binding: string },
  ): Promise<NewPasskey> {
    const { made, challenge } = await this.#ceremony.readNew(answer, { purpose: 'join', binding, cookies });
    await this.#once(challenge, async () => {
      // The challenge is all there is to write.
    });
    return made;
  }

  async #proven(answer: string, held: Held, client: ClientFacts): Promise<User> {
    const { db, clock, limits } = this.#deps;
    const network = limitKeyOf(client.ip);
    await limits.check(WRONG_ANSWERS, network);
    try {
      const passkey = await findPasskey(db, this.#ceremony.claimed(answer));
      const user = passkey && (await findUser(db, passkey.userId));
      if (!passkey || !user || !isOpen(user, clock.now())) throw refused();
      const { counter, challenge } = await this.#read(answer, held, passkey, user);
      await this.#once(challenge, async (tx) => {
        if (!(await usePasskey(tx, passkey.id, { counter, now: clock.now() }))) throw refused();
      });
      return user;
    } catch (error) {
      await limits.count(WRONG_ANSWERS, network);
      throw error instanceof InvalidInputError || error instanceof ConflictError ? wrong(error) : error;
    }
  }

  async #read(
    answer: string,
    held: Held,
    passkey: Passkey,
    user: User,
  ): Promise<{ counter: number; challenge: string }> {
    try {
      return await this.#ceremony.readProof(answer, held, passkey);
    } catch (error) {
      if (!(error instanceof CounterWentBack)) throw error;
      await this.#reportCopy(user, passkey);
      throw refused(error);
    }
  }

  /** A copy may be about: on record, and its owner hears of it. */
  async #reportCopy(user: User, { name }: Passkey): Promise<void> {
    const { db, directory, mail } = this.#deps;
    const actor = await directory.actorOf(user);
    await db.transaction(async (tx) => {
      await this.#record(tx, actor, user, 'user.passkey-copied', { name });
      await mail.queue(tx, passkeyMail('passkey-copied', user, name));
    });
  }

  /** `work`, and that this challenge has been answered: both or neither. */
  async #once(challenge: string, work: (tx: Tx) => Promise<void>): Promise<void> {
    const { db } = this.#deps;
    try {
      await db.transaction(async (tx) => {
        await insertAnswered(tx, challenge, this.#ceremony.answeredUntil);
        await work(tx);
      });
    } catch (error) {
      throw db.dialect.isDuplicate(error) ? refused(error) : error;
    }
  }

  async #write(
    tx: Tx,
    actor: Actor,
    user: User,
    { made, name }: { made: NewPasskey; name: string },
  ): Promise<void> {
    await insertPasskey(tx, passkeyOf(user, made, name, this.#deps.clock.now()));
    await this.#record(tx, actor, user, 'user.passkey-added', { name });
    await this.#deps.mail.queue(tx, passkeyMail('passkey-added', user, name));
  }

  async #organisation(): Promise<string> {
    const { tree } = await this.#deps.directory.snapshot();
    return tree.get(ROOT_ENTITY_ID)?.name ?? 'Latchkey';
  }

  async #record(
    tx: Tx,
    actor: Actor,
    user: User,
    action: string,
    after: Record<string, unknown>,
  ): Promise<void> {
    await this.#deps.audit.record(tx, actor, { action, subject: subjectOf(user), after });
  }
}

function tidyName(name: string): string {
  const tidy = name
    .normalize('NFC')
    .replace(/[\s\p{C}]+/gu, ' ')
    .trim()
    .slice(0, 60);
  if (tidy !== '') return tidy;
  throw new InvalidInputError('input.invalid', { fields: [{ field: 'name', code: 'passkey.name' }] });
}

const wrong = (cause?: unknown): UnauthenticatedError =>
  new UnauthenticatedError('passkey.refused', cause === undefined ? {} : { cause });

/** Whoever did not do it should hear of it. */
const passkeyMail = (
  kind: 'passkey-added' | 'passkey-removed' | 'passkey-copied',
  { email, name, locale, id }: User,
  passkey: string,
): MailDraft => ({
  to: { email, name },
  template: `identity/mail/${kind}`,
  model: { name, passkey },
  locale,
  kind,
  reference: id,
});

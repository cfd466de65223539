import type { AuditService } from '../audit/index.ts';
import type { Database, Tx } from '../db/database.ts';
import type { Hooks } from '../hooks/index.ts';
import type { SettingsService } from '../settings/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, InvalidInputError, NotFoundError, type FieldProblem } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import { revokeTokensOf } from './access-token-repository.ts';
import type { Directory } from './directory.ts';
import { deleteGrantsOf, listGrantsOf } from './directory-repository.ts';
import { normaliseEmail, tidyEmail } from './email.ts';
import { mostAccounts } from './identity-settings.ts';
import { assertOwnerRemains, isOwnership } from './membership-service.ts';
import type { Lane, PasswordGate } from './password-gate.ts';
import { passwordProblem } from './password-rules.ts';
import { deleteMembershipsOf } from './group-repository.ts';
import { deletePasskeysOf, insertPasskey } from './passkey-repository.ts';
import { FIRST_PASSKEY, passkeyOf, type NewPasskey } from './passkey.ts';
import { deleteSecondFactor } from './second-factor-repository.ts';
import { deleteSessionsOf } from './session-repository.ts';
import {
  deleteAttributesOf,
  listAttributes,
  writeAttributes,
  type Attributes,
} from './user-attribute-repository.ts';
import { assertAttributes } from './user-attributes.ts';
import { deleteSecretsOf } from './user-secret-repository.ts';
import { factsOf, locales, type PersonFacts, type PreparedUser, type User, type UserDraft } from './user.ts';
import type { NewIdentity } from './user-identity.ts';
import { deleteIdentitiesOf, insertIdentity } from './user-identity-repository.ts';
import { userCreated, userDisabled, userDraft, userForgotten, userMayCreate } from './user-hooks.ts';
import type { UserNumbers } from './user-numbers.ts';
import { assertMayManageUser } from './user-policy.ts';
import {
  countActive,
  anonymiseUser,
  findUser,
  findUserByEmail,
  findUsers,
  findUsersByEmail,
  insertUser,
  listUsers,
  setEnd,
  setPasswordHash,
  setStatus,
} from './user-repository.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  gate: PasswordGate;
  audit: AuditService;
  directory: Directory;
  numbers: UserNumbers;
  settings: Pick<SettingsService, 'get' | 'getIn'>;
}

const LONGEST_NAME = 120;

/** Accounts: making them, in two steps, and closing them. */
export class UserService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Throws `InvalidInputError` with a problem per field; no hash, no question to anybody. */
  check(draft: UserDraft): void {
    const fields = problemsOf(draft);
    if (fields.length > 0) throw new InvalidInputError('input.invalid', { fields });
  }

  /** Everything that may take its time (plugins, hashing) happens here, before any transaction is open. */
  async prepare(
    draft: UserDraft,
    {
      lane,
      hash,
      passkey,
      identity,
    }: { lane: Lane; hash?: string; passkey?: NewPasskey; identity?: NewIdentity },
  ): Promise<PreparedUser> {
    const { hooks } = this.#deps;
    const { password, ...open } = draft;
    const wanted = await hooks.filter(userDraft, open, {
      source: lane === 'redeem' ? 'sign-up' : 'administration',
    });
    this.check({ ...wanted, ...(password === undefined ? {} : { password }) });
    const prepared = tidied(wanted);
    await hooks.veto(userMayCreate, {
      email: prepared.email,
      emailNorm: prepared.emailNorm,
      name: prepared.name,
    });
    await this.#deps.numbers.bring();
    const passwordHash = hash ?? (password === undefined ? null : await this.hash(password, { lane }));
    return { ...prepared, passwordHash, ...(passkey ? { passkey } : {}), ...(identity ? { identity } : {}) };
  }

  async hash(password: string, { lane }: { lane: Lane }): Promise<string> {
    const hash = await this.#deps.gate.hash(password, { lane });
    await this.#deps.numbers.bring();
    return hash;
  }

  /** Writes a prepared account. A taken address is a `ConflictError('user.exists')`, which no stranger may be told. */
  async insert(
    tx: Tx,
    prepared: PreparedUser,
    { actor, emailProven, endsAt = null }: { actor: Actor; emailProven: boolean; endsAt?: number | null },
  ): Promise<PersonFacts> {
    const { hooks, audit, clock, numbers } = this.#deps;
    const now = clock.now();
    const user = newUser(prepared, { number: await numbers.take(tx), now, emailProven, endsAt });
    await this.#write(tx, user, prepared.passwordHash);
    if (prepared.passkey) await insertPasskey(tx, passkeyOf(user, prepared.passkey, FIRST_PASSKEY, now));
    if (prepared.identity) await this.#writeIdentity(tx, user, prepared.identity);
    await this.#assertRoom(tx);
    const facts = factsOf(user);
    await audit.record(tx, actor, {
      action: 'user.created',
      subject: subjectOf(user),
      after: {
        email: user.email,
        name: user.name,
        locale: user.locale,
        emailProven,
        ...(prepared.identity ? { provider: prepared.identity.provider } : {}),
        ...(endsAt === null ? {} : { endsAt: new Date(endsAt).toISOString() }),
      },
    });
    await hooks.emit(tx, userCreated, { user: facts, by: actor.name }, { aggregate: `user:${user.id}` });
    return facts;
  }

  async find(id: string): Promise<PersonFacts | null> {
    const user = await findUser(this.#deps.db, id);
    return user && factsOf(user);
  }

  async findByEmail(email: string): Promise<PersonFacts | null> {
    const emailNorm = normaliseEmail(email);
    const user = emailNorm === null ? null : await findUserByEmail(this.#deps.db, emailNorm);
    return user && factsOf(user);
  }

  /** By their normal address, for lists; whoever has no account is left out. */
  async findByEmails(emails: readonly string[]): Promise<Map<string, PersonFacts>> {
    const wanted = emails.map(normaliseEmail).filter((one) => one !== null);
    const users = await findUsersByEmail(this.#deps.db, [...new Set(wanted)]);
    return new Map(users.map((user) => [user.emailNorm, factsOf(user)]));
  }

  async named(ids: readonly string[]): Promise<Map<string, PersonFacts>> {
    const users = await findUsers(this.#deps.db, [...new Set(ids)]);
    return new Map(users.map((user) => [user.id, factsOf(user)]));
  }

  /** Ends sessions and tokens with the account's use; what the person wrote stays. */
  async disable(tx: Tx, actor: Actor, id: string): Promise<void> {
    const { hooks, audit } = this.#deps;
    const user = await this.#managed(tx, actor, id);
    if (user.id === actor.userId) throw new ConflictError('user.disable-yourself');
    if (!(await setStatus(tx, id, 'active', 'disabled'))) return;
    if ((await listGrantsOf(tx, id)).some(isOwnership)) await assertOwnerRemains(tx);
    await deleteSessionsOf(tx, id);
    await revokeTokensOf(tx, id, this.#deps.clock.now());
    await audit.record(tx, actor, {
      action: 'user.disabled',
      subject: subjectOf(user),
      before: { status: 'active' },
      after: { status: 'disabled' },
    });
    const payload = { user: factsOf({ ...user, status: 'disabled' }), by: actor.name };
    await hooks.emit(tx, userDisabled, payload, { aggregate: `user:${id}` });
  }

  async enable(tx: Tx, actor: Actor, id: string): Promise<void> {
    const user = await this.#managed(tx, actor, id);
    if (!(await setStatus(tx, id, 'disabled', 'active'))) return;
    await this.#assertRoom(tx);
    // An end that has passed would close it again at once.
    if (user.endsAt !== null && user.endsAt <= this.#deps.clock.now()) await setEnd(tx, id, null);
    await this.#deps.audit.record(tx, actor, {
      action: 'user.enabled',
      subject: subjectOf(user),
      before: { status: 'disabled' },
      after: { status: 'active' },
    });
  }

  /** Forgets who it was and keeps the row that tickets point at. There is no way back. */
  async anonymise(tx: Tx, actor: Actor, id: string): Promise<void> {
    const { clock, audit, hooks } = this.#deps;
    if (actor.userId === id) throw new ConflictError('user.disable-yourself');
    const user = await this.#managed(tx, actor, id);
    const grants = await listGrantsOf(tx, id);
    const label = `Anonymous #${String(user.number)}`;
    if (!(await anonymiseUser(tx, id, label, clock.now()))) return;
    await deleteSessionsOf(tx, id);
    await revokeTokensOf(tx, id, clock.now());
    await deleteSecondFactor(tx, id);
    await deletePasskeysOf(tx, id);
    await deleteIdentitiesOf(tx, id);
    await deleteSecretsOf(tx, id);
    await deleteAttributesOf(tx, id);
    await deleteMembershipsOf(tx, id);
    await deleteGrantsOf(tx, id);
    if (grants.some(isOwnership)) await assertOwnerRemains(tx);
    await audit.record(tx, actor, { action: 'user.anonymised', subject: { type: 'user', id, label } });
    const told = { userId: id, emailNorm: user.emailNorm };
    await hooks.emit(tx, userForgotten, told, { aggregate: `user:${id}` });
  }

  /** Ids of people whose name or address has these words, as far as this actor sees them. */
  async search(actor: Actor, words: string, limit: number): Promise<string[]> {
    const entities = actor.entitiesWith('user.read');
    const found = await listUsers(this.#deps.db, { search: words, entities }, { page: 1, perPage: limit });
    return found.items.map(({ id }) => id);
  }

  /** Sets a password without asking for the old one, and ends every session. For the command line and for resets. */
  async setPassword(actor: Actor, id: string, password: string): Promise<void> {
    const { db, audit } = this.#deps;
    const user = await findUser(db, id);
    if (!user) throw new NotFoundError('user.not-found');
    this.checkPassword(user, password);
    const hash = await this.#deps.gate.hash(password, { lane: 'sign-in' });
    await db.transaction(async (tx) => {
      await this.#managed(tx, actor, id);
      await setPasswordHash(tx, id, hash);
      await deleteSessionsOf(tx, id);
      await audit.record(tx, actor, { action: 'user.password-set', subject: subjectOf(user) });
    });
  }

  checkPassword({ email, name }: { email: string; name: string }, password: string): void {
    const code = passwordProblem(password, { email, name });
    if (code !== null)
      throw new InvalidInputError('input.invalid', { fields: [{ field: 'password', code }] });
  }

  async attributesOf(id: string): Promise<Attributes> {
    return listAttributes(this.#deps.db, id);
  }

  /** Sets these and leaves the others; an empty value takes one away. The log keeps the names, not what they say. */
  async setAttributes(tx: Tx, actor: Actor, id: string, attributes: Attributes): Promise<void> {
    const { audit, clock } = this.#deps;
    const tidy = assertAttributes(attributes);
    const user = await findUser(tx, id);
    if (!user) throw new NotFoundError('user.not-found');
    if (Object.keys(tidy).length === 0) return;
    await writeAttributes(tx, id, tidy, clock.now());
    await audit.record(tx, actor, {
      action: 'user.attributes-set',
      subject: subjectOf(user),
      after: { attributes: Object.keys(tidy).join(', ') },
    });
  }

  /** Whether one more account may be open in this house. */
  async hasRoom(): Promise<boolean> {
    const { db, settings } = this.#deps;
    const most = await settings.get(mostAccounts);
    return most === null || (await countActive(db, most)) < most;
  }

  /** In one entity, or in any of several. */
  async withRight(right: string, entityIds: string | readonly string[]): Promise<PersonFacts[]> {
    return (await this.#deps.directory.peopleWith(right, entityIds)).map(factsOf);
  }

  async actorOf(id: string): Promise<Actor | null> {
    return this.#deps.directory.actorById(id);
  }

  /** After the write, so that it counts itself. People who come at the very same moment on several connections may be one too many. */
  async #assertRoom(tx: Tx): Promise<void> {
    const most = await this.#deps.settings.getIn(tx, mostAccounts);
    if (most !== null && (await countActive(tx, most + 1)) > most) throw new ConflictError('user.no-room');
  }

  async #managed(tx: Tx, actor: Actor, id: string): Promise<User> {
    const { directory } = this.#deps;
    const user = await findUser(tx, id);
    if (!user) throw new NotFoundError('user.not-found');
    const grants = await listGrantsOf(tx, id);
    assertMayManageUser(actor, user, { grants, directory: await directory.snapshot(tx) });
    return user;
  }

  async #write(tx: Tx, user: User, passwordHash: string | null): Promise<void> {
    try {
      await insertUser(tx, user, { passwordHash });
    } catch (error) {
      if (tx.dialect.isDuplicate(error)) throw new ConflictError('user.exists', { cause: error });
      throw error;
    }
  }

  async #writeIdentity(tx: Tx, { id }: User, identity: NewIdentity): Promise<void> {
    try {
      await insertIdentity(tx, id, identity, this.#deps.clock.now());
    } catch (error) {
      if (tx.dialect.isDuplicate(error)) throw new ConflictError('identity.taken', { cause: error });
      throw error;
    }
  }
}

export const subjectOf = ({
  id,
  email,
}: {
  id: string;
  email: string;
}): { type: string; id: string; label: string } => ({
  type: 'user',
  id,
  label: email,
});

function problemsOf({ email, name, locale, password }: UserDraft): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (normaliseEmail(email) === null) problems.push({ field: 'email', code: 'user.email' });
  problems.push(...nameProblems(name));
  if (locale !== undefined && !isOurLocale(locale)) problems.push({ field: 'locale', code: 'user.locale' });
  const wrong = password === undefined ? null : passwordProblem(password, { email, name });
  if (wrong !== null) problems.push({ field: 'password', code: wrong });
  return problems;
}

export function nameProblems(name: string): FieldProblem[] {
  const tidy = tidyName(name);
  if (tidy === '') return [{ field: 'name', code: 'user.name-missing' }];
  if (tidy.length > LONGEST_NAME)
    return [{ field: 'name', code: 'user.name-long', params: { maximum: LONGEST_NAME } }];
  // An address in a name is how spam travels in mails that we send.
  if (/https?:|www\.|\p{Cc}/iu.test(tidy)) return [{ field: 'name', code: 'user.name-link' }];
  return [];
}

export const tidyName = (name: string): string =>
  name
    .normalize('NFC')
    .replace(/[\s\p{Cf}]+/gu, ' ')
    .trim();

export const isOurLocale = (locale: string): boolean => (locales as readonly string[]).includes(locale);

function tidied({ email, name, locale }: Omit<UserDraft, 'password'>): Omit<PreparedUser, 'passwordHash'> {
  const emailNorm = normaliseEmail(email);
  if (emailNorm === null)
    throw new InvalidInputError('input.invalid', { fields: [{ field: 'email', code: 'user.email' }] });
  return { email: tidyEmail(email), emailNorm, name: tidyName(name), locale: locale ?? 'en' };
}

const newUser = (
  { email, emailNorm, name, locale }: PreparedUser,
  {
    number,
    now,
    emailProven,
    endsAt,
  }: { number: number; now: number; emailProven: boolean; endsAt: number | null },
): User => ({
  id: newId(),
  number,
  email,
  emailNorm,
  name,
  locale,
  timeZone: null,
  theme: 'auto',
  status: 'active',
  emailVerifiedAt: emailProven ? now : null,
  authEpoch: 1,
  version: 1,
  createdAt: now,
  lastSeenAt: null,
  anonymisedAt: null,
  endsAt,
});

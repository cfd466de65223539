import type { AuditRecord, AuditService } from '../audit/index.ts';
import type { Database, Tx } from '../db/database.ts';
import type { Hooks } from '../hooks/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, ForbiddenError, InvalidInputError, NotFoundError } from '../shared/errors.ts';
import type { Page, PageRequest } from '../shared/page.ts';
import { userChange, userMayAnonymise, userMayDisable } from './access-hooks.ts';
import { profileProblems } from './account-service.ts';
import type { Directory } from './directory.ts';
import { listGrantsOf } from './directory-repository.ts';
import { normaliseEmail, tidyEmail } from './email.ts';
import type { Grant } from './grant.ts';
import { listGroupsOf } from './group-repository.ts';
import type { Group } from './group.ts';
import type { MembershipService } from './membership-service.ts';
import { deleteSecondFactor, hasSecondFactor } from './second-factor-repository.ts';
import { deleteSessionsOf, listSessionsOf } from './session-repository.ts';
import type { Session } from './session.ts';
import type { PersonFacts, User, UserStatus } from './user.ts';
import { assertMayManageUser, assertMaySeeUser, mayManageUser } from './user-policy.ts';
import {
  endAllCredentials,
  findUser,
  findUserByNumber,
  listUsers,
  updateUser,
  type UserFilter,
} from './user-repository.ts';
import { listAttributes, type Attributes } from './user-attribute-repository.ts';
import { subjectOf, tidyName, type UserService } from './user-service.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  audit: AuditService;
  directory: Directory;
  users: UserService;
  memberships: MembershipService;
}

export interface NewPerson {
  email: string;
  name: string;
  locale: string;
  profileId: string;
  entityId: string;
  recursive: boolean;
  password?: string;
}

export interface PersonEdit {
  email: string;
  name: string;
  locale: string;
  timeZone: string;
  version: number;
}

export interface PersonView {
  user: User;
  grants: Grant[];
  groups: (Group & { isManager: boolean })[];
  sessions: Session[];
  hasSecondFactor: boolean;
  attributes: Attributes;
  mayManage: boolean;
  history: AuditRecord[];
}

/** What administrators do with the accounts of others. */
export class UserAdminService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(actor: Actor, filter: UserFilter, page: PageRequest): Promise<Page<User>> {
    if (!actor.can('user.read')) throw new ForbiddenError('access.right');
    return listUsers(this.#deps.db, { ...filter, entities: actor.entitiesWith('user.read') }, page);
  }

  async get(actor: Actor, id: string): Promise<User> {
    const { db } = this.#deps;
    const user = await findUser(db, id);
    assertMaySeeUser(actor, user, await listGrantsOf(db, id));
    return user;
  }

  /** By the number that people say, as pages have it in their address. */
  async view(actor: Actor, number: number): Promise<PersonView> {
    const { db, clock, directory, audit } = this.#deps;
    const user = await findUserByNumber(db, number);
    const grants = user ? await listGrantsOf(db, user.id) : [];
    assertMaySeeUser(actor, user, grants);
    const mayManage = mayManageUser(actor, user, { grants, directory: await directory.snapshot() });
    return {
      user,
      grants,
      groups: await listGroupsOf(db, user.id),
      sessions: mayManage ? await listSessionsOf(db, user.id, clock.now()) : [],
      hasSecondFactor: await hasSecondFactor(db, user.id),
      attributes: await listAttributes(db, user.id),
      mayManage,
      history: mayManage ? await audit.history({ type: 'user', id: user.id }, { limit: 20 }) : [],
    };
  }

  /** Without a password: they choose one by the link that is sent or handed to them. */
  async create(actor: Actor, person: NewPerson): Promise<PersonFacts> {
    const { db, users, memberships } = this.#deps;
    const { profileId, entityId, recursive, ...draft } = person;
    if (!actor.can('user.manage', entityId)) throw new ForbiddenError('access.right');
    const prepared = await users.prepare(draft, { lane: 'sign-in' });
    return db.transaction(async (tx) => {
      const user = await users.insert(tx, prepared, { actor, emailProven: false });
      await memberships.grant(tx, { userId: user.id, profileId, entityId, recursive }, { actor });
      return user;
    });
  }

  /** A changed address counts as not proven, and the version must be the one that was looked at. */
  async update(actor: Actor, id: string, asked: PersonEdit): Promise<void> {
    const { db, audit, hooks } = this.#deps;
    const { name, locale, timeZone } = asked;
    const about = { userId: id, actorId: actor.userId };
    const edit = { ...asked, ...(await hooks.filter(userChange, { name, locale, timeZone }, about)) };
    const emailNorm = normaliseEmail(edit.email);
    const fields = profileProblems(edit);
    if (emailNorm === null) fields.push({ field: 'email', code: 'user.email' });
    if (fields.length > 0 || emailNorm === null) throw new InvalidInputError('input.invalid', { fields });
    await db.transaction(async (tx) => {
      const user = await this.managed(tx, actor, id);
      const facts = {
        ...user,
        email: tidyEmail(edit.email),
        emailNorm,
        name: tidyName(edit.name),
        locale: edit.locale,
        timeZone: edit.timeZone || null,
        emailVerifiedAt: user.emailNorm === emailNorm ? user.emailVerifiedAt : null,
      };
      await write(tx, { id, version: edit.version }, facts);
      await audit.record(tx, actor, {
        action: 'user.changed',
        subject: subjectOf(user),
        before: shown(user),
        after: shown(facts),
      });
    });
  }

  async setStatus(actor: Actor, id: string, status: UserStatus): Promise<void> {
    const { db, users, hooks } = this.#deps;
    if (status === 'disabled') await hooks.veto(userMayDisable, { userId: id, actorId: actor.userId });
    await db.transaction((tx) =>
      status === 'disabled' ? users.disable(tx, actor, id) : users.enable(tx, actor, id),
    );
  }

  async setAttributes(actor: Actor, id: string, attributes: Attributes): Promise<void> {
    await this.#deps.db.transaction(async (tx) => {
      await this.managed(tx, actor, id);
      await this.#deps.users.setAttributes(tx, actor, id, attributes);
    });
  }

  async endSessions(actor: Actor, id: string): Promise<void> {
    await this.#change(actor, id, 'user.sessions-ended', async (tx) => {
      await deleteSessionsOf(tx, id);
      await endAllCredentials(tx, id);
    });
  }

  /** For somebody who lost their phone, after it was made sure who they are. */
  async removeSecondFactor(actor: Actor, id: string): Promise<void> {
    await this.#change(actor, id, 'user.second-factor-removed', (tx) => deleteSecondFactor(tx, id));
  }

  /** Forgets who it was and keeps the row that tickets point at. There is no way back. */
  async anonymise(actor: Actor, id: string): Promise<void> {
    const { db, users, hooks } = this.#deps;
    await hooks.veto(userMayAnonymise, { userId: id, actorId: actor.userId });
    await db.transaction(async (tx) => {
      await this.managed(tx, actor, id);
      await users.anonymise(tx, actor, id);
    });
  }

  async #change(actor: Actor, id: string, action: string, work: (tx: Tx) => Promise<unknown>): Promise<void> {
    await this.#deps.db.transaction(async (tx) => {
      const user = await this.managed(tx, actor, id);
      await work(tx);
      await this.#deps.audit.record(tx, actor, { action, subject: subjectOf(user) });
    });
  }

  /** An account that this actor may change, or the refusal. */
  async managed(tx: Tx, actor: Actor, id: string): Promise<User> {
    const { directory } = this.#deps;
    const user = await findUser(tx, id);
    const grants = await listGrantsOf(tx, id);
    if (!user) throw new NotFoundError('user.not-found');
    assertMaySeeUser(actor, user, grants);
    assertMayManageUser(actor, user, { grants, directory: await directory.snapshot(tx) });
    return user;
  }
}

async function write(
  tx: Tx,
  key: { id: string; version: number },
  facts: Parameters<typeof updateUser>[2],
): Promise<void> {
  try {
    if (!(await updateUser(tx, key, facts))) throw new ConflictError('user.changed');
  } catch (error) {
    if (!tx.dialect.isDuplicate(error)) throw error;
    throw new InvalidInputError('input.invalid', {
      cause: error,
      fields: [{ field: 'email', code: 'user.exists' }],
    });
  }
}

const shown = ({
  email,
  name,
  locale,
  timeZone,
}: Pick<User, 'email' | 'name' | 'locale' | 'timeZone'>): Record<string, unknown> => ({
  email,
  name,
  locale,
  timeZone,
});

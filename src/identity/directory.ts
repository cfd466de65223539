import type { Queryable } from '../db/database.ts';
import {
  directoryRaises,
  listEntities,
  listGrantsOf,
  listGrantsOfProfiles,
  listProfiles,
  readDirectoryVersion,
} from './directory-repository.ts';
import { EntityTree } from './entity.ts';
import type { Profile } from './profile.ts';
import { EVERY_RIGHT, SUPER_ADMIN, type Rights } from './rights.ts';
import { actorFor, reaches, type SignedInActor } from './signed-in-actor.ts';
import type { User } from './user.ts';
import { findUser, findUsers } from './user-repository.ts';

interface Deps {
  db: Queryable;
  rights: Rights;
}

/** Entities and profiles as they are now. */
export interface DirectorySnapshot {
  tree: EntityTree;
  profiles: readonly Profile[];
  rightsOf: (profileId: string) => ReadonlySet<string>;
  isStaffProfile: (profileId: string) => boolean;
}

interface Kept {
  version: number;
  rightsVersion: number;
  raises: number;
  /** When it was last seen to be so, by the process's own clock. */
  seenAt: number;
  snapshot: DirectorySnapshot;
}

/** Somebody who may do a thing was made an actor just before they do it: within this time the directory is not asked again. */
const JUST_NOW_MS = 50;

/** Turns accounts into actors. Keeps the tree and the profiles in memory for as long as their version row stays the same. */
export class Directory {
  readonly #deps: Deps;
  #kept: Kept | null = null;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** One small read; the tables themselves only after a change, on this node or another. */
  async snapshot(db: Queryable = this.#deps.db): Promise<DirectorySnapshot> {
    const isWithin = db !== this.#deps.db;
    if (isWithin && this.#kept && this.#isFresh(this.#kept)) return this.#kept.snapshot;
    const state = {
      raises: directoryRaises(),
      rightsVersion: this.#deps.rights.version,
      seenAt: performance.now(),
    };
    const version = await readDirectoryVersion(db);
    const kept = this.#kept;
    const isSame = kept?.version === version && kept.rightsVersion === state.rightsVersion;
    const snapshot = isSame ? kept.snapshot : await this.#read(db);
    // What a transaction reads may yet be rolled back.
    if (!isWithin) this.#kept = { ...state, version, snapshot };
    return snapshot;
  }

  #isFresh({ raises, rightsVersion, seenAt }: Kept): boolean {
    const isSame = raises === directoryRaises() && rightsVersion === this.#deps.rights.version;
    return isSame && performance.now() - seenAt < JUST_NOW_MS;
  }

  async actorOf(user: User, db: Queryable = this.#deps.db): Promise<SignedInActor> {
    const [snapshot, grants] = [await this.snapshot(db), await listGrantsOf(db, user.id)];
    return actorFor(user, grants, snapshot);
  }

  /** The actor this person is now; null when the account is gone or disabled. */
  async actorById(userId: string): Promise<SignedInActor | null> {
    const user = await findUser(this.#deps.db, userId);
    return user?.status === 'active' ? this.actorOf(user) : null;
  }

  /** Active people who hold `right` in this entity, or in one of these. */
  async peopleWith(right: string, entityIds: string | readonly string[]): Promise<User[]> {
    const { db } = this.#deps;
    const { tree, profiles, rightsOf } = await this.snapshot();
    const holding = profiles.filter(({ id }) => rightsOf(id).has(right) || rightsOf(id).has(EVERY_RIGHT));
    const grants = await listGrantsOfProfiles(
      db,
      holding.map(({ id }) => id),
    );
    const userIds = grants
      .filter((grant) => [entityIds].flat().some((entityId) => reaches(tree, grant, entityId)))
      .map(({ userId }) => userId);
    return findUsers(db, [...new Set(userIds)]);
  }

  async #read(db: Queryable): Promise<DirectorySnapshot> {
    const tree = new EntityTree(await listEntities(db));
    const profiles = await listProfiles(db);
    const rights = new Map(profiles.map((profile) => [profile.id, this.#rightsIn(profile)]));
    const staff = new Set(profiles.filter(({ kind }) => kind === 'staff').map(({ id }) => id));
    return {
      tree,
      profiles: profiles.map((profile) => ({
        ...profile,
        rights: [...(rights.get(profile.id) ?? [])].filter(isNamed),
      })),
      rightsOf: (profileId) => rights.get(profileId) ?? NONE,
      isStaffProfile: (profileId) => staff.has(profileId),
    };
  }

  #rightsIn({ key, rights }: Profile): ReadonlySet<string> {
    if (key === null) return new Set(rights.filter(isNamed));
    const suggested = this.#deps.rights.suggestedFor(key);
    return new Set(key === SUPER_ADMIN ? [...suggested, EVERY_RIGHT] : suggested);
  }
}

const NONE: ReadonlySet<string> = new Set();
const isNamed = (right: string): boolean => right !== EVERY_RIGHT;

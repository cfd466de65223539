import type { AuditService } from '../audit/index.ts';
import type { Database, Tx } from '../db/database.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import {
  ConflictError,
  ForbiddenError,
  InvalidInputError,
  NotFoundError,
  type FieldProblem,
} from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import type { Directory } from './directory.ts';
import {
  deleteProfile,
  insertProfile,
  isProfileInUse,
  raiseDirectoryVersion,
  updateProfile,
} from './directory-repository.ts';
import { ROOT_ENTITY_ID } from './entity.ts';
import type { Profile, ProfileKind } from './profile.ts';
import type { Rights } from './rights.ts';

interface Deps {
  db: Database;
  clock: Clock;
  audit: AuditService;
  directory: Directory;
  rights: Rights;
}

export interface ProfileDraft {
  name: string;
  kind: ProfileKind;
  rights: readonly string[];
}

const LONGEST_NAME = 120;

/** Sets of rights. The built-in ones follow what each right suggests and stay as they are; one copies them to change them. */
export class ProfileService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(): Promise<readonly Profile[]> {
    return (await this.#deps.directory.snapshot()).profiles;
  }

  async get(id: string): Promise<Profile> {
    const profile = (await this.list()).find((one) => one.id === id);
    if (!profile) throw new NotFoundError('profile.not-found');
    return profile;
  }

  async create(actor: Actor, draft: ProfileDraft): Promise<Profile> {
    const { clock, audit } = this.#deps;
    this.#assertMayGive(actor, draft.rights);
    this.#assertSound(draft);
    const profile: Profile = { id: newId(), key: null, ...tidied(draft), version: 1, createdAt: clock.now() };
    await this.#write(async (tx) => {
      await insertProfile(tx, profile);
      await audit.record(tx, actor, {
        action: 'profile.created',
        subject: subjectOf(profile),
        after: shown(profile),
      });
    });
    return profile;
  }

  async update(
    actor: Actor,
    id: string,
    { version, ...draft }: ProfileDraft & { version: number },
  ): Promise<void> {
    const { audit } = this.#deps;
    const before = await this.get(id);
    if (before.key !== null) throw new ConflictError('profile.built-in');
    // Rights it had are no gift; what is new must be the giver's own.
    this.#assertMayGive(
      actor,
      draft.rights.filter((right) => !before.rights.includes(right)),
    );
    this.#assertSound(draft);
    await this.#write(async (tx) => {
      if (!(await updateProfile(tx, { id, version }, tidied(draft))))
        throw new ConflictError('profile.changed');
      await audit.record(tx, actor, {
        action: 'profile.changed',
        subject: subjectOf(before),
        before: shown(before),
        after: shown(tidied(draft)),
      });
    });
  }

  async remove(actor: Actor, id: string): Promise<void> {
    const { audit } = this.#deps;
    const profile = await this.get(id);
    if (profile.key !== null) throw new ConflictError('profile.built-in');
    this.#assertMayGive(actor, []);
    await this.#write(async (tx) => {
      if (await isProfileInUse(tx, id)) throw new ConflictError('profile.in-use');
      await deleteProfile(tx, id);
      await audit.record(tx, actor, {
        action: 'profile.removed',
        subject: subjectOf(profile),
        before: shown(profile),
      });
    });
  }

  /** Profiles hold everywhere, so whoever changes one must hold its rights at the top. */
  #assertMayGive(actor: Actor, rights: readonly string[]): void {
    const isTheirs = ['profile.manage', ...rights].every((right) => holdsEverywhere(actor, right));
    if (!isTheirs) throw new ForbiddenError('profile.too-much');
  }

  #assertSound({ name, rights }: ProfileDraft): void {
    const fields: FieldProblem[] = [];
    if (name.trim() === '') fields.push({ field: 'name', code: 'field.required' });
    if (name.trim().length > LONGEST_NAME)
      fields.push({ field: 'name', code: 'field.too-big', params: { maximum: LONGEST_NAME } });
    if (!rights.every((right) => this.#deps.rights.has(right)))
      fields.push({ field: 'rights', code: 'profile.unknown-right' });
    if (fields.length > 0) throw new InvalidInputError('input.invalid', { fields });
  }

  async #write(work: (tx: Tx) => Promise<void>): Promise<void> {
    const { db } = this.#deps;
    try {
      await db.transaction(async (tx) => {
        await work(tx);
        await raiseDirectoryVersion(tx);
      });
    } catch (error) {
      if (!db.dialect.isDuplicate(error)) throw error;
      throw new InvalidInputError('input.invalid', {
        cause: error,
        fields: [{ field: 'name', code: 'profile.name-taken' }],
      });
    }
  }
}

/** In the top entity and so, by a recursive grant, in all. */
const holdsEverywhere = (actor: Actor, right: string): boolean =>
  actor.entitiesWith(right) === 'all' && actor.can(right, ROOT_ENTITY_ID);

const tidied = ({ name, kind, rights }: ProfileDraft): ProfileDraft => ({
  name: name.trim(),
  kind,
  rights: [...new Set(rights)].sort(),
});

const shown = ({ name, kind, rights }: ProfileDraft): Record<string, unknown> => ({ name, kind, rights });

const subjectOf = ({ id, name }: Profile): { type: string; id: string; label: string } => ({
  type: 'profile',
  id,
  label: name,
});

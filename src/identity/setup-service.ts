import { digestOf } from '../crypto/digest.ts';
import { mint } from '../crypto/mint.ts';
import { check } from '../crypto/tokens.ts';
import type { AuditService } from '../audit/index.ts';
import type { Database, Tx } from '../db/database.ts';
import {
  organisation,
  setupCompletedAt,
  siteLocale,
  siteOrigin,
  siteTimeZone,
  type SettingsService,
} from '../settings/index.ts';
import { system } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { GoneError, InvalidInputError, NotFoundError, type FieldProblem } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import { isTimeZone } from '../shared/time-zone.ts';
import { insertGrant, listEntities, raiseDirectoryVersion, renameEntity } from './directory-repository.ts';
import { ROOT_ENTITY_ID } from './entity.ts';
import { BUILT_IN_PROFILES } from './profile.ts';
import type { ClientFacts, SessionCookie, SessionService } from './session-service.ts';
import {
  dismissChecklist,
  isChecklistDismissed,
  isOwnerToken,
  putOwnerToken,
  spendOwnerToken,
} from './setup-repository.ts';
import type { UserService } from './user-service.ts';
import type { PersonFacts } from './user.ts';

interface Deps {
  db: Database;
  clock: Clock;
  audit: AuditService;
  settings: SettingsService;
  users: UserService;
  sessions: SessionService;
}

export interface SetupDraft {
  locale: 'en' | 'fr';
  organisation: string;
  name: string;
  email: string;
  password: string;
  timeZone: string;
  /** Scheme and host as people reach us; empty where the configuration says it. */
  origin: string;
}

const LINK_LIFE_MS = 60 * 60_000;

/** How a new house gets its first administrator, without a password that everybody knows. */
export class OwnerLink {
  readonly #deps: Pick<Deps, 'db' | 'clock' | 'settings'>;

  constructor(deps: Pick<Deps, 'db' | 'clock' | 'settings'>) {
    this.#deps = deps;
  }

  /** A new token; the one before opens no more. Null once there is an owner. */
  async issue({ ttlMs = LINK_LIFE_MS } = {}): Promise<string | null> {
    const { db, clock } = this.#deps;
    if (await this.isSetUp()) return null;
    const token = mint('lkown_');
    await db.transaction((tx) =>
      putOwnerToken(tx, { digest: digestOf(token), expiresAt: clock.now() + ttlMs }),
    );
    return token;
  }

  async isSetUp(): Promise<boolean> {
    return (await this.#deps.settings.get(setupCompletedAt)) !== null;
  }

  /** The digest of a link that opens now. @throws {NotFoundError} for any other text, {GoneError} once there is an owner. */
  async assertOpen(typed: string): Promise<Buffer> {
    const { db, clock } = this.#deps;
    if (await this.isSetUp()) throw new GoneError('setup.done');
    const checked = check(typed, 'lkown_');
    if (!checked.ok) throw new NotFoundError('setup.unknown-link');
    const digest = digestOf(checked.normal);
    if (!(await isOwnerToken(db, digest, clock.now()))) throw new NotFoundError('setup.unknown-link');
    return digest;
  }
}

/** The first minutes of a house: its name, its owner. */
export class SetupService {
  readonly #deps: Deps & { ownerLink: OwnerLink };

  constructor(deps: Deps & { ownerLink: OwnerLink }) {
    this.#deps = deps;
  }

  async assertOpen(token: string): Promise<void> {
    await this.#deps.ownerLink.assertOpen(token);
  }

  /** Spends the link, names the house, makes its owner, and signs them in. Happens once in the life of a house. */
  async complete(
    token: string,
    draft: SetupDraft,
    client: ClientFacts,
  ): Promise<{ user: PersonFacts; cookie: SessionCookie }> {
    const { db, users, sessions, ownerLink } = this.#deps;
    const digest = await ownerLink.assertOpen(token);
    assertSound(draft);
    const prepared = await users.prepare(draft, { lane: 'sign-in' });
    const user = await db.transaction(async (tx) => {
      if (!(await spendOwnerToken(tx, digest, this.#deps.clock.now())))
        throw new NotFoundError('setup.unknown-link');
      const owner = await users.insert(tx, prepared, { actor: system, emailProven: true });
      await this.#furnish(tx, owner, draft);
      return owner;
    });
    return { user, ...(await sessions.start(user.id, client)) };
  }

  async isChecklistDismissed(): Promise<boolean> {
    return isChecklistDismissed(this.#deps.db);
  }

  async dismissChecklist(): Promise<void> {
    const { db, clock } = this.#deps;
    await db.transaction((tx) => dismissChecklist(tx, clock.now()));
  }

  async #furnish(tx: Tx, owner: PersonFacts, draft: SetupDraft): Promise<void> {
    const { settings, clock } = this.#deps;
    const now = clock.now();
    if (!(await settings.setOnce(tx, system, setupCompletedAt, now))) throw new GoneError('setup.done');
    await settings.set(tx, system, organisation, draft.organisation);
    await settings.set(tx, system, siteLocale, draft.locale);
    await settings.set(tx, system, siteTimeZone, draft.timeZone);
    if (draft.origin !== '') await settings.set(tx, system, siteOrigin, draft.origin);
    const root = (await listEntities(tx)).find(({ id }) => id === ROOT_ENTITY_ID);
    if (root) await renameEntity(tx, root, draft.organisation);
    await insertGrant(tx, {
      id: newId(),
      userId: owner.id,
      profileId: BUILT_IN_PROFILES['super-admin'],
      entityId: ROOT_ENTITY_ID,
      isRecursive: true,
      createdAt: now,
      createdBy: null,
    });
    await raiseDirectoryVersion(tx);
  }
}

function assertSound({ organisation: name, timeZone }: SetupDraft): void {
  const fields: FieldProblem[] = [];
  if (name.trim() === '') fields.push({ field: 'organisation', code: 'field.required' });
  if (!isTimeZone(timeZone)) fields.push({ field: 'timeZone', code: 'user.time-zone' });
  if (fields.length > 0) throw new InvalidInputError('input.invalid', { fields });
}

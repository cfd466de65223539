import type { AuditService } from '../audit/index.ts';
import { digestOf } from '../crypto/digest.ts';
import { mint } from '../crypto/mint.ts';
import { check, mask } from '../crypto/tokens.ts';
import type { Database } from '../db/database.ts';
import type { Hooks } from '../hooks/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ForbiddenError, InvalidInputError, NotFoundError, type FieldProblem } from '../shared/errors.ts';
import { newId } from '../shared/ids.ts';
import { LONGEST_TOKEN_LIFE_DAYS, SCOPE, type AccessToken } from './access-token.ts';
import {
  findToken,
  findTokenByDigest,
  insertToken,
  listTokensOf,
  markTokenUsed,
  revokeToken,
} from './access-token-repository.ts';
import { accessTokenDraft, accessTokenMayCreate, apiMayCall } from './access-hooks.ts';
import type { Directory } from './directory.ts';
import { findUser } from './user-repository.ts';
import { isOpen } from './user.ts';

interface Deps {
  db: Database;
  hooks: Hooks;
  clock: Clock;
  audit: AuditService;
  directory: Directory;
}

export interface TokenDraft {
  name: string;
  scopes: readonly string[];
  /** Milliseconds UTC. */
  expiresAt: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Personal API tokens: they may what their person may, within their scopes, until a day. */
export class AccessTokenService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** For oneself, or by the command line for somebody. `secret` is shown this once; nobody keeps it. */
  async create(
    actor: Actor,
    userId: string,
    asked: TokenDraft,
  ): Promise<{ token: AccessToken; secret: string }> {
    const { db, clock, audit, hooks } = this.#deps;
    assertTheirs(actor, userId);
    const about = { userId, actorId: actor.userId };
    const draft = await hooks.filter(accessTokenDraft, { ...asked }, about);
    await hooks.veto(accessTokenMayCreate, { ...about, scopes: draft.scopes });
    assertSound(draft, clock.now());
    const secret = mint('lkpat_');
    const token: AccessToken = {
      id: newId(),
      userId,
      name: draft.name.trim(),
      hint: mask(secret),
      scopes: draft.scopes,
      createdAt: clock.now(),
      expiresAt: draft.expiresAt,
      usedAt: null,
      revokedAt: null,
    };
    await db.transaction(async (tx) => {
      await insertToken(tx, token, { digest: digestOf(secret) });
      const after = { name: token.name, scopes: token.scopes, expiresAt: token.expiresAt };
      await audit.record(tx, actor, { action: 'access-token.created', subject: subjectOf(token), after });
    });
    return { token, secret };
  }

  async listOf(actor: Actor, userId: string): Promise<AccessToken[]> {
    assertTheirs(actor, userId);
    return listTokensOf(this.#deps.db, userId);
  }

  async revoke(actor: Actor, id: string): Promise<void> {
    const { db, clock, audit } = this.#deps;
    const token = await findToken(db, id);
    if (!token || !mayTouch(actor, token.userId)) throw new NotFoundError('access-token.not-found');
    await db.transaction(async (tx) => {
      if (!(await revokeToken(tx, id, clock.now()))) return;
      await audit.record(tx, actor, { action: 'access-token.revoked', subject: subjectOf(token) });
    });
  }

  /** What an `Authorization: Bearer` header says. Garbage is refused by its check symbols, before any query. */
  async byBearer(text: string): Promise<{ actor: Actor; scopes: readonly string[] } | null> {
    const { db, clock, directory, hooks } = this.#deps;
    const checked = check(text, 'lkpat_');
    if (!checked.ok) return null;
    const now = clock.now();
    const token = await findTokenByDigest(db, digestOf(checked.normal));
    if (!token || token.revokedAt !== null || token.expiresAt <= now) return null;
    const user = await findUser(db, token.userId);
    if (!user || !isOpen(user, now)) return null;
    await hooks.veto(apiMayCall, { userId: user.id, tokenId: token.id, scopes: token.scopes });
    await this.#noteUse(token, now);
    return { actor: await directory.actorOf(user), scopes: token.scopes };
  }

  /** Hourly at most, and never at the price of the request. */
  async #noteUse(token: AccessToken, now: number): Promise<void> {
    const before = now - HOUR_MS;
    if (token.usedAt !== null && token.usedAt >= before) return;
    try {
      await this.#deps.db.transaction((tx) => markTokenUsed(tx, token.id, { before, now }));
    } catch {
      // The database is busy; the next request will do.
    }
  }
}

const mayTouch = (actor: Actor, userId: string): boolean =>
  actor.kind === 'cli' || actor.kind === 'system' || actor.userId === userId;

function assertTheirs(actor: Actor, userId: string): void {
  if (!mayTouch(actor, userId)) throw new ForbiddenError('access-token.not-yours');
}

function assertSound({ name, scopes, expiresAt }: TokenDraft, now: number): void {
  const fields: FieldProblem[] = [];
  const length = name.trim().length;
  if (length === 0) fields.push({ field: 'name', code: 'field.required' });
  if (length > 100) fields.push({ field: 'name', code: 'field.too-big', params: { maximum: 100 } });
  if (scopes.length === 0 || !scopes.every(isScope))
    fields.push({ field: 'scopes', code: 'access-token.scopes' });
  const isInTime = expiresAt > now && expiresAt <= now + (LONGEST_TOKEN_LIFE_DAYS + 1) * DAY_MS;
  if (!isInTime)
    fields.push({ field: 'expires', code: 'access-token.expiry', params: { days: LONGEST_TOKEN_LIFE_DAYS } });
  if (fields.length > 0) throw new InvalidInputError('input.invalid', { fields });
}

const isScope = (scope: string): boolean => SCOPE.test(scope);

const subjectOf = ({ id, name, hint }: AccessToken): { type: string; id: string; label: string } => ({
  type: 'access-token',
  id,
  label: `${name} (${hint})`,
});

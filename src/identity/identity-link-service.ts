import type { AuditService } from '../audit/index.ts';
import type { Database, Tx } from '../db/database.ts';
import { networkOf } from '../http/client-address.ts';
import type { MailDraft, MailService } from '../mail/index.ts';
import type { Actor } from '../shared/actor.ts';
import type { Clock } from '../shared/clock.ts';
import { ConflictError, InvalidInputError, NotFoundError } from '../shared/errors.ts';
import type { SettingsService } from '../settings/index.ts';
import { revokeTokensOf } from './access-token-repository.ts';
import type { Directory } from './directory.ts';
import { listGrantsOf } from './directory-repository.ts';
import { localSignIn } from './identity-settings.ts';
import { listPasskeysOf } from './passkey-repository.ts';
import { deleteSessionsOf } from './session-repository.ts';
import type { ClientFacts } from './session-service.ts';
import type { SignInProviders } from './sign-in-providers.ts';
import type { UserAdminService } from './user-admin-service.ts';
import type { User } from './user.ts';
import type { NewIdentity, UserIdentity } from './user-identity.ts';
import { deleteIdentity, insertIdentity, listIdentitiesOf } from './user-identity-repository.ts';
import { endAllCredentials, findPasswordHash } from './user-repository.ts';
import { assertMayManageUser } from './user-policy.ts';
import { subjectOf } from './user-service.ts';

interface Deps {
  db: Database;
  clock: Clock;
  audit: AuditService;
  directory: Directory;
  settings: Pick<SettingsService, 'getIn'>;
  mail: Pick<MailService, 'queue'>;
  providers: SignInProviders;
  userAdmin: UserAdminService;
}

/** An identity as its owner sees it; `title` is null when the provider is gone. */
export type ShownIdentity = UserIdentity & { title: string | null; icon: string };

/** Which identities of providers lead into which account. Whoever owns an account hears of every change by mail. */
export class IdentityLinkService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async list(userId: string): Promise<ShownIdentity[]> {
    const { db, providers } = this.#deps;
    const identities = await listIdentitiesOf(db, userId);
    if (identities.length === 0) return [];
    const ways = new Map((await providers.ways()).map((way) => [way.ref, way]));
    return identities.map((identity) => {
      const way = ways.get(identity.provider);
      return { ...identity, title: way?.title ?? null, icon: way?.icon ?? 'plug-off' };
    });
  }

  /** For administrators of that account. */
  async listFor(actor: Actor, userId: string): Promise<ShownIdentity[]> {
    const { db, directory, userAdmin } = this.#deps;
    const user = await userAdmin.get(actor, userId);
    const grants = await listGrantsOf(db, userId);
    assertMayManageUser(actor, user, { grants, directory: await directory.snapshot() });
    return this.list(userId);
  }

  /** By somebody who is signed in and has said that they want it. */
  async link(actor: Actor, user: User, identity: NewIdentity, title: string): Promise<void> {
    await this.#link(user, identity, { actor, title, how: 'own' });
  }

  /** By the word of a provider that an administrator trusts with the domain of this address. */
  async linkTrusted(
    user: User,
    identity: NewIdentity,
    { title, client }: { title: string; client: ClientFacts },
  ): Promise<void> {
    const actor = await this.#deps.directory.actorOf(user);
    await this.#link(user, identity, { actor, title, how: 'trusted', network: networkOf(client.ip) });
  }

  /** The last way in stays. */
  async unlink(actor: Actor, user: User, id: string): Promise<void> {
    const titles = await this.#titles();
    await this.#deps.db.transaction(async (tx) => {
      await this.#remove(tx, actor, user, { id, titles });
      if (!(await this.#hasOtherWay(tx, user.id))) throw new ConflictError('identity.last');
    });
  }

  /** By an administrator: somebody has left the company that vouched for them, say. Their sessions and tokens end with it. */
  async unlinkFor(actor: Actor, userId: string, id: string): Promise<void> {
    const { db, clock, userAdmin } = this.#deps;
    const titles = await this.#titles();
    await db.transaction(async (tx) => {
      const user = await userAdmin.managed(tx, actor, userId);
      await this.#remove(tx, actor, user, { id, titles });
      await deleteSessionsOf(tx, user.id);
      await revokeTokensOf(tx, user.id, clock.now());
      await endAllCredentials(tx, user.id);
    });
  }

  /** Closing the other ways in is for whoever has a way in that stays. */
  async assertMayCloseLocal({ userId }: Actor, isOpen: unknown): Promise<void> {
    const { db, providers } = this.#deps;
    if (isOpen === true) return;
    const refs = new Set((await providers.ways()).map(({ ref }) => ref));
    const own = userId === null ? [] : await listIdentitiesOf(db, userId);
    const code =
      refs.size === 0
        ? 'provider.none'
        : own.some(({ provider }) => refs.has(provider))
          ? null
          : 'provider.link-yourself-first';
    if (code !== null)
      throw new InvalidInputError('input.invalid', { fields: [{ field: localSignIn.id, code }] });
  }

  async #link(
    user: User,
    identity: NewIdentity,
    { actor, title, how, network }: { actor: Actor; title: string; how: string; network?: string },
  ): Promise<void> {
    const { db, clock, audit, mail } = this.#deps;
    try {
      await db.transaction(async (tx) => {
        await insertIdentity(tx, user.id, identity, clock.now());
        await audit.record(tx, actor, {
          action: 'user.identity-linked',
          subject: subjectOf(user),
          after: { provider: identity.provider, email: identity.email, how },
          ...(network === undefined ? {} : { network }),
        });
        await mail.queue(tx, identityMail('identity-linked', user, title));
      });
    } catch (error) {
      if (db.dialect.isDuplicate(error)) throw new ConflictError('identity.taken', { cause: error });
      throw error;
    }
  }

  async #remove(
    tx: Tx,
    actor: Actor,
    user: User,
    { id, titles }: { id: string; titles: ReadonlyMap<string, string> },
  ): Promise<void> {
    const { audit, mail } = this.#deps;
    const identity = (await listIdentitiesOf(tx, user.id)).find((one) => one.id === id);
    if (!identity || !(await deleteIdentity(tx, { id, userId: user.id })))
      throw new NotFoundError('identity.not-found');
    await audit.record(tx, actor, {
      action: 'user.identity-unlinked',
      subject: subjectOf(user),
      before: { provider: identity.provider, email: identity.email },
    });
    const title = titles.get(identity.provider) ?? identity.issuer;
    await mail.queue(tx, identityMail('identity-unlinked', user, title));
  }

  async #titles(): Promise<Map<string, string>> {
    return new Map((await this.#deps.providers.ways()).map(({ ref, title }) => [ref, title]));
  }

  /** Passwords and passkeys count only where they let anybody in. */
  async #hasOtherWay(tx: Tx, userId: string): Promise<boolean> {
    if ((await listIdentitiesOf(tx, userId)).length > 0) return true;
    if (!(await this.#deps.settings.getIn(tx, localSignIn))) return false;
    return (await findPasswordHash(tx, userId)) !== null || (await listPasskeysOf(tx, userId)).length > 0;
  }
}

/** Whoever did not do it should hear of it. */
const identityMail = (
  kind: 'identity-linked' | 'identity-unlinked',
  { email, name, locale, id }: User,
  provider: string,
): MailDraft => ({
  to: { email, name },
  template: `identity/mail/${kind}`,
  model: { name, provider },
  locale,
  kind,
  reference: id,
});

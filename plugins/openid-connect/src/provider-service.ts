import {
  ConflictError,
  ForbiddenError,
  newId,
  NotFoundError,
  type Actor,
  type AuthProvider,
  type Host,
  type Sealed,
  type Tx,
} from 'latchkey/plugin-api';
import { secretContext, type OpenidLine } from './openid-line.ts';
import { assertSound, type Provider, type ProviderDraft } from './provider.ts';
import {
  deleteProvider,
  findProvider,
  insertProvider,
  listProviders,
  readSecret,
  updateProvider,
} from './provider-repository.ts';

interface Deps {
  host: Host;
  line: OpenidLine;
}

const MOST = 20;

/** Providers, from the side of those who set them up, and as core offers them. */
export class ProviderService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Those that are on, for `sign-in.providers`. */
  async offered(): Promise<AuthProvider[]> {
    const { host, line } = this.#deps;
    const all = await listProviders(host.db);
    return all
      .filter(({ isOn }) => isOn)
      .map((provider) => ({
        id: provider.slug,
        title: provider.title,
        icon: provider.icon,
        trustedDomains: provider.trustedDomains,
        isTwoFactor: provider.isTwoFactor,
        start: (asked) => line.start(provider, asked),
        finish: (back) => line.finish(provider, back),
      }));
  }

  async list(actor: Actor): Promise<Provider[]> {
    await this.#assertManages(actor);
    return listProviders(this.#deps.host.db);
  }

  async get(actor: Actor, id: string): Promise<Provider & { hasSecret: boolean }> {
    const { host } = this.#deps;
    await this.#assertManages(actor);
    const provider = await findProvider(host.db, id);
    if (provider === null) throw new NotFoundError('openid-connect.not-found');
    return { ...provider, hasSecret: (await readSecret(host.db, id)) !== null };
  }

  async add(actor: Actor, asked: ProviderDraft, secret: string): Promise<Provider> {
    const { host } = this.#deps;
    await this.#assertManages(actor);
    const draft = assertSound(asked);
    if ((await listProviders(host.db)).length >= MOST)
      throw new ConflictError('openid-connect.too-many', { params: { count: MOST } });
    const now = host.clock.now();
    const provider = { ...draft, id: newId(), version: 1, createdAt: now, updatedAt: now };
    await this.#written(draft, (tx) => insertProvider(tx, provider, this.#sealed(provider.id, secret)), {
      actor,
      provider,
      what: 'added',
      change: { after: facts(draft) },
    });
    return provider;
  }

  /** What is in the redirect address stays; without a new secret the old one does. */
  async edit(actor: Actor, id: string, version: number, asked: ProviderDraft, secret: string): Promise<void> {
    const { host } = this.#deps;
    const { hasSecret: _, ...before } = await this.get(actor, id);
    const draft = assertSound({ ...asked, slug: before.slug });
    const changes = { ...draft, updatedAt: host.clock.now() };
    const sealed = this.#sealed(id, secret);
    await this.#written(
      draft,
      async (tx) => {
        if (!(await updateProvider(tx, { id, version }, changes, sealed)))
          throw new ConflictError('openid-connect.changed-meanwhile');
      },
      {
        actor,
        provider: before,
        what: 'edited',
        change: { before: facts(before), after: { ...facts(draft), newSecret: sealed !== null } },
      },
    );
  }

  async remove(actor: Actor, id: string): Promise<void> {
    const provider = await this.get(actor, id);
    await this.#written(
      provider,
      async (tx) => {
        if (!(await deleteProvider(tx, id))) throw new NotFoundError('openid-connect.not-found');
      },
      { actor, provider, what: 'removed', change: { before: facts(provider) } },
    );
  }

  async look(actor: Actor, id: string): Promise<{ issuer: string; problem: string | null }> {
    return this.#deps.line.look(await this.get(actor, id));
  }

  /** Whoever says by whom people are named, says who anybody is: the right must hold for the whole house. */
  async #assertManages(actor: Actor): Promise<void> {
    const top = (await this.#deps.host.memberships.entities()).find(({ parentId }) => parentId === null);
    if (top === undefined || !actor.can('openid-connect.manage', top.id))
      throw new ForbiddenError('openid-connect.may-not-manage');
  }

  async #written(
    { slug }: { slug: string },
    write: (tx: Tx) => Promise<void>,
    { actor, provider, what, change }: Act,
  ): Promise<void> {
    const { host } = this.#deps;
    try {
      await host.transaction(async (tx) => {
        await write(tx);
        await host.audit.record(tx, actor, {
          action: `openid-connect.${what}`,
          subject: { type: 'sign-in-provider', id: provider.id, label: provider.title },
          ...change,
        });
      });
    } catch (error) {
      if (!host.db.dialect.isDuplicate(error)) throw error;
      throw new ConflictError('openid-connect.slug-taken', {
        fields: [{ field: 'slug', code: 'openid-connect.slug-taken', params: { slug } }],
        cause: error,
      });
    }
  }

  #sealed(id: string, secret: string): Sealed | null {
    return secret === '' ? null : this.#deps.host.keys.seal(secret, secretContext(id));
  }
}

interface Act {
  actor: Actor;
  provider: Provider;
  what: string;
  change: { before?: Record<string, unknown>; after?: Record<string, unknown> };
}

const facts = ({
  slug,
  title,
  issuer,
  clientId,
  scopes,
  trustedDomains,
  assumesVerified,
  isTwoFactor,
  isOn,
}: ProviderDraft): Record<string, unknown> => ({
  slug,
  title,
  issuer,
  clientId,
  scopes,
  trustedDomains,
  assumesVerified,
  isTwoFactor,
  isOn,
});

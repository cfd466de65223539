import { z } from 'zod';
import type { Hooks } from '../hooks/index.ts';
import type { Log } from '../log.ts';
import { KnownError, NotFoundError, UnavailableError } from '../shared/errors.ts';
import {
  authProviders,
  type AuthProvider,
  type ProviderClaims,
  type ProviderReturn,
  type ProviderStart,
} from './auth-provider.ts';

interface Deps {
  hooks: Pick<Hooks, 'gather' | 'charge'>;
  log: Pick<Log, 'warn'>;
}

/** A way in as pages offer it. */
export interface ProviderWay {
  /** `<plugin>.<id>`, in addresses. */
  ref: string;
  title: string;
  icon: string;
}

export interface OfferedProvider extends ProviderWay {
  owner: string;
  provider: AuthProvider;
}

/** Somebody waits for it in front of a browser. */
const DEADLINE_MS = 20_000;
const LONGEST_MEMORY = 1000;

const claimsSchema = z.object({
  issuer: z.string().min(1).max(500),
  subject: z.string().min(1).max(255),
  email: z.string().max(320).nullable(),
  emailVerified: z.boolean(),
  name: z.string().max(300).nullable(),
});

/** Who may tell us who somebody is, as plugins bring them and take them away again. */
export class SignInProviders {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async all(): Promise<OfferedProvider[]> {
    const brought = await this.#deps.hooks.gather(authProviders, {});
    return brought.flatMap(({ owner, thing }) =>
      thing
        .filter(({ id }) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(id) && id.length <= 40)
        .map((provider) => ({ ...wayOf(owner, provider), owner, provider })),
    );
  }

  async ways(): Promise<ProviderWay[]> {
    return (await this.all()).map(({ ref, title, icon }) => ({ ref, title, icon }));
  }

  /** @throws {NotFoundError} `provider.gone` */
  async find(ref: string): Promise<OfferedProvider> {
    const offered = (await this.all()).find((one) => one.ref === ref);
    if (!offered) throw new NotFoundError('provider.gone');
    return offered;
  }

  async start(offered: OfferedProvider, asked: ProviderStart): Promise<{ url: string; memory: string }> {
    const { url, memory } = await this.#guarded(offered, 'start', () => offered.provider.start(asked));
    if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '') || memory.length > LONGEST_MEMORY)
      throw this.#broken(offered, new Error('It gave no address, or too much to remember'));
    return { url, memory };
  }

  async finish(offered: OfferedProvider, back: ProviderReturn): Promise<ProviderClaims> {
    const said = await this.#guarded(offered, 'finish', () => offered.provider.finish(back));
    const claims = claimsSchema.safeParse(said);
    if (!claims.success) throw this.#broken(offered, claims.error);
    return claims.data;
  }

  /** What a plugin does here has a deadline, is on its account, and ends in words that a person can read. */
  async #guarded<T>(offered: OfferedProvider, what: string, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new Error('The provider did not answer in time'));
    }, DEADLINE_MS);
    let isFault = false;
    try {
      return await Promise.race([work(), late.promise]);
    } catch (error) {
      if (error instanceof KnownError) throw error;
      isFault = true;
      throw this.#broken(offered, error);
    } finally {
      clearTimeout(timer);
      const name = `${authProviders.name} ${what}`;
      const tookMs = performance.now() - startedAt;
      this.#deps.hooks.charge({ owner: offered.owner, kind: 'route', name, isFault, tookMs });
    }
  }

  #broken({ ref, title, owner }: OfferedProvider, error: unknown): UnavailableError {
    this.#deps.log.warn({ error, provider: ref, plugin: owner }, 'A sign-in provider failed');
    return new UnavailableError('provider.broken', { params: { provider: title }, cause: error });
  }
}

const wayOf = (owner: string, { id, title, icon }: AuthProvider): ProviderWay => ({
  ref: `${owner}.${id}`,
  title: title.slice(0, 60),
  icon,
});

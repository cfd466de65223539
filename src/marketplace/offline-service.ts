import { z } from 'zod';
import {
  assertSigned,
  covers,
  Distrust,
  namedBy,
  sha256Of,
  type EntitlementService,
  type TrustService,
} from '../network/index.ts';
import type { PluginInstaller } from '../plugin-host/index.ts';
import type { Actor } from '../shared/actor.ts';
import { ConflictError, ForbiddenError, InvalidInputError, KnownError } from '../shared/errors.ts';
import { packagePath } from './trust-verifier.ts';

interface Deps {
  trust: Pick<TrustService, 'claimFrom'>;
  entitlements: Pick<EntitlementService, 'requestFile' | 'takeAnswer' | 'status'>;
  installer: Pick<PluginInstaller, 'stage'>;
}

/** What became of a package that was carried here; kept, and not yet in use. */
export interface Carried {
  id: string;
  version: string;
  problem: { code: string; params: KnownError['params'] } | null;
}

const bundle = z.object({
  format: z.literal(1),
  documents: z.record(z.string().max(60), z.base64().max(1_000_000)),
  entitlement: z.string().max(10_000).nullable(),
  packages: z
    .array(z.object({ id: z.string().max(64), version: z.string().max(64), content: z.base64() }))
    .max(50),
});

/** The way for a server without a way out: the same documents, papers and packages, verified in the same way, carried by hand. */
export class OfflineService {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  request(actor: Actor): Promise<string> {
    assertMay(actor);
    return this.#deps.entitlements.requestFile();
  }

  /** @throws {InvalidInputError} when it is no answer of a hub, or not of ours; then nothing of it was taken */
  async take(actor: Actor, text: string): Promise<Carried[]> {
    assertMay(actor);
    const { documents, entitlement, packages } = bundleFrom(text);
    const bodies = new Map(
      Object.entries(documents).map(([name, body]) => [name, Buffer.from(body, 'base64')]),
    );
    const paths = packages.map(({ id, version }) => packagePath(id, version));
    const claims = await this.#claims(bodies, paths);
    if (entitlement !== null) await this.#deps.entitlements.takeAnswer(entitlement);
    const carried: Carried[] = [];
    for (const { id, version, content } of packages) {
      const problem = await this.#keep(
        actor,
        { id, version, packed: Buffer.from(content, 'base64') },
        claims,
      ).then(() => null, problemOf);
      carried.push({ id, version, problem });
    }
    return carried;
  }

  async #claims(
    bodies: ReadonlyMap<string, Buffer>,
    paths: readonly string[],
  ): ReturnType<Deps['trust']['claimFrom']> {
    try {
      return await this.#deps.trust.claimFrom((name) => Promise.resolve(bodies.get(name) ?? null), paths);
    } catch (error) {
      if (error instanceof Distrust)
        throw new InvalidInputError('marketplace.bundle-distrusted', {
          cause: error,
          params: { problem: error.problem },
        });
      throw error;
    }
  }

  async #keep(
    actor: Actor,
    { id, version, packed }: { id: string; version: string; packed: Buffer },
    claims: Awaited<ReturnType<Deps['trust']['claimFrom']>>,
  ): Promise<void> {
    const claimed = claims.get(packagePath(id, version));
    if (!claimed) throw new InvalidInputError('network.S07', { params: { plugin: id, version } });
    const bytes = { size: packed.length, sha256: sha256Of(packed) };
    const named = namedBy(claimed, { id, version, ...bytes });
    const { offers: required } = named;
    if (required.length > 0 && !covers(await this.#deps.entitlements.status(), { id, required }))
      throw new ConflictError('marketplace.refused.offer-too-low', { params: { plugin: id } });
    await this.#deps.installer.stage(actor, packed, {
      assertSigned: (list) => {
        assertSigned(named, list);
      },
    });
  }
}

function bundleFrom(text: string): z.output<typeof bundle> {
  try {
    return bundle.parse(JSON.parse(text));
  } catch (cause) {
    throw new InvalidInputError('marketplace.no-bundle', { cause });
  }
}

function problemOf(error: unknown): Carried['problem'] {
  if (error instanceof KnownError) return { code: error.code, params: error.params };
  throw error;
}

function assertMay(actor: Actor): void {
  if (!actor.can('plugin.manage') || !actor.can('network.manage')) throw new ForbiddenError('forbidden');
}

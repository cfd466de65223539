import type { Route } from '../http/route.ts';
import { ConflictError } from '../shared/errors.ts';
import type { Manifest } from './manifest.ts';

/** Where a plugin may answer without asking: its own corner. */
const ownPaths = ({ id }: Manifest): string[] => [`/p/${id}`, `/api/p/${id}`];

const covers = (claim: string, path: string): boolean => path === claim || path.startsWith(`${claim}/`);

/** Every route lies in the plugin's corner or under a path that its manifest claims. */
export function assertClaimed(manifest: Manifest, routes: readonly Route[]): void {
  const claims = [...ownPaths(manifest), ...manifest.claims];
  const outside = routes.find(({ path }) => !claims.some((claim) => covers(claim, path)));
  if (outside) {
    throw new ConflictError('plugin.path-not-claimed', {
      params: { path: outside.path, plugin: manifest.id },
    });
  }
}

/** Types are not checked when a plugin starts: what its author left out, or mistyped, is looked at here. */
const isAccess = (access: unknown): boolean =>
  access === 'public' ||
  access === 'signed-in' ||
  (typeof access === 'object' && access !== null && 'right' in access && typeof access.right === 'string');

/** A right that nobody declares opens a route to nobody but those who have every right, and one of them is its author. */
export function assertRightsKnown(
  { id, rights, dependencies }: Manifest,
  routes: readonly Route[],
  isKnown: (right: string) => boolean,
): void {
  const own = new Set(rights.map((right) => right.id));
  const others = Object.keys({ ...dependencies.requires, ...dependencies.optional });
  const isDeclared = (right: string): boolean =>
    right.startsWith(`${id}.`)
      ? own.has(right)
      : isKnown(right) || others.some((other) => right.startsWith(`${other}.`));
  for (const { method, path, access } of routes) {
    if (!isAccess(access)) {
      throw new ConflictError('plugin.route-without-access', {
        params: { route: `${method.toUpperCase()} ${path}` },
      });
    }
    if (typeof access === 'string' || isDeclared(access.right)) continue;
    throw new ConflictError('plugin.right-not-declared', {
      params: { right: access.right, route: `${method.toUpperCase()} ${path}` },
    });
  }
}

interface OtherClaims {
  /** Manifests of the plugins that run. */
  running: readonly Manifest[];
  /** Paths that core answers. */
  corePaths: readonly string[];
}

/** Two plugins never share a path, and nothing of core is ever covered. */
export function assertFree(manifest: Manifest, { running, corePaths }: OtherClaims): void {
  for (const claim of manifest.claims) {
    const ofCore = corePaths.find((path) => covers(claim, path));
    if (ofCore !== undefined) throw taken(claim, 'core');
    const other = running.find(({ claims }) =>
      claims.some((theirs) => covers(theirs, claim) || covers(claim, theirs)),
    );
    if (other) throw taken(claim, other.id);
  }
}

const taken = (path: string, plugin: string): ConflictError =>
  new ConflictError('plugin.path-taken', { params: { path, plugin } });

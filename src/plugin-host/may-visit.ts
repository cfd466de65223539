import type { Route } from '../http/route.ts';
import type { Actor } from '../shared/actor.ts';

/**
 * Whether this page exists and would open for `actor`. A page about one thing (its path has a parameter) counts only where its route can
 * tell by `mayOpen`: what cannot be told is not promised.
 */
export async function mayVisit(
  routes: readonly { route: Route }[],
  actor: Actor,
  path: string,
): Promise<boolean> {
  const pathname = pathnameOf(path);
  if (pathname === null) return false;
  for (const { route } of routes) {
    const params = route.method === 'get' ? paramsIn(route.path, pathname) : null;
    if (params === null || pathname.startsWith('/api/')) continue;
    return isAllowed(route, actor) && (await isOpen(route, actor, params));
  }
  return false;
}

/** Null for what is no path of ours. */
function pathnameOf(path: string): string | null {
  if (!/^\/(?![/\\])/.test(path) || /[\s\\]/.test(path)) return null;
  return URL.canParse(path, 'https://here.invalid') ? new URL(path, 'https://here.invalid').pathname : null;
}

function paramsIn(pattern: string, pathname: string): Record<string, string> | null {
  const [wanted, asked] = [pattern.split('/'), pathname.split('/')];
  if (wanted.length !== asked.length || pattern.includes('*')) return null;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const said = asked[at] ?? '';
    if (part.startsWith(':') && said !== '') params[part.slice(1)] = said;
    else if (part !== said) return null;
  }
  return params;
}

const isAllowed = ({ access }: Route, actor: Actor): boolean =>
  access === 'public' || (actor.kind === 'user' && (access === 'signed-in' || actor.can(access.right)));

async function isOpen(route: Route, actor: Actor, params: Record<string, string>): Promise<boolean> {
  if (Object.keys(params).length === 0) return true;
  const parsed = route.params?.safeParse(params);
  if (route.mayOpen === undefined || parsed?.success !== true) return false;
  return route.mayOpen(actor, parsed.data);
}

import { groupToken, type Route } from 'latchkey/plugin-api';

/**
 * The link as a QR code carries it. Capitals, digits, hyphens and dots fit QR's compact mode, so the code has fewer and larger modules; the
 * groups let the log redact it as it does on paper. A base address with a path of its own has to keep its spelling.
 */
export function qrLink(origin: string, text: string): string {
  const { pathname, host, protocol } = new URL(origin);
  const isMinted = text.startsWith('lkinv_');
  if (pathname !== '/') return `${origin}/join/${text}`;
  return `${protocol}//${host}/join/${isMinted ? groupToken(text) : text}`.toUpperCase();
}

/** The door of a link, once more for the capitals that a QR code carries. */
export const inCapitals = (routes: readonly Route[]): Route[] =>
  routes
    .filter(({ method, path }) => method === 'get' && path === '/join/:key')
    .map((route) => ({ ...route, path: '/JOIN/:key' }));

import type { RequestListener } from 'node:http';

/** Seconds; whoever runs it needs a moment to bring the right key. */
const RETRY_AFTER = '60';

/**
 * What a node answers whose master key does not open its database: 503 to everything, so that no visitor is told that their
 * invitation is unknown when it is only unreadable here (ruling 28). The process lives, so `/healthz` says so.
 */
export function lockedApp(explanation: { title: string; text: string }): RequestListener {
  return (req, res) => {
    if (req.url === '/healthz') {
      res.writeHead(200, { 'Content-Type': 'text/plain' }).end('ok');
      return;
    }
    res.writeHead(503, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
      'Cache-Control': 'no-store',
      'Retry-After': RETRY_AFTER,
    });
    const { title, text } = explanation;
    res.end(
      `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
        `<title>${title}</title><main><h1>${title}</h1><p>${text}</p></main></html>`,
    );
  };
}
